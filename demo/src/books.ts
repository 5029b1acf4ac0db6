/** Reads a system's books through its API: accounts as the auditor sees them, transfers as the banks do, locks as the operator does. */
import type { StatementLineResource } from '@drawbridge/protocol/api/account';
import type { LockResource } from '@drawbridge/protocol/api/lock';
import type { TransferResource } from '@drawbridge/protocol/api/transfer';
import { AUDITOR, BANKS, OPERATOR } from './cast.ts';
import { clientFor } from './clients.ts';
import type { LocalSystem } from './local-system.ts';
import type { Books } from './reconcile.ts';

export async function readBooks(system: LocalSystem): Promise<Books> {
  const auditor = await clientFor(system, AUDITOR);
  const transfers: TransferResource[] = [];
  try {
    const accounts = await auditor.accounts();
    for (const { short, lei } of BANKS) {
      const bank = await clientFor(system, short);
      // A transfer is listed for both of its banks; it belongs to its debtor.
      for await (const transfer of bank.allTransfers()) if (transfer.debtor === lei) transfers.push(transfer);
      bank.close();
    }
    return { accounts, transfers, locks: await readLocks(system) };
  } finally {
    auditor.close();
  }
}

export type Statement = Readonly<{ participant: string; asset: string; lines: readonly StatementLineResource[] }>;

/** Every line of every account, as the auditor sees them. */
export async function readStatements(system: LocalSystem, accounts: Books['accounts']): Promise<Statement[]> {
  const auditor = await clientFor(system, AUDITOR);
  try {
    const statements: Statement[] = [];
    for (const { participant, asset } of accounts) {
      const lines: StatementLineResource[] = [];
      for (let after: number | undefined = 0; after !== undefined; ) {
        const page = await auditor.statement(asset, { participant, after });
        lines.push(...page.lines);
        after = page.next;
      }
      statements.push({ participant, asset, lines });
    }
    return statements;
  } finally {
    auditor.close();
  }
}

/** Every lock that fitted nothing, whatever became of it since. */
export async function readLocks(system: LocalSystem): Promise<LockResource[]> {
  const operator = await clientFor(system, OPERATOR);
  try {
    const locks: LockResource[] = [];
    for (let after: string | undefined; ; ) {
      const page = await operator.locks(after === undefined ? {} : { after });
      locks.push(...page.locks);
      if (page.next === undefined) return locks;
      after = page.next;
    }
  } finally {
    operator.close();
  }
}
