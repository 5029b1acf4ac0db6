/** Reads chunk files piece by piece. Nothing here decides what to do about what is wrong with them. */
import type { Buffer } from 'node:buffer';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { type ChunkHeader, decodeChunkHeader, MAX_CHUNK_HEADER_BYTES } from '@drawbridge/protocol/ledger/chunk';
import { decodeRecord, type LedgerRecord, RECORD_LENGTH_BYTES } from '@drawbridge/protocol/ledger/ledger-record';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import type { DiskFile } from '../consensus/log/disk.ts';

/** Bytes that are read at a time; a longer record is read alone. */
export const PIECE_BYTES: number = 1024 * 1024;

/** `bytes` is the encoded record; record and bytes are views of what was read. */
export type StoredRecord = Readonly<{ record: LedgerRecord; bytes: Uint8Array; offset: number; next: number }>;

/** Why no further record was read: the bytes ended, or at `offset` there is something else. */
export type ScanEnd = Readonly<{ offset: number; reason: string | null }>;

/** Of the magic, with which a header begins. */
const MAGIC_BYTES = 8;

export type ReadHeader = Readonly<{ header: ChunkHeader; bytes: number }>;

/**
 * Why a file does not begin with the header that it should. `foreign`: it is a whole one, of another service or chunk.
 * `blank`: nothing of it, or not all of it, was ever written.
 */
export type BadHeader = Readonly<{ reason: string; foreign: boolean; blank: boolean }>;

export async function readHeader(
  file: DiskFile,
  expected: Readonly<{ serviceId: Bytes32; first: number }>,
): Promise<ReadHeader | BadHeader> {
  const start = await file.read(0, MAX_CHUNK_HEADER_BYTES);
  const blank = start.subarray(0, MAGIC_BYTES).every((byte) => byte === 0);
  const bad = (reason: string, foreign = false): BadHeader => ({ reason, foreign, blank });
  try {
    const read = decodeChunkHeader(start);
    if (read === 'torn') return { ...bad('the header of the chunk is incomplete'), blank: true };
    const { header, next } = read;
    if (header.serviceId !== expected.serviceId) return bad('the chunk belongs to another service', true);
    if (header.first !== expected.first) return bad('the header is that of another chunk', true);
    return { header, bytes: next };
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return bad(`the header of the chunk is damaged: ${error.message}`);
  }
}

/**
 * Records from `offset` up to `end`, a piece at a time, as long as each has the seqno that comes next. Returns where and why it
 * ended: `reason` null when exactly at `end`.
 */
export async function* scanRecords(
  file: DiskFile,
  start: Readonly<{ offset: number; end: number; seqno: number }>,
): AsyncGenerator<readonly StoredRecord[], ScanEnd, undefined> {
  const { end } = start;
  let { offset, seqno } = start;
  let length = PIECE_BYTES;
  while (offset < end) {
    const wanted = Math.min(length, end - offset);
    const piece = await file.read(offset, wanted);
    const { records, consumed, stop } = decodePiece(piece, offset, seqno);
    if (records.length > 0) yield records;
    const isLast = piece.length < wanted || offset + wanted === end;
    offset += consumed;
    seqno += records.length;
    if (stop !== null && stop !== TORN) return { offset, reason: stop };
    if (isLast && (stop === TORN || offset < end)) return { offset, reason: INCOMPLETE };
    length = stop === TORN ? Math.max(PIECE_BYTES, recordLength(piece, consumed)) : PIECE_BYTES;
  }
  return { offset, reason: null };
}

/** Reason of a scan whose bytes end within a record. */
export const INCOMPLETE = 'the record is incomplete';

const TORN = 'torn';

/** Bytes of the record at an offset, as its length says; 0 where not even that is there. */
function recordLength(piece: Buffer, at: number): number {
  return piece.length - at < RECORD_LENGTH_BYTES ? 0 : RECORD_LENGTH_BYTES + piece.readUInt32BE(at);
}

function decodePiece(
  piece: Buffer,
  offset: number,
  firstSeqno: number,
): Readonly<{ records: StoredRecord[]; consumed: number; stop: string | null }> {
  const records: StoredRecord[] = [];
  let at = 0;
  while (at < piece.length) {
    const read = tryDecode(piece, at);
    if (typeof read === 'string') return { records, consumed: at, stop: read };
    const { record, next } = read;
    const seqno = firstSeqno + records.length;
    if (record.seqno !== seqno) {
      return { records, consumed: at, stop: `a record of seqno ${record.seqno} stands where ${seqno} belongs` };
    }
    records.push({ record, bytes: piece.subarray(at, next), offset: offset + at, next: offset + next });
    at = next;
  }
  return { records, consumed: at, stop: null };
}

/** `torn`, or another reason why it is none. */
export function tryDecode(bytes: Uint8Array, at: number): Readonly<{ record: LedgerRecord; next: number }> | string {
  try {
    return decodeRecord(bytes, at);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return error.message;
  }
}
