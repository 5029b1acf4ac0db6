/** Payments from A to B, within the core. */
import { createHash } from 'node:crypto';
import type { TransferId } from '@drawbridge/protocol/ids';
import type { Command, TransferTerms } from '../../settlement/command.ts';
import { BANK_A, BANK_B, EUR } from '../../settlement/testing/world.ts';

/** A UUID that belongs to a name. */
export function paymentId(name: string): TransferId {
  const hex = createHash('sha256').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}` as TransferId;
}

export const payment = (name: string, amountMinor: bigint): TransferTerms => ({
  id: paymentId(name),
  asset: EUR,
  amountMinor,
  debtor: BANK_A,
  creditor: BANK_B,
  onVoid: 'return',
});

export const pay = (name: string, amountMinor: bigint): Command => ({
  type: 'submitTransfer',
  terms: payment(name, amountMinor),
});
