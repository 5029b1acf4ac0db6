/**
 * Writes records to their chunk in the background: what gathered in a moment with one write, whatever gathers meanwhile with the
 * next. A chunk that is to be closed is synced, with tree and index, then renamed, then its folder synced, before the next one
 * begins; so at most the newest chunk is ever incomplete, and closing can be done again after a crash at any point.
 */
import { Buffer } from 'node:buffer';
import type { LedgerKind } from '@drawbridge/protocol/ledger/ledger-kind';
import { mmrSize } from '@drawbridge/protocol/ledger/merkle-tree';
import type { Disk, DiskFile } from '../consensus/log/disk.ts';
import type { Timers } from '../node/timers.ts';
import type { Chunk, ChunkList } from './chunk-list.ts';
import { type DerivedFiles, encodeSlot, SLOT_BYTES } from './derived-files.ts';
import { LedgerWriteError } from './ledger-errors.ts';
import type { NodeRing } from './node-ring.ts';

/** Most bytes in one write, but for a record that is longer. */
const MAX_WRITE_BYTES: number = 4 * 1024 * 1024;
/** So much is not waited with. */
const GATHERED_BYTES: number = 512 * 1024;

/** A record and its place. `header`: it begins a chunk. `closes`: it is the last of one. */
export type PlacedRecord = Readonly<{
  seqno: number;
  view: number;
  kind: LedgerKind;
  bytes: Uint8Array;
  offset: number;
  header: Uint8Array | null;
  closes: boolean;
}>;

export type LedgerWriterOptions = Readonly<{
  /** How long records gather before they are written, in ms. */
  flushMs: number;
  /** Bytes in the queue from which on `drained` waits. */
  maxQueuedBytes: number;
}>;

export type LedgerWriterDependencies = Readonly<{
  disk: Disk;
  chunks: ChunkList;
  derived: DerivedFiles;
  /** Nodes of all records in the queue. */
  ring: NodeRing;
  timers: Timers;
  onFailure: (error: LedgerWriteError) => void;
}>;

/** What is on disk, synced, when it begins. `file` is that of the open chunk. */
export type WriterStart = Readonly<{ written: number; end: number; file: DiskFile | null }>;

type Waiter = Readonly<{ seqno: number; resolve: () => void; reject: (error: Error) => void }>;

export class LedgerWriter {
  readonly #options: LedgerWriterOptions;
  readonly #uses: LedgerWriterDependencies;
  #queue: PlacedRecord[] = [];
  #queuedBytes = 0;
  #last: number;
  #written: number;
  /** Seqno up to which everything is synced. */
  #durable: number;
  #end: number;
  #file: DiskFile | null;
  #isFolderDirty = false;
  #flushes: Waiter[] = [];
  #writes: Waiter[] = [];
  #drains: Waiter[] = [];
  #running: Promise<void> | null = null;
  #cancelTimer: (() => void) | null = null;
  #failure: LedgerWriteError | null = null;

  constructor(options: LedgerWriterOptions, dependencies: LedgerWriterDependencies, start: WriterStart) {
    this.#options = options;
    this.#uses = dependencies;
    this.#last = start.written;
    this.#written = start.written;
    this.#durable = start.written;
    this.#end = start.end;
    this.#file = start.file;
  }

  /** Seqno up to which records are in their files, synced or not. */
  get written(): number {
    return this.#written;
  }

  /** Offset at which the open chunk ends. */
  get end(): number {
    return this.#end;
  }

  get failure(): LedgerWriteError | null {
    return this.#failure;
  }

  put(record: PlacedRecord): void {
    this.#queue.push(record);
    this.#queuedBytes += record.bytes.length;
    this.#last = record.seqno;
    if (this.#queuedBytes >= GATHERED_BYTES) this.#start();
    else if (!this.#running) this.#gather();
  }

  /** Resolves when all that was put before is durable. @throws LedgerWriteError */
  flush(): Promise<void> {
    return this.#wait(this.#flushes, this.#last, this.#durable >= this.#last);
  }

  /** Resolves when a record that was put is in its file. @throws LedgerWriteError */
  wrote(seqno: number): Promise<void> {
    return this.#wait(this.#writes, seqno, this.#written >= seqno);
  }

  /** Resolves when the queue is below its bound. @throws LedgerWriteError */
  drained(): Promise<void> {
    return this.#wait(this.#drains, 0, this.#queuedBytes < this.#options.maxQueuedBytes);
  }

  /** Writes and syncs what is left, as far as the disk takes it. */
  async close(): Promise<void> {
    await this.flush().catch(() => undefined);
    this.#cancelTimer?.();
    await this.#running;
    await this.#file?.close();
    this.#file = null;
  }

  #wait(waiters: Waiter[], seqno: number, isDone: boolean): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (isDone) return Promise.resolve();
    return new Promise((resolve, reject) => {
      waiters.push({ seqno, resolve, reject });
      this.#start();
    });
  }

  #start(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    if (!this.#running && !this.#failure) this.#running = this.#run();
  }

  #gather(): void {
    this.#cancelTimer ??= this.#uses.timers.after(this.#options.flushMs, () => this.#start());
  }

  async #run(): Promise<void> {
    try {
      do {
        await this.#step();
        this.#settle();
      } while (this.#isUrgent());
    } catch (cause) {
      this.#fail(cause);
    } finally {
      this.#running = null;
      if (this.#queue.length > 0) this.#gather();
    }
  }

  #isUrgent(): boolean {
    const isAwaited = this.#flushes.length + this.#writes.length + this.#drains.length > 0;
    return isAwaited || this.#queuedBytes >= GATHERED_BYTES;
  }

  async #step(): Promise<void> {
    const flush = this.#flushes[0];
    if (flush && flush.seqno <= this.#written) await this.#sync();
    else if (this.#queue.length > 0) await this.#writeNext();
  }

  #settle(): void {
    this.#flushes = settled(this.#flushes, this.#durable);
    this.#writes = settled(this.#writes, this.#written);
    if (this.#queuedBytes < this.#options.maxQueuedBytes) this.#drains = settled(this.#drains, 0);
  }

  async #writeNext(): Promise<void> {
    const batch = this.#takeBatch();
    const [first, last] = [batch[0], batch.at(-1)];
    if (!first || !last) return;
    await this.#writeBatch(batch, first, last);
    this.#written = last.seqno;
    this.#end = last.offset + last.bytes.length;
    if (last.closes) await this.#closeChunk(last.seqno);
  }

  /** Records for one write: of one chunk, and not too much. */
  #takeBatch(): PlacedRecord[] {
    const batch: PlacedRecord[] = [];
    let bytes = 0;
    for (const item of this.#queue) {
      if (batch.length > 0 && bytes + item.bytes.length > MAX_WRITE_BYTES) break;
      batch.push(item);
      bytes += item.bytes.length;
      if (item.closes) break;
    }
    this.#queue.splice(0, batch.length);
    this.#queuedBytes -= bytes;
    return batch;
  }

  async #writeBatch(batch: readonly PlacedRecord[], first: PlacedRecord, last: PlacedRecord): Promise<void> {
    const { derived, ring } = this.#uses;
    if (first.header) await this.#beginChunk(first.seqno);
    const file = this.#file;
    if (!file) throw new RangeError(`no chunk is open for record ${first.seqno}`);
    const parts = batch.map(({ bytes }) => bytes);
    if (first.header) parts.unshift(first.header);
    const slots = Buffer.allocUnsafe(batch.length * SLOT_BYTES);
    for (const [at, placed] of batch.entries()) encodeSlot(slots, at * SLOT_BYTES, placed);
    const [from, to] = [mmrSize(first.seqno), mmrSize(last.seqno + 1)];
    await Promise.all([
      file.write(parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts), first.header ? 0 : first.offset),
      derived.writeNodes(from, ring.slice(from, to)),
      derived.writeSlots(first.seqno, slots),
    ]);
    ring.wrote(to);
  }

  async #beginChunk(first: number): Promise<void> {
    const { disk, chunks } = this.#uses;
    this.#file = await disk.open(chunks.pathFor(first), 'create');
    chunks.add(first);
    this.#isFolderDirty = true;
  }

  async #closeChunk(last: number): Promise<void> {
    const { disk, chunks, derived } = this.#uses;
    const chunk = chunks.open;
    const file = this.#file;
    if (!chunk || !file) throw new RangeError('no chunk is open');
    await file.sync();
    await derived.sync();
    this.#file = null;
    await file.close();
    await closeChunk(disk, chunks, chunk, last);
    this.#isFolderDirty = false;
    await derived.writeMark(last);
    this.#durable = last;
  }

  async #sync(): Promise<void> {
    const seqno = this.#written;
    // Tree and mark too: without them, records that no signature vouches for yet could not be told from torn ones after a crash.
    await Promise.all([this.#file?.sync(), this.#uses.derived.sync()]);
    if (this.#isFolderDirty) await this.#uses.disk.syncDirectory(this.#uses.chunks.directory);
    this.#isFolderDirty = false;
    await this.#uses.derived.writeMark(seqno);
    this.#durable = seqno;
  }

  #fail(cause: unknown): void {
    const failure = new LedgerWriteError('a write to the ledger failed', { cause });
    this.#failure = failure;
    for (const { reject } of [...this.#flushes, ...this.#writes, ...this.#drains]) reject(failure);
    this.#flushes = [];
    this.#writes = [];
    this.#drains = [];
    this.#queue = [];
    this.#uses.onFailure(failure);
  }
}

function settled(waiters: Waiter[], reached: number): Waiter[] {
  for (const { seqno, resolve } of waiters) if (seqno <= reached) resolve();
  return waiters.filter(({ seqno }) => seqno > reached);
}

/** Gives a chunk that is synced its name for ever. */
export async function closeChunk(disk: Disk, chunks: ChunkList, chunk: Chunk, last: number): Promise<void> {
  const path = chunks.closedPath(chunk.first, last);
  const rename = async (): Promise<void> => {
    await disk.rename(chunk.path, path);
    chunk.path = path;
    chunk.last = last;
  };
  chunk.renaming = rename();
  await chunk.renaming;
  await disk.syncDirectory(chunks.directory);
}
