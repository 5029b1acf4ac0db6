/**
 * Snapshot files: `snapshot-<index>.dbsnap`, written under another name as the pieces come, then renamed. The newest ones are kept.
 * Magic 8 bytes, format u32, blocks (u32 length and so many bytes, little-endian), and SHA-256 of all that, 32 bytes. The blocks:
 * log id 16 bytes, index u64, term u64, ConfState; the pieces, none of them empty; an empty one; sequence of the last durable
 * frame u64 and the head. What is known only at the end comes last, so that nothing that was written is changed.
 */
import { Buffer } from 'node:buffer';
import { createHash, type Hash } from 'node:crypto';
import type { SnapshotPoint, StoredSnapshot } from '../ports.ts';
import { FrameReader, FrameWriter } from '../raft-frames.ts';
import type { Disk, DiskFile } from './disk.ts';
import { LOG_ID_BYTES } from './frame.ts';
import { LogDamagedError } from './log-errors.ts';
import { readRange } from './read-bytes.ts';
import { removeIfPresent } from './segment.ts';

const MAGIC = Buffer.from('DBSNAPST');
const FORMAT = 2;
const HASH_BYTES = 32;
const LENGTH_BYTES = 4;
const BLOCKS_AT: number = MAGIC.length + LENGTH_BYTES;
/** Of a piece, and of a head: what is read at once. */
export const MAX_BLOCK_BYTES: number = 2 ** 26;
const NAME = /^snapshot-(\d{16})\.dbsnap$/;

/** `sequence`: the log had this many durable frames when the snapshot was kept; with fewer its tail is lost. */
export type SnapshotFile = Readonly<{ snapshot: StoredSnapshot; sequence: number }>;

export function snapshotName(index: number): string {
  return `snapshot-${String(index).padStart(16, '0')}.dbsnap`;
}

/** Indexes of the snapshots in a folder listing, newest first. */
export function snapshotIndexes(names: readonly string[]): number[] {
  const indexes = names.map((name) => NAME.exec(name)?.[1]).filter((digits) => digits !== undefined);
  return indexes.map(Number).sort((a, b) => b - a);
}

/** The file while it is written. After something failed it can only be discarded. */
export class GrowingSnapshot {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #file: DiskFile;
  readonly #hash: Hash = createHash('sha256');
  #end = 0;
  /** Open until it is kept or discarded. */
  #isOpen = true;
  #running: Promise<void> = Promise.resolve();

  private constructor(disk: Disk, path: string, file: DiskFile) {
    this.#disk = disk;
    this.#path = path;
    this.#file = file;
  }

  static async create(
    disk: Disk,
    directory: string,
    logId: Uint8Array,
    { index, term, confState }: SnapshotPoint,
  ): Promise<GrowingSnapshot> {
    const path = `${directory}/${snapshotName(index)}`;
    await removeIfPresent(disk, temporary(path));
    const growing = new GrowingSnapshot(disk, path, await disk.open(temporary(path), 'create'));
    try {
      await growing.#write(new FrameWriter().start().raw(MAGIC).u32(FORMAT).finish());
      await growing.#block(new FrameWriter().start().raw(logId).u64(index).u64(term).confState(confState).finish());
    } catch (error) {
      await growing.discard();
      throw error;
    }
    return growing;
  }

  /** @throws RangeError for what is empty or too large, or comes after the end */
  add(piece: Uint8Array): Promise<void> {
    if (piece.length === 0) throw new RangeError('a piece of a snapshot is not empty');
    return this.#inTurn(() => this.#block(piece));
  }

  /** Resolves when the file is durable under its own name. */
  keep(head: Uint8Array, sequence: number): Promise<void> {
    return this.#inTurn(async () => {
      await this.#block(new Uint8Array(0));
      await this.#block(new FrameWriter().start().u64(sequence).raw(head).finish());
      await this.#file.write(this.#hash.digest(), this.#end);
      await this.#file.sync();
      this.#isOpen = false;
      await this.#file.close();
      await this.#disk.rename(temporary(this.#path), this.#path);
      await this.#disk.syncDirectory(directoryOf(this.#path));
    });
  }

  /** Removes it, when what is being written is; does nothing to one that is kept. */
  async discard(): Promise<void> {
    await this.#running.catch(() => undefined);
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#file.close();
    await removeIfPresent(this.#disk, temporary(this.#path));
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#running = this.#running.then(() => {
      if (!this.#isOpen) throw new RangeError('the snapshot is kept, or given up');
      return work();
    });
    return this.#running;
  }

  async #block(bytes: Uint8Array): Promise<void> {
    if (bytes.length > MAX_BLOCK_BYTES) throw new RangeError(`a piece or a head has at most ${MAX_BLOCK_BYTES} bytes`);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32LE(bytes.length);
    await this.#write(length);
    if (bytes.length > 0) await this.#write(bytes);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    await this.#file.write(bytes, this.#end);
    this.#end += bytes.length;
  }
}

const temporary = (path: string): string => `${path}.tmp`;
const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

/** Reads it through, a block at a time. The reason instead, when the file is not whole or belongs to another log, where one is named. */
export async function readSnapshot(disk: Disk, path: string, logId: Uint8Array | null): Promise<SnapshotFile | string> {
  const file = await disk.open(path, 'read');
  try {
    return await readThrough({ disk, path, file, logId });
  } catch (error) {
    if (error instanceof LogDamagedError) return error.reason;
    throw error;
  } finally {
    await file.close();
  }
}

type Reading = Readonly<{ disk: Disk; path: string; file: DiskFile; logId: Uint8Array | null }>;

async function readThrough({ disk, path, file, logId }: Reading): Promise<SnapshotFile | string> {
  const hash = createHash('sha256');
  const start = await readRange(file, path, 0, BLOCKS_AT);
  if (start.length < BLOCKS_AT) throw notAsWritten(path);
  if (!start.subarray(0, MAGIC.length).equals(MAGIC) || start.readUInt32LE(MAGIC.length) !== FORMAT) {
    return 'the snapshot has another format';
  }
  hash.update(start);
  const blocks = blocksOf(file, path, BLOCKS_AT, hash);
  const next = async (): Promise<Buffer> => {
    const { value } = await blocks.next();
    if (!value) throw notAsWritten(path);
    return value;
  };
  const front = await next();
  const piecesAt = BLOCKS_AT + LENGTH_BYTES + front.length;
  let [bytes, end] = [0, piecesAt];
  for (let isLast = false; !isLast; ) {
    const { length } = await next();
    bytes += length;
    end += LENGTH_BYTES + length;
    isLast = length === 0;
  }
  const tail = await next();
  // One byte more, so that nothing follows.
  const stored = await readRange(file, path, end + LENGTH_BYTES + tail.length, HASH_BYTES + 1);
  if (!hash.digest().equals(stored)) throw notAsWritten(path);
  if (logId && !front.subarray(0, LOG_ID_BYTES).equals(logId)) return 'the snapshot belongs to another log';
  const reader = new FrameReader(front.subarray(LOG_ID_BYTES));
  const [index, term, confState] = [reader.u64(), reader.u64(), reader.confState()];
  const [sequence, head] = [new FrameReader(tail).u64(), tail.subarray(8)];
  return { snapshot: { index, term, confState, head, bytes, pieces: () => piecesOf(disk, path, piecesAt) }, sequence };
}

/** All that follow each other from a place on. @throws LogDamagedError at what is none */
async function* blocksOf(file: DiskFile, path: string, from: number, hash?: Hash): AsyncGenerator<Buffer, void, void> {
  for (let at = from; ; ) {
    const head = await readRange(file, path, at, LENGTH_BYTES);
    if (head.length < LENGTH_BYTES) throw notAsWritten(path);
    const length = head.readUInt32LE();
    if (length > MAX_BLOCK_BYTES) throw notAsWritten(path);
    const block = await readRange(file, path, at + LENGTH_BYTES, length);
    if (block.length < length) throw notAsWritten(path);
    hash?.update(head).update(block);
    at += LENGTH_BYTES + length;
    yield block;
  }
}

async function* piecesOf(disk: Disk, path: string, from: number): AsyncGenerator<Buffer, void, void> {
  const file = await disk.open(path, 'read');
  try {
    for await (const block of blocksOf(file, path, from)) {
      if (block.length === 0) return;
      yield block;
    }
  } finally {
    await file.close();
  }
}

const notAsWritten = (file: string): LogDamagedError =>
  new LogDamagedError({ file, offset: 0, reason: 'the snapshot is not what was written' });
