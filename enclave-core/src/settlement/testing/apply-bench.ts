/**
 * How fast one thread takes batched core payments: encoding an entry, decoding it, applying it. Clock comes in from
 * outside; run it from `test/bench` or by hand. Commands are made outside of what is timed.
 */
import { decodeEntry, encodeEntry } from '../codec.ts';
import type { Command, Entry } from '../command.ts';
import { Draft } from '../draft.ts';
import { BANK_A, BANK_B, EUR, transferId, World } from './world.ts';

/** µs for each payment, and what the spent ids take. */
export type ApplyRate = Readonly<{
  payments: number;
  encodeUs: number;
  decodeUs: number;
  applyUs: number;
  perSecond: number;
  spentBytesPerId: number;
}>;

const ENTRIES_PER_DRAFT = 4;

/** @param nowMs a clock in ms with fractions. */
export function measureApply(payments: number, perEntry: number, nowMs: () => number): ApplyRate {
  const world = new World();
  for (const bank of [BANK_A, BANK_B]) world.deposit(bank, 400_000n);
  let n = 1_000;
  const entry = (): Entry => ({
    version: 1,
    stampMs: world.nowMs,
    clockProtected: false,
    commands: Array.from({ length: perEntry }, (): Command => {
      n += 1;
      const [debtor, creditor] = n % 2 === 0 ? [BANK_A, BANK_B] : [BANK_B, BANK_A];
      const amountMinor = BigInt((n % 50) + 1);
      const terms = { id: transferId(n), asset: EUR, amountMinor, debtor, creditor, onVoid: 'return' } as const;
      return { type: 'submitTransfer', terms };
    }),
  });
  const spentMs = { encode: 0, decode: 0, apply: 0 };
  let applied = 0;
  while (applied < payments) {
    const entries = Array.from({ length: ENTRIES_PER_DRAFT }, entry);
    const start = nowMs();
    const bytes = entries.map(encodeEntry);
    const encoded = nowMs();
    const decoded = bytes.map(decodeEntry);
    const read = nowMs();
    const draft = new Draft(world.state);
    for (const each of decoded) {
      for (const outcome of draft.apply(each).outcomes) if (outcome.ok) applied += 1;
    }
    draft.commit();
    spentMs.encode += encoded - start;
    spentMs.decode += read - encoded;
    spentMs.apply += nowMs() - read;
  }
  const us = (ms: number): number => (ms * 1000) / applied;
  return {
    payments: applied,
    encodeUs: us(spentMs.encode),
    decodeUs: us(spentMs.decode),
    applyUs: us(spentMs.apply),
    perSecond: (applied / (spentMs.encode + spentMs.decode + spentMs.apply)) * 1000,
    spentBytesPerId: world.state.spent.tableBytes / world.state.spent.size,
  };
}
