/** What a history says of itself, sealed among its blocks: how far it goes, and with which states it went so far. */
import type { KeyRing } from '../keys/key-ring.ts';

/** All up to this entry is of the state with this digest, hex. */
export type Vouched = Readonly<{ seqno: number; digest: string }>;
/** As stored: the newest block, the newest one whose transfers are in the stored index, and how often that was stored. */
export type HistoryMeta = Readonly<{
  format: number;
  seqno: number;
  indexed: number;
  stores: number;
  vouched?: readonly Vouched[];
}>;

/** Of everything in the store. Another number means that the store is made again from the ledger. */
export const HISTORY_FORMAT = 1;
const EMPTY: HistoryMeta = { format: HISTORY_FORMAT, seqno: 0, indexed: 0, stores: 0 };
/** Of the newest snapshots: as many as there may be on the disk, and one that is not kept yet. */
const VOUCHED_KEPT = 3;
const PLACE: Uint8Array = Buffer.from('meta');

export const sealMeta = (keys: KeyRing, meta: HistoryMeta): Uint8Array =>
  keys.seal('history', Buffer.from(JSON.stringify(meta)), PLACE);

/** @param sealed nothing in a store that is new. @throws SealBrokenError */
export function openMeta(keys: KeyRing, sealed: Uint8Array | undefined): HistoryMeta {
  if (!sealed) return EMPTY;
  const meta = JSON.parse(Buffer.from(keys.open('history', sealed, PLACE)).toString()) as HistoryMeta;
  // Of another format nothing is known but that.
  return meta.format === HISTORY_FORMAT ? meta : { ...EMPTY, format: meta.format };
}

/** With one more, and without the oldest of too many. */
export const withVouched = (vouched: readonly Vouched[], seqno: number, digest: Uint8Array): readonly Vouched[] =>
  [...vouched, { seqno, digest: hexOf(digest) }].slice(-VOUCHED_KEPT);

export const isVouched = (vouched: readonly Vouched[], seqno: number, digest: Uint8Array): boolean =>
  vouched.some((each) => each.seqno === seqno && each.digest === hexOf(digest));

const hexOf = (digest: Uint8Array): string => Buffer.from(digest).toString('hex');
