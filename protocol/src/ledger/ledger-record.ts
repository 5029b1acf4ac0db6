/**
 * One entry in a chunk file. All numbers big-endian:
 * `u32 n ‖ body(n)`, body = `u8 version = 1 ‖ u8 kind ‖ u64 view ‖ u64 seqno ‖ u32 epoch ‖ 32 commitEvidenceDigest ‖
 * 32 claimsDigest ‖ data`. `data` is the Raft entry's, byte for byte; of the genesis record it is CBOR.
 */
import { fitsKind } from './entry-frame.ts';
import { DIGEST_BYTES, type Sha256 } from './hash.ts';
import { refuseLedger } from './ledger-fields.ts';
import { type LedgerKind, ledgerKind } from './ledger-kind.ts';

export type { Sha256 } from './hash.ts';

export type LedgerRecord = Readonly<{
  kind: LedgerKind;
  view: number;
  seqno: number;
  /** Of the ledger secret that sealed `data` and made the commit evidence. */
  epoch: number;
  commitEvidenceDigest: Uint8Array;
  /** Zero bytes where the entry has no claims. */
  claimsDigest: Uint8Array;
  data: Uint8Array;
}>;

export const RECORD_VERSION = 1;
/** Bytes of the length in front of a body. */
export const RECORD_LENGTH_BYTES = 4;
/** What a body has before its two digests. */
const HEAD_BYTES = 1 + 1 + 8 + 8 + 4;
/** Smallest body, of an entry without data. */
export const MIN_RECORD_BODY_BYTES: number = HEAD_BYTES + 2 * DIGEST_BYTES;
/** Largest body; the largest that there can be holds a genesis. */
export const MAX_RECORD_BODY_BYTES: number = 32 * 2 ** 20;

const KINDS: readonly (LedgerKind | undefined)[] = Object.entries(ledgerKind).reduce<LedgerKind[]>(
  (kinds, [name, number]) => {
    kinds[number] = name as LedgerKind;
    return kinds;
  },
  [],
);

/** Bytes of the whole record, its length included. */
export const recordBytes = (record: Pick<LedgerRecord, 'data'>): number =>
  RECORD_LENGTH_BYTES + MIN_RECORD_BODY_BYTES + record.data.length;

/** @throws ProtocolError `LEDGER_INVALID` for what could not be read back */
export function encodeRecord(record: LedgerRecord): Uint8Array {
  const bytes = new Uint8Array(recordBytes(record));
  writeRecord(bytes, 0, record);
  return bytes;
}

/**
 * `encodeRecord` into room that is there already, for who writes many of them.
 * @returns the offset behind the record
 * @throws ProtocolError `LEDGER_INVALID` for what could not be read back
 */
export function writeRecord(target: Uint8Array, offset: number, record: LedgerRecord): number {
  demandFields(record);
  writeU32(target, offset, recordBytes(record) - RECORD_LENGTH_BYTES);
  const afterHead = writeHead(target, offset + RECORD_LENGTH_BYTES, record);
  target.set(record.commitEvidenceDigest, afterHead);
  target.set(record.claimsDigest, afterHead + DIGEST_BYTES);
  target.set(record.data, afterHead + 2 * DIGEST_BYTES);
  return afterHead + 2 * DIGEST_BYTES + record.data.length;
}

export type DecodedRecord = Readonly<{
  /** Its digests and data are views of the bytes given. */
  record: LedgerRecord;
  /** Where the next record begins. */
  next: number;
}>;

/**
 * Reads the record at `offset`. `torn`: the bytes end before it does.
 * @throws ProtocolError `LEDGER_INVALID` where it is no record, however many bytes might follow
 */
export function decodeRecord(bytes: Uint8Array, offset: number): DecodedRecord | 'torn' {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length - offset < RECORD_LENGTH_BYTES) return 'torn';
  const length = view.getUint32(offset);
  if (length < MIN_RECORD_BODY_BYTES || length > MAX_RECORD_BODY_BYTES) {
    return refuseLedger(
      `record must have ${MIN_RECORD_BODY_BYTES} to ${MAX_RECORD_BODY_BYTES} bytes, its length says ${length}`,
    );
  }
  const start = offset + RECORD_LENGTH_BYTES;
  const next = start + length;
  if (next > bytes.length) return 'torn';
  if (bytes[start] !== RECORD_VERSION) return refuseLedger(`record has unknown version ${bytes[start]}`);
  const kind = KINDS[bytes[start + 1] ?? -1];
  if (kind === undefined) return refuseLedger(`record has unknown kind ${bytes[start + 1]}`);
  const digests = start + HEAD_BYTES;
  const record: LedgerRecord = {
    kind,
    view: readU64(view, start + 2, 'view'),
    seqno: readU64(view, start + 10, 'seqno'),
    epoch: view.getUint32(start + 18),
    commitEvidenceDigest: bytes.subarray(digests, digests + DIGEST_BYTES),
    claimsDigest: bytes.subarray(digests + DIGEST_BYTES, digests + 2 * DIGEST_BYTES),
    data: bytes.subarray(digests + 2 * DIGEST_BYTES, next),
  };
  demandFields(record);
  return { record, next };
}

type WriteSet = Omit<LedgerRecord, 'commitEvidenceDigest' | 'claimsDigest'>;

/** SHA-256 of the body without its two digests. */
export function writeSetDigest(record: WriteSet, sha256: Sha256): Uint8Array {
  const bytes = new Uint8Array(writeSetBytes(record));
  writeWriteSet(bytes, 0, record);
  return sha256(bytes);
}

export const writeSetBytes = (record: Pick<LedgerRecord, 'data'>): number => HEAD_BYTES + record.data.length;

/** What `writeSetDigest` is the digest of, into room that is there already. */
export function writeWriteSet(target: Uint8Array, offset: number, record: WriteSet): void {
  target.set(record.data, writeHead(target, offset, record));
}

/** SHA-256(writeSetDigest ‖ commitEvidenceDigest ‖ claimsDigest): leaf `seqno` of the tree. */
export function leafOf(record: LedgerRecord, sha256: Sha256): Uint8Array {
  return leafOfDigests(
    {
      writeSetDigest: writeSetDigest(record, sha256),
      commitEvidenceDigest: record.commitEvidenceDigest,
      claimsDigest: record.claimsDigest,
    },
    sha256,
  );
}

export type LeafDigests = Readonly<{
  writeSetDigest: Uint8Array;
  commitEvidenceDigest: Uint8Array;
  claimsDigest: Uint8Array;
}>;

export function leafOfDigests(digests: LeafDigests, sha256: Sha256): Uint8Array {
  const bytes = new Uint8Array(3 * DIGEST_BYTES);
  bytes.set(digests.writeSetDigest, 0);
  bytes.set(digests.commitEvidenceDigest, DIGEST_BYTES);
  bytes.set(digests.claimsDigest, 2 * DIGEST_BYTES);
  return sha256(bytes);
}

type Head = Pick<LedgerRecord, 'kind' | 'view' | 'seqno' | 'epoch'>;

/** @returns the offset behind it */
function writeHead(bytes: Uint8Array, offset: number, { kind, view, seqno, epoch }: Head): number {
  bytes[offset] = RECORD_VERSION;
  bytes[offset + 1] = ledgerKind[kind];
  writeU32(bytes, offset + 2, Math.floor(view / WORD));
  writeU32(bytes, offset + 6, view % WORD);
  writeU32(bytes, offset + 10, Math.floor(seqno / WORD));
  writeU32(bytes, offset + 14, seqno % WORD);
  writeU32(bytes, offset + 18, epoch);
  return offset + HEAD_BYTES;
}

/** Byte by byte: a view over memory costs more to make than it saves. */
function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}

const isPositive = (value: number): boolean => Number.isSafeInteger(value) && value >= 1;

function demandFields(record: LedgerRecord): void {
  const { kind, view, seqno, epoch, data } = record;
  if (!isPositive(view)) refuseLedger('view must be a whole number from 1 on');
  if (!isPositive(seqno)) refuseLedger('seqno must be a whole number from 1 on');
  if (!Number.isSafeInteger(epoch) || epoch < 0 || epoch > 0xffff_ffff) refuseLedger('epoch must fit 32 bits');
  if (record.commitEvidenceDigest.length !== DIGEST_BYTES || record.claimsDigest.length !== DIGEST_BYTES) {
    refuseLedger(`digests must have ${DIGEST_BYTES} bytes`);
  }
  if (MIN_RECORD_BODY_BYTES + data.length > MAX_RECORD_BODY_BYTES) refuseLedger('record has too much data');
  if ((kind === 'genesis') !== (seqno === 1)) refuseLedger('genesis stands at seqno 1, and nothing else does');
  if (!fitsKind(kind, data)) refuseLedger(`data of record ${seqno} is not that of kind ${kind}`);
}

const WORD = 2 ** 32;

export function writeU64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, Math.floor(value / WORD));
  view.setUint32(offset + 4, value % WORD);
}

/** @throws ProtocolError `LEDGER_INVALID` above 2⁵³ − 1 */
export function readU64(view: DataView, offset: number, what: string): number {
  const value = view.getUint32(offset) * WORD + view.getUint32(offset + 4);
  return Number.isSafeInteger(value) ? value : refuseLedger(`${what} must be below 2^53`);
}
