/**
 * Segments: the files of the log. Each is written full of zeros before use, so that appending changes no metadata and
 * what was never written can be told from what was. Sector 0 is the head, written before the file gets its name;
 * sector 1 the seal, written when the next segment exists; then frames.
 * Both end with MARKER, so one that was not written to its end is seen. A dropped segment is not used again: its old frames
 * would have to be told from a torn write, and the zeros cost little (11 ms of CPU per 16 MiB, off the main thread).
 * Head: magic 8 bytes, format u32, zero u32, number u64, length u64, log id 16 bytes, sequence of the first frame u64,
 * digest of the frame before it 16 bytes, next index u64, then present u8 and hard state; hash 16 bytes at 480.
 * Seal: magic 8 bytes, number u64, sequence of the next frame u64, digest of the last frame 16 bytes; hash at 480.
 */
import { Buffer } from 'node:buffer';
import { FrameReader, FrameWriter } from '../raft-frames.ts';
import type { HardState } from '../raft-types.ts';
import type { Disk, DiskFile } from './disk.ts';
import { type Chain, chainHash, DIGEST_BYTES, LOG_ID_BYTES, MARKER, SECTOR_BYTES } from './frame.ts';

const HEAD_MAGIC = Buffer.from('DBLOGSEG');
const SEAL_MAGIC = Buffer.from('DBLOGEND');
const FORMAT = 1;
const HASH_AT = 480;
export const SEAL_AT: number = SECTOR_BYTES;
/** Offset of the first frame. */
export const FRAMES_AT: number = 2 * SECTOR_BYTES;
const NAME = /^segment-(\d{12})\.dblog$/;
export const SPARE_NAME = 'spare.tmp';
/**
 * Zeros of one write. The kernel keeps what comes in one write as one piece of its cache (a large folio, ext4 since Linux 6.16),
 * and a later write of a sector dirties the piece: with 1 MiB it costs 123 µs of CPU and counts as 1 MiB, with this 86 µs and 18 KiB.
 */
const ZERO_CHUNK = Buffer.alloc(16 * 1024);

export type SegmentHead = Readonly<{
  number: number;
  bytes: number;
  logId: Buffer;
  chain: Chain;
  /** Index that the first entry of the segment has unless it overwrites. */
  nextIndex: number;
  hardState: HardState | null;
}>;

export function segmentName(number: number): string {
  return `segment-${String(number).padStart(12, '0')}.dblog`;
}

/** Number in the name of a segment, null for other names. */
export function segmentNumber(name: string): number | null {
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

function sealed(logId: Uint8Array, content: Uint8Array): Buffer {
  const sector = Buffer.alloc(SECTOR_BYTES);
  sector.set(content);
  sector[SECTOR_BYTES - 1] = MARKER;
  chainHash(logId, DIGEST_BYTES, sector).copy(sector, HASH_AT);
  return sector;
}

function isSealed(logId: Uint8Array, sector: Buffer): boolean {
  const copy = Buffer.from(sector);
  copy.fill(0, HASH_AT, HASH_AT + DIGEST_BYTES);
  return sealed(logId, copy).equals(sector);
}

export function encodeHead(head: SegmentHead): Buffer {
  const frame = new FrameWriter().start().raw(HEAD_MAGIC).u32(FORMAT).u32(0).u64(head.number).u64(head.bytes);
  frame.raw(head.logId).u64(head.chain.sequence).raw(head.chain.digest).u64(head.nextIndex);
  frame.u8(head.hardState ? 1 : 0).hardState(head.hardState ?? { term: 0, vote: 0, commit: 0 });
  return sealed(head.logId, frame.finish());
}

/** Null when the sector is not what `encodeHead` made. */
export function decodeHead(sector: Buffer): SegmentHead | null {
  if (sector.length < SECTOR_BYTES || !sector.subarray(0, 8).equals(HEAD_MAGIC) || sector.readUInt32LE(8) !== FORMAT) {
    return null;
  }
  const logId = Buffer.from(sector.subarray(32, 32 + LOG_ID_BYTES));
  if (!isSealed(logId, sector)) return null;
  const reader = new FrameReader(sector.subarray(16));
  const [number, bytes] = [reader.u64(), reader.u64()];
  const rest = new FrameReader(sector.subarray(32 + LOG_ID_BYTES));
  const sequence = rest.u64();
  const digest = Buffer.from(sector.subarray(56, 56 + DIGEST_BYTES));
  const tail = new FrameReader(sector.subarray(56 + DIGEST_BYTES));
  const nextIndex = tail.u64();
  const hardState = tail.u8() === 0 ? null : tail.hardState();
  return { number, bytes, logId, chain: { sequence, digest }, nextIndex, hardState };
}

export function encodeSeal(head: SegmentHead, chain: Chain): Buffer {
  const frame = new FrameWriter().start().raw(SEAL_MAGIC).u64(head.number).u64(chain.sequence).raw(chain.digest);
  return sealed(head.logId, frame.finish());
}

/** `open`: never sealed, or the write of the seal never ended. */
export function readSeal(head: SegmentHead, sector: Buffer): Chain | 'open' | 'damaged' {
  if (sector[SECTOR_BYTES - 1] === 0) return 'open';
  if (!sector.subarray(0, 8).equals(SEAL_MAGIC) || !isSealed(head.logId, sector)) return 'damaged';
  const reader = new FrameReader(sector.subarray(8));
  if (reader.u64() !== head.number) return 'damaged';
  return { sequence: reader.u64(), digest: Buffer.from(sector.subarray(24, 24 + DIGEST_BYTES)) };
}

/** Writes a file full of zeros and makes it durable. A file of that name is replaced. */
export async function preallocate(disk: Disk, path: string, bytes: number): Promise<void> {
  await removeIfPresent(disk, path);
  const file = await disk.open(path, 'create');
  try {
    for (let at = 0; at < bytes; at += ZERO_CHUNK.length) {
      await file.write(ZERO_CHUNK.subarray(0, Math.min(ZERO_CHUNK.length, bytes - at)), at);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

export async function removeIfPresent(disk: Disk, path: string): Promise<void> {
  try {
    await disk.remove(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Gives the spare file its head, then its name, and opens it for appending. From then on the segment exists. */
export async function nameSegment(disk: Disk, directory: string, head: SegmentHead): Promise<DiskFile> {
  const spare = `${directory}/${SPARE_NAME}`;
  const path = `${directory}/${segmentName(head.number)}`;
  const file = await disk.open(spare, 'durable');
  try {
    await file.write(encodeHead(head), 0);
    await disk.rename(spare, path);
    await disk.syncDirectory(directory);
  } catch (error) {
    await file.close();
    throw error;
  }
  return file;
}
