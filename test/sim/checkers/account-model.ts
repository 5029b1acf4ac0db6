/**
 * One account as a client sees it. A payment has a side on each of two accounts; whether it settles depends on the
 * debtor's alone, so the creditor's side takes either as given. Every history of all accounts that can be explained can be
 * explained account by account.
 */
import type { Model } from './linearizability.ts';

export type AccountOperation = Readonly<{ type: 'debit' | 'credit'; amountMinor: bigint }> | Readonly<{ type: 'read' }>;

export function accountModel(initialMinor: bigint): Model<bigint, AccountOperation> {
  return {
    initial: initialMinor,
    effects(balance, operation) {
      if (operation.type === 'read') return [{ state: balance, output: `${balance}` }];
      const rejected = { state: balance, output: 'REJECTED' };
      if (operation.type === 'debit') {
        const { amountMinor } = operation;
        return balance >= amountMinor ? [{ state: balance - amountMinor, output: 'SETTLED' }] : [rejected];
      }
      return [{ state: balance + operation.amountMinor, output: 'SETTLED' }, rejected];
    },
    key: (balance) => `${balance}`,
  };
}
