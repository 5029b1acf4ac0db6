/**
 * Snapshot files: `snapshot-<index>.dbsnap`, written whole under another name, then renamed. The newest ones are kept.
 * Magic 8 bytes, format u32, log id 16 bytes, index u64, term u64, sequence of the last durable frame u64, ConfState,
 * u32 length and content, SHA-256 of all that 32 bytes.
 */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StoredSnapshot } from '../ports.ts';
import { FrameReader, FrameWriter } from '../raft-frames.ts';
import type { Disk } from './disk.ts';
import { LOG_ID_BYTES } from './frame.ts';
import { LogDamagedError } from './log-errors.ts';
import { readBytes } from './read-bytes.ts';
import { removeIfPresent } from './segment.ts';

const MAGIC = Buffer.from('DBSNAPST');
const FORMAT = 1;
const HASH_BYTES = 32;
/** Written, or hashed, at once; other work gets its turn after each. */
const PIECE_BYTES: number = 2 ** 20;
const NAME = /^snapshot-(\d{16})\.dbsnap$/;

/** `sequence`: the log had this many durable frames when the snapshot was written; with fewer its tail is lost. */
export type SnapshotFile = Readonly<{ snapshot: StoredSnapshot; sequence: number }>;

export function snapshotName(index: number): string {
  return `snapshot-${String(index).padStart(16, '0')}.dbsnap`;
}

/** Indexes of the snapshots in a folder listing, newest first. */
export function snapshotIndexes(names: readonly string[]): number[] {
  const indexes = names.map((name) => NAME.exec(name)?.[1]).filter((digits) => digits !== undefined);
  return indexes.map(Number).sort((a, b) => b - a);
}

export async function writeSnapshot(
  disk: Disk,
  directory: string,
  logId: Uint8Array,
  { snapshot, sequence }: SnapshotFile,
): Promise<void> {
  const temporary = `${directory}/${snapshotName(snapshot.index)}.tmp`;
  const head = new FrameWriter().start().raw(MAGIC).u32(FORMAT).raw(logId).u64(snapshot.index).u64(snapshot.term);
  const front = head.u64(sequence).confState(snapshot.confState).u32(snapshot.content.length).finish();
  const hash = createHash('sha256').update(front);
  await removeIfPresent(disk, temporary);
  const file = await disk.open(temporary, 'create');
  try {
    await file.write(front, 0);
    let end = front.length;
    for (const piece of piecesOf(snapshot.content)) {
      hash.update(piece);
      await file.write(piece, end);
      end += piece.length;
    }
    await file.write(hash.digest(), end);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, `${directory}/${snapshotName(snapshot.index)}`);
  await disk.syncDirectory(directory);
}

/** The reason instead, when the file is not whole or belongs to another log. */
export async function readSnapshot(disk: Disk, path: string, logId: Uint8Array): Promise<SnapshotFile | string> {
  let bytes: Buffer;
  try {
    ({ bytes } = await readBytes(disk, path));
  } catch (error) {
    if (error instanceof LogDamagedError) return error.reason;
    throw error;
  }
  const covered = bytes.subarray(0, Math.max(0, bytes.length - HASH_BYTES));
  if (!(await digestOf(covered)).equals(bytes.subarray(covered.length))) {
    return 'the snapshot is not what was written';
  }
  if (!covered.subarray(0, MAGIC.length).equals(MAGIC) || covered.readUInt32LE(MAGIC.length) !== FORMAT) {
    return 'the snapshot has another format';
  }
  const idAt = MAGIC.length + 4;
  if (!covered.subarray(idAt, idAt + LOG_ID_BYTES).equals(logId)) return 'the snapshot belongs to another log';
  const reader = new FrameReader(covered.subarray(idAt + LOG_ID_BYTES));
  const [index, term, sequence] = [reader.u64(), reader.u64(), reader.u64()];
  const confState = reader.confState();
  return { snapshot: { index, term, confState, content: reader.bytes() }, sequence };
}

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

async function digestOf(bytes: Uint8Array): Promise<Buffer> {
  const hash = createHash('sha256');
  for (const piece of piecesOf(bytes)) {
    hash.update(piece);
    await nextTurn();
  }
  return hash.digest();
}
