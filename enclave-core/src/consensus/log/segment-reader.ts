/** Reads segments: their heads and seals without their frames, and their frames one by one. */
import type { Buffer } from 'node:buffer';
import type { LogBatch } from '../ports.ts';
import { decodeBatch, type LogPosition } from './batch-payload.ts';
import type { Disk } from './disk.ts';
import { type Chain, readFrame, SECTOR_BYTES } from './frame.ts';
import { LogDamagedError } from './log-errors.ts';
import { readBytes } from './read-bytes.ts';
import { decodeHead, FRAMES_AT, readSeal, SEAL_AT, type SegmentHead, segmentName, segmentNumber } from './segment.ts';

/** `seal` null: the segment is open. */
export type SegmentOutline = Readonly<{ path: string; head: SegmentHead; seal: Chain | null }>;

/**
 * Heads and seals of the segments named, oldest first, checked against each other. Reads 1 KiB of each. The first one may
 * have any number, because old segments are dropped.
 * `growing`: more may have been added since the names were taken.
 * @throws LogDamagedError
 */
export async function outlineSegments(
  disk: Disk,
  directory: string,
  names: readonly string[],
  state: 'at rest' | 'growing' = 'at rest',
): Promise<SegmentOutline[]> {
  const found = names.map(segmentNumber).filter((number) => number !== null);
  const numbers = found.sort((a, b) => a - b);
  const outlines: SegmentOutline[] = [];
  for (const [at, number] of numbers.entries()) {
    const path = `${directory}/${segmentName(number)}`;
    const expected = (numbers[0] ?? 1) + at;
    if (number !== expected) {
      throw new LogDamagedError({
        file: `${directory}/${segmentName(expected)}`,
        offset: 0,
        reason: 'a segment is missing',
      });
    }
    const outline = await outlineSegment(disk, path, number);
    checkSuccession(outlines.at(-1), outline, at === numbers.length - 1);
    outlines.push(outline);
  }
  const last = outlines.at(-1);
  if (last?.seal && state === 'at rest') {
    const file = `${directory}/${segmentName(last.head.number + 1)}`;
    throw new LogDamagedError({ file, offset: 0, reason: 'the last segment is missing' });
  }
  return outlines;
}

async function outlineSegment(disk: Disk, path: string, number: number): Promise<SegmentOutline> {
  const damaged = (offset: number, reason: string): LogDamagedError =>
    new LogDamagedError({ file: path, offset, reason });
  const { bytes: sectors, size } = await readBytes(disk, path, FRAMES_AT);
  const head = decodeHead(sectors.subarray(0, SECTOR_BYTES));
  if (!head || head.number !== number) throw damaged(0, 'the head of the segment is not what was written');
  if (size !== head.bytes) {
    throw damaged(Math.min(size, head.bytes), `the segment has ${size} bytes instead of ${head.bytes}`);
  }
  const seal = readSeal(head, sectors.subarray(SEAL_AT, FRAMES_AT));
  if (seal === 'damaged') throw damaged(SEAL_AT, 'the seal of the segment is not what was written');
  return { path, head, seal: seal === 'open' ? null : seal };
}

function checkSuccession(before: SegmentOutline | undefined, next: SegmentOutline, isLast: boolean): void {
  if (!before) return;
  const { path, head } = next;
  if (!head.logId.equals(before.head.logId)) {
    throw new LogDamagedError({ file: path, offset: 0, reason: 'the segment belongs to another log' });
  }
  if (before.seal && !sameChain(before.seal, head.chain)) {
    throw new LogDamagedError({ file: path, offset: 0, reason: 'the segment does not continue the one before it' });
  }
  if (!before.seal && !isLast) {
    throw new LogDamagedError({ file: before.path, offset: SEAL_AT, reason: 'the seal of the segment is missing' });
  }
}

export function sameChain(a: Chain, b: Chain): boolean {
  return a.sequence === b.sequence && a.digest.equals(b.digest);
}

/** Where the frames of a segment end. `torn`: bytes after `offset`, up to `until`, of a write that never ended. */
export type SegmentEnd = Readonly<{
  offset: number;
  chain: Chain;
  lastFrame: Readonly<{ offset: number; bytes: Buffer }> | null;
  torn: Readonly<{ until: number }> | null;
}>;

/**
 * Gives every batch of a segment to `take`, in order; `bytes` is the segment from offset 0 on.
 * @throws LogDamagedError
 */
export function readFrames(
  segment: Readonly<{ path: string; head: SegmentHead; bytes: Buffer }>,
  position: LogPosition,
  take: (batch: LogBatch) => void,
): SegmentEnd {
  const { path, head, bytes } = segment;
  let chain = head.chain;
  let offset: number = FRAMES_AT;
  let lastFrame: SegmentEnd['lastFrame'] = null;
  for (;;) {
    const read = readFrame(bytes, offset, head.logId, chain);
    if (read.kind === 'damaged') throw new LogDamagedError({ file: path, offset: read.offset, reason: read.reason });
    if (read.kind === 'end') return { offset, chain, lastFrame, torn: null };
    if (read.kind === 'torn') return { offset, chain, lastFrame, torn: { until: read.until } };
    try {
      const batch = decodeBatch(read.payload);
      position.take(batch);
      take(batch);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw new LogDamagedError({ file: path, offset, reason: cause.message }, { cause });
    }
    lastFrame = { offset, bytes: bytes.subarray(offset, read.next) };
    offset = read.next;
    chain = read.chain;
  }
}

export async function readSegment(disk: Disk, outline: Pick<SegmentOutline, 'path' | 'head'>): Promise<Buffer> {
  const { path, head } = outline;
  const { bytes } = await readBytes(disk, path, head.bytes);
  if (bytes.length === head.bytes) return bytes;
  throw new LogDamagedError({ file: path, offset: bytes.length, reason: 'the segment ends too early' });
}
