/**
 * The data of a Raft entry that is none of raft's own: `u8 format = 1 ‖ u8 kind ‖ payload`. Entries without data are raft's
 * (`empty`), configuration changes keep the bytes that raft gave them (`members`).
 */
import { refuseLedger } from './ledger-fields.ts';
import { ENTRY_FORMAT, type LedgerKind, ledgerKind } from './ledger-kind.ts';

/** Kinds whose data has a head. */
export type FramedKind = 'settlement' | 'governance' | 'service' | 'signature';

const HEAD_BYTES = 2;
const KINDS: ReadonlyMap<number, FramedKind> = new Map(
  (['settlement', 'governance', 'service', 'signature'] as const).map((kind) => [ledgerKind[kind], kind]),
);

export function frameEntry(kind: FramedKind, payload: Uint8Array): Uint8Array {
  const data = new Uint8Array(HEAD_BYTES + payload.length);
  data[0] = ENTRY_FORMAT;
  data[1] = ledgerKind[kind];
  data.set(payload, HEAD_BYTES);
  return data;
}

/** `payload` is a view of `data`. @throws ProtocolError `LEDGER_INVALID` */
export function readEntryFrame(data: Uint8Array): Readonly<{ kind: FramedKind; payload: Uint8Array }> {
  if (data[0] !== ENTRY_FORMAT) return refuseLedger('entry has an unknown format');
  const kind = KINDS.get(data[1] ?? 0);
  if (kind === undefined) return refuseLedger('entry has an unknown kind');
  return { kind, payload: data.subarray(HEAD_BYTES) };
}

/** Whether `data` is what an entry of this kind may hold. Not more than its head is looked at. */
export function fitsKind(kind: LedgerKind, data: Uint8Array): boolean {
  if (kind === 'empty') return data.length === 0;
  // Raft leaves a joint configuration by a change without content, so `members` may be empty, too.
  if (kind === 'members') return true;
  if (kind === 'genesis') return data.length > 0;
  return data.length > HEAD_BYTES && data[0] === ENTRY_FORMAT && data[1] === ledgerKind[kind];
}
