/**
 * Opens a log folder after any kind of end. The only thing that is ever cut is the torn tail: the last write of the
 * last segment, when at least one of its sectors was never written. Everything else that is not exactly what was
 * written stops the node, because acknowledged entries could be in it.
 */
import { Buffer } from 'node:buffer';
import type { LogBatch, StoredLog, StoredSnapshot } from '../ports.ts';
import type { Entry } from '../raft-types.ts';
import { LogPosition } from './batch-payload.ts';
import type { Disk, DiskFile } from './disk.ts';
import type { Chain } from './frame.ts';
import { LogDamagedError } from './log-errors.ts';
import { encodeSeal, SEAL_AT, type SegmentHead, segmentName } from './segment.ts';
import { readFrames, readSegment, type SegmentEnd, type SegmentOutline, sameChain } from './segment-reader.ts';
import { readSnapshot, type SnapshotFile, snapshotIndexes, snapshotName } from './snapshot-file.ts';

/** Where appending goes on. `installed` is to be written with the next batch. */
export type LogTail = Readonly<{
  head: SegmentHead;
  file: DiskFile;
  offset: number;
  chain: Chain;
  position: LogPosition;
  installed: Readonly<{ index: number; term: number }> | null;
}>;

/** `segments`: all that are on disk, oldest first. */
export type Recovered = Readonly<{ stored: StoredLog; tail: LogTail; segments: readonly SegmentHead[] }>;

type NewestSnapshot = Readonly<{ newest: SnapshotFile | null; damaged: StoredLog['damagedSnapshots'] }>;

async function newestSnapshot(
  disk: Disk,
  directory: string,
  names: readonly string[],
  logId: Buffer,
): Promise<NewestSnapshot> {
  const damaged: { file: string; reason: string }[] = [];
  for (const index of snapshotIndexes(names)) {
    const file = `${directory}/${snapshotName(index)}`;
    const read = await readSnapshot(disk, file, logId);
    if (typeof read !== 'string') return { newest: read, damaged };
    damaged.push({ file, reason: read });
  }
  const first = damaged[0];
  if (first)
    throw new LogDamagedError({ file: first.file, offset: 0, reason: `no snapshot is whole: ${first.reason}` });
  return { newest: null, damaged };
}

/**
 * @param outlines all segments, at least one
 * @throws LogDamagedError before anything is changed
 */
export async function recoverLog(
  disk: Disk,
  directory: string,
  names: readonly string[],
  outlines: readonly SegmentOutline[],
): Promise<Recovered> {
  const last = outlines.at(-1);
  if (!last) throw new RangeError('a log has at least one segment');
  const { newest, damaged } = await newestSnapshot(disk, directory, names, last.head.logId);
  const snapshot = newest?.snapshot ?? null;
  checkBeginning(directory, outlines[0]?.head, snapshot);
  const contents = await readFrom(disk, outlines, snapshot?.index ?? 0);
  const { position, end } = contents;
  if (newest && newest.sequence >= end.chain.sequence) {
    const reason = `the log ends at frame ${end.chain.sequence - 1}, but had frame ${newest.sequence} when a snapshot was written`;
    throw new LogDamagedError({ file: last.path, offset: end.offset, reason });
  }
  if (position.installed && position.installed.index > (snapshot?.index ?? 0)) {
    const file = `${directory}/${snapshotName(position.installed.index)}`;
    throw new LogDamagedError({
      file,
      offset: 0,
      reason: 'the log goes on after a snapshot that is missing or damaged',
    });
  }
  const joined = join(contents.entries, snapshot, position);
  const file = await repair(disk, directory, outlines, contents);
  const tornTail = end.torn ? { file: last.path, offset: end.offset, bytes: end.torn.until - end.offset } : null;
  return {
    stored: { snapshot, hardState: position.hardState, entries: joined.entries, tornTail, damagedSnapshots: damaged },
    tail: { head: last.head, file, offset: end.offset, chain: end.chain, position, installed: joined.installed },
    segments: outlines.map(({ head }) => head),
  };
}

/** Segments are dropped only when a snapshot covers them. */
function checkBeginning(directory: string, first: SegmentHead | undefined, snapshot: StoredSnapshot | null): void {
  if (!first || first.number === 1 || first.nextIndex <= (snapshot?.index ?? 0)) return;
  const covered = snapshot ? `the newest whole snapshot ends at entry ${snapshot.index}` : 'there is no snapshot';
  const reason = `a segment is missing: the log begins with entry ${first.nextIndex}, and ${covered}`;
  throw new LogDamagedError({ file: `${directory}/${segmentName(first.number - 1)}`, offset: 0, reason });
}

type Contents = Readonly<{
  position: LogPosition;
  /** From the snapshot's index on, that one included. */
  entries: Entry[];
  end: SegmentEnd;
  /** The last frame of all, wherever it is. */
  lastFrame: Readonly<{ outline: SegmentOutline; offset: number; bytes: Buffer }> | null;
}>;

async function readFrom(disk: Disk, outlines: readonly SegmentOutline[], snapshotIndex: number): Promise<Contents> {
  const first = Math.max(
    0,
    outlines.findLastIndex(({ head }) => head.nextIndex <= snapshotIndex),
  );
  const start = outlines[first];
  if (!start) throw new RangeError('a log has at least one segment');
  const position = new LogPosition(start.head);
  let entries: Entry[] = [];
  const take = (batch: LogBatch): void => {
    if (batch.installed) entries = [];
    const from = batch.entries[0]?.index;
    const held = entries[0]?.index;
    if (from !== undefined && held !== undefined && from < held + entries.length)
      entries.length = Math.max(0, from - held);
    for (const entry of batch.entries) if (entry.index >= snapshotIndex) entries.push(entry);
  };
  let lastFrame: Contents['lastFrame'] = null;
  let end: SegmentEnd | null = null;
  for (const outline of outlines.slice(first)) {
    if (end && !sameChain(end.chain, outline.head.chain)) {
      throw new LogDamagedError({
        file: outline.path,
        offset: 0,
        reason: 'the segment does not continue the one before it',
      });
    }
    end = readFrames({ ...outline, bytes: await readSegment(disk, outline) }, position, take);
    if (end.lastFrame) lastFrame = { outline, ...end.lastFrame, bytes: Buffer.from(end.lastFrame.bytes) };
    checkEnd(outline, end, outline === outlines.at(-1), outlines);
  }
  if (!end) throw new RangeError('a log has at least one segment');
  return { position, entries, end, lastFrame };
}

function checkEnd(
  outline: SegmentOutline,
  end: SegmentEnd,
  isLast: boolean,
  outlines: readonly SegmentOutline[],
): void {
  const damaged = (reason: string): LogDamagedError =>
    new LogDamagedError({ file: outline.path, offset: end.offset, reason });
  if (end.torn && !isLast) throw damaged('a frame is incomplete, and later segments exist');
  if (outline.seal && !sameChain(outline.seal, end.chain))
    throw damaged('frames are missing at the end of the segment');
  const before = isLast ? outlines.at(-2) : undefined;
  if (before && !before.seal && (end.lastFrame || end.torn)) {
    throw new LogDamagedError({ file: before.path, offset: SEAL_AT, reason: 'the seal of the segment is missing' });
  }
}

/** What of the log follows the snapshot; `installed` when the log does not lead up to the snapshot as it should. */
function join(
  entries: readonly Entry[],
  snapshot: StoredSnapshot | null,
  position: LogPosition,
): Pick<LogTail, 'installed'> & { entries: readonly Entry[] } {
  if (!snapshot) return { entries, installed: null };
  const at = { index: snapshot.index, term: snapshot.term };
  const own = entries[0]?.index === at.index ? entries[0] : undefined;
  const termThere = own?.term ?? (position.installed?.index === at.index ? position.installed.term : undefined);
  if (termThere === at.term) return { entries: own ? entries.slice(1) : entries, installed: null };
  // The snapshot was received and saved, and the crash came before the log noted it.
  position.nextIndex = at.index + 1;
  return { entries: [], installed: at };
}

/**
 * Makes durable what was read, then opens the last segment for appending. A process that was killed, or whose write
 * failed, can leave a whole last frame, or the newest seal, in the page cache that is not on disk; acting on it and losing
 * it later would break a promise, so it is written again.
 */
async function repair(
  disk: Disk,
  directory: string,
  outlines: readonly SegmentOutline[],
  contents: Contents,
): Promise<DiskFile> {
  const last = outlines.at(-1);
  if (!last) throw new RangeError('a log has at least one segment');
  const { end, lastFrame } = contents;
  const before = outlines.at(-2);
  if (before) await writeDurably(disk, before.path, encodeSeal(before.head, last.head.chain), SEAL_AT);
  if (lastFrame) await writeDurably(disk, lastFrame.outline.path, lastFrame.bytes, lastFrame.offset);
  const file = await disk.open(`${directory}/${segmentName(last.head.number)}`, 'durable');
  try {
    if (end.torn) await file.write(Buffer.alloc(end.torn.until - end.offset), end.offset);
    await file.sync();
    await disk.syncDirectory(directory);
  } catch (error) {
    await file.close();
    throw error;
  }
  return file;
}

async function writeDurably(disk: Disk, path: string, bytes: Uint8Array, at: number): Promise<void> {
  const file = await disk.open(path, 'durable');
  try {
    await file.write(bytes, at);
  } finally {
    await file.close();
  }
}
