/**
 * Chunk files: the ledger in pieces. `ledger_<first>-<last>.committed` is closed and never changes; `ledger_<first>` still
 * grows. Header, big-endian: magic `DBLEDGER` ‖ u32 format = 1 ‖ 32 service id ‖ u64 first seqno ‖ u8 number of peaks ‖ peaks;
 * then records. The peaks are the frontier of the tree of `first` leaves (0 … first − 1), largest first, so that a chunk can be
 * checked and gone on from alone.
 */
import { type Bytes32, fromHex, toBytes32 } from '../bytes32.ts';
import { DIGEST_BYTES } from './hash.ts';
import { refuseLedger } from './ledger-fields.ts';
import { readU64, writeU64 } from './ledger-record.ts';

/** From this size on a chunk is closed at the next signature. */
export const CHUNK_BYTES: number = 4 * 2 ** 20;
export const CHUNK_FORMAT = 1;

export type ChunkHeader = Readonly<{
  serviceId: Bytes32;
  /** Seqno of the first record, and the number of leaves under the peaks. */
  first: number;
  /** Roots of the perfect trees that `first` leaves make, largest (leftmost) first: one for each set bit of `first`. */
  peaks: readonly Uint8Array[];
}>;

const MAGIC = Uint8Array.from('DBLEDGER', (char) => char.charCodeAt(0));
const SERVICE_AT = MAGIC.length + 4;
const FIRST_AT = SERVICE_AT + 32;
const PEAKS_AT = FIRST_AT + 8 + 1;
/** A seqno has at most 53 bits. */
export const MAX_CHUNK_HEADER_BYTES: number = PEAKS_AT + 53 * DIGEST_BYTES;

/** @throws ProtocolError `LEDGER_INVALID` where the peaks are not as many as `first` has set bits */
export function encodeChunkHeader({ serviceId, first, peaks }: ChunkHeader): Uint8Array {
  demandPeaks(first, peaks.length);
  const bytes = new Uint8Array(PEAKS_AT + peaks.length * DIGEST_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC, 0);
  view.setUint32(MAGIC.length, CHUNK_FORMAT);
  bytes.set(fromHex(serviceId), SERVICE_AT);
  writeU64(view, FIRST_AT, first);
  bytes[PEAKS_AT - 1] = peaks.length;
  for (const [index, peak] of peaks.entries()) {
    if (peak.length !== DIGEST_BYTES) refuseLedger(`peaks must have ${DIGEST_BYTES} bytes`);
    bytes.set(peak, PEAKS_AT + index * DIGEST_BYTES);
  }
  return bytes;
}

/**
 * `next`: where the first record begins. `torn`: the bytes end before the header does.
 * @throws ProtocolError `LEDGER_INVALID` where it is no header of this format
 */
export function decodeChunkHeader(bytes: Uint8Array): Readonly<{ header: ChunkHeader; next: number }> | 'torn' {
  const present = Math.min(MAGIC.length, bytes.length);
  for (let i = 0; i < present; i++) if (bytes[i] !== MAGIC[i]) refuseLedger('file is no chunk of a ledger');
  if (bytes.length < PEAKS_AT) return 'torn';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const format = view.getUint32(MAGIC.length);
  if (format !== CHUNK_FORMAT) refuseLedger(`chunk has unknown format ${format}`);
  const first = readU64(view, FIRST_AT, 'first seqno');
  const count = bytes[PEAKS_AT - 1] ?? 0;
  demandPeaks(first, count);
  const next = PEAKS_AT + count * DIGEST_BYTES;
  if (bytes.length < next) return 'torn';
  const peaks = Array.from({ length: count }, (_, index) => {
    const at = PEAKS_AT + index * DIGEST_BYTES;
    return bytes.slice(at, at + DIGEST_BYTES);
  });
  return { header: { serviceId: toBytes32(bytes.slice(SERVICE_AT, FIRST_AT)), first, peaks }, next };
}

function demandPeaks(first: number, peaks: number): void {
  if (!Number.isSafeInteger(first) || first < 1) refuseLedger('first seqno must be a whole number from 1 on');
  let bits = 0;
  for (let rest = first; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2;
  if (peaks !== bits) refuseLedger(`chunk from ${first} on must have ${bits} peaks, it has ${peaks}`);
}

/** `last` undefined: the chunk is open. */
export type ChunkName = Readonly<{ first: number; last?: number }>;

export const chunkName = (first: number, last?: number): string =>
  last === undefined ? `ledger_${first}` : `ledger_${first}-${last}.committed`;

/** Undefined for every other file. */
export function parseChunkName(name: string): ChunkName | undefined {
  const match = /^ledger_([1-9][0-9]{0,15})(?:-([1-9][0-9]{0,15})\.committed)?$/.exec(name);
  if (!match) return undefined;
  const first = Number(match[1]);
  if (!Number.isSafeInteger(first)) return undefined;
  if (match[2] === undefined) return { first };
  const last = Number(match[2]);
  return Number.isSafeInteger(last) && last >= first ? { first, last } : undefined;
}
