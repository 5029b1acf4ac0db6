/**
 * Frames of the log: one group commit each, in whole 512-byte sectors, each bound to the frame before it.
 *
 * A segment is full of zeros before frames are written, and the last byte of every sector of a frame is MARKER.
 * So a sector that is all zero was never written, and a frame whose last byte is zero was not written to its end:
 * that is how a torn write is told from rot. First sector: magic u32, sectors u32, sequence u64, payload bytes u32,
 * zero u32, digest of the previous frame 16 bytes, check 8 bytes (hash of the log's id and what stands before),
 * digest 16 bytes (hash of the log's id and the whole frame, this field as zeros), then payload.
 */
import { Buffer } from 'node:buffer';
import { createHash, hash } from 'node:crypto';

export const SECTOR_BYTES = 512;
export const DIGEST_BYTES = 16;
export const LOG_ID_BYTES = 16;
/** Never zero; no change of fewer than four bits makes it zero. */
export const MARKER = 0xa5;
const MAGIC = 0x31464244;
const CHECK_AT = 40;
const CHECK_BYTES = 8;
const DIGEST_AT = 48;
const PAYLOAD_AT = 64;
const FIRST_CAPACITY = SECTOR_BYTES - 1 - PAYLOAD_AT;
const CAPACITY = SECTOR_BYTES - 1;
const TWO_32 = 2 ** 32;

/** Where the chain of frames stands: `sequence` of the next frame, `digest` of the last one. */
export type Chain = Readonly<{ sequence: number; digest: Buffer }>;

export const CHAIN_START: Chain = { sequence: 1, digest: Buffer.alloc(DIGEST_BYTES) };

/** Bytes on disk of a frame with so much payload. */
export function frameBytes(payloadBytes: number): number {
  const more = Math.max(0, payloadBytes - FIRST_CAPACITY);
  return SECTOR_BYTES * (1 + Math.ceil(more / CAPACITY));
}

/** First bytes of SHA-256 over the log's id and the parts. */
export function chainHash(logId: Uint8Array, bytes: number, ...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256').update(logId);
  for (const part of parts) hash.update(part);
  return hash.digest().subarray(0, bytes);
}

/** Makes frames in a buffer of its own: what it gives is valid until the next one. */
export class FrameEncoder {
  readonly #logId: Uint8Array;
  /** The log's id, which every hash begins with, and a frame. */
  #buffer: Buffer = Buffer.alloc(0);

  constructor(logId: Uint8Array) {
    this.#logId = logId;
  }

  encode(chain: Chain, payload: Uint8Array): { frame: Buffer; chain: Chain } {
    const frame = this.#room(frameBytes(payload.length));
    frame.fill(0, 0, PAYLOAD_AT);
    frame.writeUInt32LE(MAGIC, 0);
    frame.writeUInt32LE(frame.length / SECTOR_BYTES, 4);
    frame.writeUInt32LE(chain.sequence % TWO_32, 8);
    frame.writeUInt32LE(Math.floor(chain.sequence / TWO_32), 12);
    frame.writeUInt32LE(payload.length, 16);
    frame.set(chain.digest, 24);
    frame.set(this.#hash(CHECK_AT).subarray(0, CHECK_BYTES), CHECK_AT);
    let end = PAYLOAD_AT;
    for (const { from, to, at } of spread(payload.length)) {
      frame.set(payload.subarray(from, to), at);
      end = at + to - from;
    }
    frame.fill(0, end);
    for (let last = SECTOR_BYTES - 1; last < frame.length; last += SECTOR_BYTES) frame[last] = MARKER;
    const digest = this.#hash(frame.length).subarray(0, DIGEST_BYTES);
    frame.set(digest, DIGEST_AT);
    return { frame, chain: { sequence: chain.sequence + 1, digest } };
  }

  #room(bytes: number): Buffer {
    if (this.#buffer.length < LOG_ID_BYTES + bytes) {
      this.#buffer = Buffer.allocUnsafeSlow(LOG_ID_BYTES + bytes);
      this.#buffer.set(this.#logId);
    }
    return this.#buffer.subarray(LOG_ID_BYTES, LOG_ID_BYTES + bytes);
  }

  /** `chainHash` of the log's id and the first bytes of the frame, in one piece. */
  #hash(bytes: number): Buffer {
    return hash('sha256', this.#buffer.subarray(0, LOG_ID_BYTES + bytes), 'buffer');
  }
}

/** Which part of the payload stands where in the frame. */
function* spread(payloadBytes: number): Generator<{ from: number; to: number; at: number }> {
  let from = 0;
  let at = PAYLOAD_AT;
  while (from < payloadBytes) {
    const room = CAPACITY - (at % SECTOR_BYTES);
    const to = Math.min(payloadBytes, from + room);
    yield { from, to, at };
    at += room + 1;
    from = to;
  }
}

type Header = Readonly<{ bytes: number; sequence: number; payloadBytes: number; previous: Buffer }>;

function headerAt(segment: Buffer, offset: number, logId: Uint8Array): Header | null {
  const sector = segment.subarray(offset, offset + SECTOR_BYTES);
  if (sector.length < SECTOR_BYTES || sector.readUInt32LE(0) !== MAGIC) return null;
  const check = chainHash(logId, CHECK_BYTES, sector.subarray(0, CHECK_AT));
  if (!check.equals(sector.subarray(CHECK_AT, CHECK_AT + CHECK_BYTES))) return null;
  return {
    bytes: sector.readUInt32LE(4) * SECTOR_BYTES,
    sequence: sector.readUInt32LE(8) + sector.readUInt32LE(12) * TWO_32,
    payloadBytes: sector.readUInt32LE(16),
    previous: sector.subarray(24, 24 + DIGEST_BYTES),
  };
}

/**
 * `end`: only zeros follow. `torn`: a write that never ended, the last thing in the segment, up to offset `until`;
 * nothing of it can have been acknowledged. `damaged`: anything else.
 */
export type FrameRead =
  | Readonly<{ kind: 'frame'; payload: Buffer; next: number; chain: Chain }>
  | Readonly<{ kind: 'end' }>
  | Readonly<{ kind: 'torn'; until: number }>
  | Readonly<{ kind: 'damaged'; offset: number; reason: string }>;

export function readFrame(segment: Buffer, offset: number, logId: Uint8Array, chain: Chain): FrameRead {
  if (offset >= segment.length) return { kind: 'end' };
  const damaged = (reason: string, at: number = offset): FrameRead => ({ kind: 'damaged', offset: at, reason });
  if (segment[offset + SECTOR_BYTES - 1] === 0) return readUnwritten(segment, offset, logId, chain);
  const header = headerAt(segment, offset, logId);
  if (!header) return damaged('the head of a frame is not what was written');
  if (header.sequence !== chain.sequence) {
    return damaged(`frame ${header.sequence} stands where frame ${chain.sequence} belongs`);
  }
  if (!header.previous.equals(chain.digest)) return damaged('a frame does not continue the one before it');
  const end = offset + header.bytes;
  if (end > segment.length || header.bytes !== frameBytes(header.payloadBytes))
    return damaged('a frame has a wrong length');
  const frame = Buffer.from(segment.subarray(offset, end));
  const digest = Buffer.from(frame.subarray(DIGEST_AT, DIGEST_AT + DIGEST_BYTES));
  frame.fill(0, DIGEST_AT, DIGEST_AT + DIGEST_BYTES);
  if (!chainHash(logId, DIGEST_BYTES, frame).equals(digest)) {
    const following = lastWrittenByte(segment, end);
    if (!hasUnwrittenSector(frame) && frame[frame.length - 1] !== 0) return damaged('a frame is not what was written');
    if (following >= end) return damaged('a frame is incomplete, and something was written after it');
    return { kind: 'torn', until: end };
  }
  return {
    kind: 'frame',
    payload: payloadOf(frame, header.payloadBytes),
    next: end,
    chain: { sequence: chain.sequence + 1, digest },
  };
}

/** The first sector here was never written to its end: the end of the log, or a torn write whose later sectors came first. */
function readUnwritten(segment: Buffer, offset: number, logId: Uint8Array, chain: Chain): FrameRead {
  const last = lastWrittenByte(segment, offset);
  if (last < offset) return { kind: 'end' };
  const afterSector = offset + SECTOR_BYTES;
  const sectorIsZero = isZero(segment, offset, afterSector);
  if (!sectorIsZero && last >= afterSector) {
    return { kind: 'damaged', offset, reason: 'the head of a frame is not what was written' };
  }
  for (let at = afterSector; at <= last; at += SECTOR_BYTES) {
    const header = headerAt(segment, at, logId);
    if (header && header.sequence >= chain.sequence) {
      return {
        kind: 'damaged',
        offset,
        reason: `frame ${chain.sequence} is missing, frame ${header.sequence} follows`,
      };
    }
  }
  return { kind: 'torn', until: SECTOR_BYTES * Math.ceil((last + 1) / SECTOR_BYTES) };
}

function payloadOf(frame: Buffer, payloadBytes: number): Buffer {
  const payload = Buffer.allocUnsafe(payloadBytes);
  for (const { from, to, at } of spread(payloadBytes)) frame.copy(payload, from, at, at + to - from);
  return payload;
}

const ZEROS = Buffer.alloc(64 * 1024);

/** True when all bytes of [from, to) are zero. */
export function isZero(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += ZEROS.length) {
    const end = Math.min(to, at + ZEROS.length);
    if (ZEROS.compare(bytes, at, end, 0, end - at) !== 0) return false;
  }
  return true;
}

/** Offset of the last byte from `from` on that is not zero, or -1. */
function lastWrittenByte(bytes: Buffer, from: number): number {
  if (isZero(bytes, from, bytes.length)) return -1;
  let at = bytes.length - 1;
  while (bytes[at] === 0) at -= 1;
  return at;
}

function hasUnwrittenSector(frame: Buffer): boolean {
  for (let at = 0; at < frame.length; at += SECTOR_BYTES) if (isZero(frame, at, at + SECTOR_BYTES)) return true;
  return false;
}
