/**
 * The durable log on a local disk: segments of frames, one frame per group commit, and the newest snapshots. Segments
 * that no kept snapshot needs are dropped on demand, oldest first, one at a time. Entry data is ciphertext already; indexes, terms and the hard state are in clear.
 * Formats: `log/frame.ts`, `log/segment.ts`, `log/snapshot-file.ts`; what may be cut after a crash: `log/recovery.ts`.
 */
import { Buffer } from 'node:buffer';
import { dirname } from 'node:path';
import { encodeBatch, LogPosition } from './log/batch-payload.ts';
import { readCommitted } from './log/committed-entries.ts';
import type { DirectoryLock } from './log/directory-lock.ts';
import { type Disk, nodeDisk } from './log/disk.ts';
import { CHAIN_START, FrameEncoder, frameBytes, LOG_ID_BYTES, SECTOR_BYTES } from './log/frame.ts';
import { LogDamagedError, LogWriteError } from './log/log-errors.ts';
import { type LogTail, type Recovered, recoverLog } from './log/recovery.ts';
import {
  encodeSeal,
  FRAMES_AT,
  nameSegment,
  preallocate,
  removeIfPresent,
  SEAL_AT,
  type SegmentHead,
  SPARE_NAME,
  segmentName,
} from './log/segment.ts';
import { outlineSegments } from './log/segment-reader.ts';
import { GrowingSnapshot, snapshotIndexes, snapshotName } from './log/snapshot-file.ts';
import type { LogBatch, LogStore, SnapshotPoint, SnapshotWriter, StoredLog } from './ports.ts';
import { ENTRY_HEADER_BYTES, FrameWriter } from './raft-frames.ts';
import type { Entry } from './raft-types.ts';
import type { Entropy } from './wasi-shim.ts';

export type FileLogStoreOptions = Readonly<{
  /** Made with mode 0700 when it is not there; nothing else may live in it. */
  directory: string;
  /** Bytes of a segment file; larger only for an entry that does not fit. */
  segmentBytes: number;
  /** Entries beyond this many bytes go into a further frame of the same batch. */
  maxFrameBytes: number;
  /** How many of the newest snapshots stay. */
  snapshotsKept: number;
}>;

export const FILE_LOG_STORE_DEFAULTS: Omit<FileLogStoreOptions, 'directory'> = {
  segmentBytes: 16 * 1024 * 1024,
  maxFrameBytes: 4 * 1024 * 1024,
  snapshotsKept: 2,
};

/** `entropy` names a new log, so that files of two logs are never mixed. */
export type FileLogStoreDependencies = Readonly<{ entropy: Entropy; disk?: Disk }>;

export class FileLogStore implements LogStore {
  readonly #options: FileLogStoreOptions;
  readonly #disk: Disk;
  readonly #lock: DirectoryLock;
  readonly #writer = new FrameWriter();
  readonly #encoder: FrameEncoder;
  /** All that are on disk, oldest first; the last is appended to. */
  readonly #segments: Pick<SegmentHead, 'number' | 'nextIndex'>[];
  #loaded: StoredLog | null;
  #tail: LogTail;
  #spareBytes: Promise<number>;
  #appending = false;
  #failure: LogWriteError | null = null;

  private constructor(options: FileLogStoreOptions, disk: Disk, lock: DirectoryLock, recovered: Recovered) {
    this.#options = options;
    this.#disk = disk;
    this.#lock = lock;
    this.#loaded = recovered.stored;
    this.#tail = recovered.tail;
    this.#encoder = new FrameEncoder(recovered.tail.head.logId);
    this.#segments = recovered.segments.map(({ number, nextIndex }) => ({ number, nextIndex }));
    this.#spareBytes = this.#prepareSpare();
  }

  /**
   * Locks the folder, checks and repairs what is there, or begins a new log.
   * @throws LogLockedError, LogDamagedError; errors of the disk as they are
   */
  static async open(options: FileLogStoreOptions, dependencies: FileLogStoreDependencies): Promise<FileLogStore> {
    const disk = dependencies.disk ?? nodeDisk;
    const { directory, segmentBytes } = options;
    if (segmentBytes % SECTOR_BYTES !== 0 || segmentBytes < 4 * SECTOR_BYTES) {
      throw new RangeError(`segmentBytes must be a multiple of ${SECTOR_BYTES}, at least four of them`);
    }
    await disk.makeDirectory(directory);
    await disk.syncDirectory(dirname(directory));
    const lock = await disk.lock(directory);
    try {
      const names = await listWithoutTemporary(disk, directory);
      let outlines = await outlineSegments(disk, directory, names);
      if (outlines.length === 0) {
        await beginLog(disk, options, names, dependencies.entropy);
        outlines = await outlineSegments(disk, directory, [segmentName(1)]);
      }
      return new FileLogStore(options, disk, lock, await recoverLog(disk, directory, names, outlines));
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async load(): Promise<StoredLog> {
    const loaded = this.#loaded;
    if (!loaded) throw new RangeError('the log was loaded already');
    this.#loaded = null;
    return loaded;
  }

  async append(batch: LogBatch): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (this.#appending) throw new RangeError('one append at a time');
    const whole = { ...batch, installed: batch.installed ?? this.#tail.installed };
    new LogPosition(this.#tail.position).take(whole);
    this.#appending = true;
    try {
      for (const part of this.#parts(whole)) await this.#writePart(part);
    } catch (cause) {
      const { head, offset } = this.#tail;
      throw this.#fail(
        { file: this.#path(segmentName(head.number)), offset, what: 'a write to the log failed' },
        cause,
      );
    } finally {
      this.#appending = false;
    }
  }

  /** The hard state comes first, because a term must be durable before its entries, and never commits what a later part brings. */
  *#parts(batch: LogBatch): Generator<LogBatch> {
    let rest = batch.entries;
    let { installed } = batch;
    do {
      let bytes = 0;
      let count = 0;
      for (const entry of rest) {
        bytes += ENTRY_HEADER_BYTES + entry.data.length;
        if (count > 0 && bytes > this.#options.maxFrameBytes) break;
        count += 1;
      }
      const entries = rest.slice(0, count);
      rest = rest.slice(count);
      const last = entries.at(-1)?.index;
      const { hardState } = batch;
      const clamped =
        hardState && last !== undefined && rest.length > 0
          ? { ...hardState, commit: Math.min(hardState.commit, last) }
          : hardState;
      yield { entries, hardState: clamped, installed };
      installed = null;
    } while (rest.length > 0);
  }

  async #writePart(part: LogBatch): Promise<void> {
    const payload = encodeBatch(this.#writer, part);
    const bytes = frameBytes(payload.length);
    if (this.#tail.offset + bytes > this.#tail.head.bytes) await this.#beginSegment(bytes);
    const { file, offset, position } = this.#tail;
    const { frame, chain } = this.#encoder.encode(this.#tail.chain, payload);
    await file.write(frame, offset);
    position.take(part);
    this.#tail = { ...this.#tail, offset: offset + bytes, chain, installed: null };
  }

  async #beginSegment(frame: number): Promise<void> {
    const { directory, segmentBytes } = this.#options;
    const { head: before, file: full, chain, position } = this.#tail;
    const bytes = Math.max(segmentBytes, FRAMES_AT + frame);
    if ((await this.#spareBytes) !== bytes) await preallocate(this.#disk, `${directory}/${SPARE_NAME}`, bytes);
    const { nextIndex, hardState } = position;
    const head: SegmentHead = { number: before.number + 1, bytes, logId: before.logId, chain, nextIndex, hardState };
    const file = await nameSegment(this.#disk, directory, head);
    this.#segments.push({ number: head.number, nextIndex });
    this.#tail = { ...this.#tail, head, file, offset: FRAMES_AT };
    await full.write(encodeSeal(before, chain), SEAL_AT);
    await full.close();
    this.#spareBytes = this.#prepareSpare();
  }

  /** Bytes of the spare file, 0 when it could not be made; that counts only when it is needed and fails again. */
  async #prepareSpare(): Promise<number> {
    const { directory, segmentBytes } = this.#options;
    try {
      await preallocate(this.#disk, `${directory}/${SPARE_NAME}`, segmentBytes);
      return segmentBytes;
    } catch {
      return 0;
    }
  }

  async beginSnapshot(point: SnapshotPoint): Promise<SnapshotWriter> {
    if (this.#failure) throw this.#failure;
    const { directory } = this.#options;
    const { logId } = this.#tail.head;
    const growing = await this.#writingSnapshot(point, () =>
      GrowingSnapshot.create(this.#disk, directory, logId, point),
    );
    const guarded = (work: () => Promise<void>): Promise<void> =>
      this.#writingSnapshot(point, async () => {
        try {
          await work();
        } catch (error) {
          // What failed for want of space takes none; what stays nevertheless is removed at the next start.
          await growing.discard().catch(() => undefined);
          throw error;
        }
      });
    return {
      point,
      add: (piece) => guarded(() => growing.add(piece)),
      keep: (head) =>
        guarded(async () => {
          await growing.keep(head, this.#tail.chain.sequence - 1);
          await this.#removeOldSnapshots();
        }),
      discard: () => growing.discard(),
    };
  }

  async #writingSnapshot<T>({ index }: SnapshotPoint, work: () => Promise<T>): Promise<T> {
    if (this.#failure) throw this.#failure;
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof RangeError) throw cause;
      const file = this.#path(snapshotName(index));
      throw this.#fail({ file, offset: 0, what: 'a snapshot could not be written' }, cause);
    }
  }

  async #removeOldSnapshots(): Promise<void> {
    const { directory, snapshotsKept } = this.#options;
    const indexes = snapshotIndexes(await this.#disk.list(directory));
    for (const index of indexes.slice(snapshotsKept)) {
      await removeIfPresent(this.#disk, `${directory}/${snapshotName(index)}`);
    }
  }

  async dropBefore(index: number): Promise<void> {
    if (this.#failure) throw this.#failure;
    const { directory } = this.#options;
    let file = directory;
    try {
      const oldest = snapshotIndexes(await this.#disk.list(directory)).at(-1) ?? 0;
      // Recovery reads from a segment on that begins at or before the snapshot's index.
      while ((this.#segments[1]?.nextIndex ?? Infinity) <= Math.min(index, oldest)) {
        const dropped = this.#segments.shift();
        if (!dropped) break;
        file = this.#path(segmentName(dropped.number));
        await this.#disk.remove(file);
        // Before the next one goes, so that no crash leaves a gap: a gap is damage.
        await this.#disk.syncDirectory(directory);
      }
    } catch (cause) {
      throw this.#fail({ file, offset: 0, what: 'a segment could not be removed' }, cause);
    }
  }

  readEntries(fromIndex: number): AsyncGenerator<Entry, void, undefined> {
    const { head, offset } = this.#tail;
    const numbers = this.#segments.map(({ number }) => number);
    return readCommitted(this.#disk, this.#options.directory, numbers, fromIndex, { number: head.number, offset });
  }

  async close(): Promise<void> {
    await this.#spareBytes;
    await this.#tail.file.close();
    await this.#lock.release();
  }

  #path(name: string): string {
    return `${this.#options.directory}/${name}`;
  }

  #fail(where: Readonly<{ file: string; offset: number; what: string }>, cause: unknown): LogWriteError {
    this.#failure ??= new LogWriteError(where, { cause });
    return this.#failure;
  }
}

async function listWithoutTemporary(disk: Disk, directory: string): Promise<string[]> {
  const names = await disk.list(directory);
  for (const name of names) if (name.endsWith('.tmp')) await removeIfPresent(disk, `${directory}/${name}`);
  return names;
}

async function beginLog(
  disk: Disk,
  { directory, segmentBytes }: FileLogStoreOptions,
  names: readonly string[],
  entropy: Entropy,
): Promise<void> {
  if (snapshotIndexes(names).length > 0) {
    const file = `${directory}/${segmentName(1)}`;
    throw new LogDamagedError({ file, offset: 0, reason: 'there are snapshots, but all segments are missing' });
  }
  const logId = Buffer.alloc(LOG_ID_BYTES);
  entropy.fill(logId);
  await preallocate(disk, `${directory}/${SPARE_NAME}`, segmentBytes);
  const head = { number: 1, bytes: segmentBytes, logId, chain: CHAIN_START, nextIndex: 1, hardState: null };
  await (await nameSegment(disk, directory, head)).close();
}
