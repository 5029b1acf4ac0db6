/**
 * The history's place on disk: one LMDB environment with sealed blocks by seqno and index entries that hold nothing but
 * keyed hashes and seqnos. LMDB commits at once and syncs behind (`overlappingSync`): a crash of the process loses no
 * committed write, a crash of the machine falls back to the last synced transaction, never to a broken file.
 */
import { type Database, open, type RootDatabase } from 'lmdb';
import { INDEX_HASH_BYTES } from './index-keys.ts';
import type { ReadRuns, RunChanges } from './transfer-index.ts';

const KEY_BYTES = 8;
/** A block is many pages long, and LMDB looks for as many free ones in a row: fewer and larger ones are found sooner. */
const PAGE_BYTES = 8_192;
const LIST_KEY_BYTES: number = INDEX_HASH_BYTES + KEY_BYTES;
const META_KEY = Buffer.from('last');

/** One block with its index entries. */
export type StoredBlock = Readonly<{
  seqno: number;
  sealed: Uint8Array;
  /** Each list that it has items of, with the number of the first. */
  lists: readonly Readonly<{ hash: Uint8Array; first: number }>[];
}>;

/** What one transaction writes. `runs`: of the index of transfers, when it is stored. */
export type StoreChanges = Readonly<{ blocks: readonly StoredBlock[]; runs?: RunChanges; meta: Uint8Array }>;

export type ListEntry = Readonly<{ first: number; seqno: number }>;

function u64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(KEY_BYTES);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
const fromU64 = (bytes: Uint8Array, at = 0): number =>
  Number(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readBigUInt64BE(at));
const listKey = (hash: Uint8Array, first: number): Buffer => Buffer.concat([hash, u64(first)]);

type Table = Database<Uint8Array, Uint8Array>;

/** LMDB could not commit, as on a full disk. Nothing is lost: what is missing is made again from the ledger. */
export class HistoryWriteError extends Error {
  override readonly name = 'HistoryWriteError';
  readonly code = 'HISTORY_WRITE_FAILED' as const;

  constructor(options: ErrorOptions) {
    super(
      'a write to the history failed. Free space or replace the disk, then start the node again: the history is made whole from the ledger',
      options,
    );
  }
}

export class LmdbStore {
  readonly #root: RootDatabase<Uint8Array, Uint8Array>;
  readonly #blocks: Table;
  readonly #runs: Table;
  readonly #lists: Table;
  readonly #meta: Table;

  constructor(path: string) {
    const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;
    this.#root = open<Uint8Array, Uint8Array>({ path, maxDbs: 4, noSubdir: false, pageSize: PAGE_BYTES, ...binary });
    this.#blocks = this.#root.openDB('blocks', binary);
    this.#runs = this.#root.openDB('transfer-runs', binary);
    this.#lists = this.#root.openDB('lists', binary);
    this.#meta = this.#root.openDB('meta', binary);
  }

  /**
   * Writes all of it in one transaction; resolves when readers see it, which is before it is synced.
   * @throws HistoryWriteError
   */
  async write(changes: StoreChanges): Promise<void> {
    await this.#batch(changes).catch((cause: unknown) => {
      throw new HistoryWriteError({ cause });
    });
    this.#root.resetReadTxn();
  }

  async #batch({ blocks, runs, meta }: StoreChanges): Promise<void> {
    await this.#root.batch(() => {
      for (const block of blocks) {
        const ref = u64(block.seqno);
        // Inside `batch` a put only queues; the batch as a whole is what is awaited.
        void this.#blocks.put(ref, block.sealed);
        for (const { hash, first } of block.lists) void this.#lists.put(listKey(hash, first), ref);
      }
      for (const { key, value } of runs?.puts ?? []) void this.#runs.put(key, value);
      for (const key of runs?.removes ?? []) void this.#runs.remove(key);
      void this.#meta.put(META_KEY, meta);
    });
  }

  meta(): Uint8Array | undefined {
    return this.#meta.get(META_KEY);
  }

  block(seqno: number): Uint8Array | undefined {
    return this.#blocks.get(u64(seqno));
  }

  /** Blocks after `seqno`, in order. What is read must be used before the next one. */
  *blocksAfter(seqno: number): Generator<Readonly<{ seqno: number; sealed: Uint8Array }>> {
    for (const { key, value } of this.#blocks.getRange({ start: u64(seqno + 1) })) {
      yield { seqno: fromU64(key), sealed: value };
    }
  }

  readonly runs: ReadRuns = (start, end) => this.#runs.getRange({ start, end });

  /** The block that holds `number` of a list, if it is that far, and those after it, in order. */
  *listFrom(hash: Uint8Array, number: number): Generator<ListEntry> {
    const floor = this.#lastAtOrBefore(hash, number);
    if (floor) yield floor;
    const start = listKey(hash, floor ? floor.first + 1 : number);
    const end = listKey(hash, Number.MAX_SAFE_INTEGER);
    for (const { key, value } of this.#lists.getRange({ start, end })) {
      yield { first: fromU64(key, INDEX_HASH_BYTES), seqno: fromU64(value) };
    }
  }

  lastOfList(hash: Uint8Array): ListEntry | undefined {
    return this.#lastAtOrBefore(hash, Number.MAX_SAFE_INTEGER);
  }

  /** Resolves when all that was written is on the disk. */
  async sync(): Promise<void> {
    await this.#root.flushed;
  }

  async clear(): Promise<void> {
    for (const table of [this.#blocks, this.#runs, this.#lists, this.#meta]) await table.clearAsync();
    await this.sync();
  }

  async close(): Promise<void> {
    await this.sync();
    await this.#root.close();
  }

  #lastAtOrBefore(hash: Uint8Array, number: number): ListEntry | undefined {
    const range = { start: listKey(hash, number), end: listKey(hash, 0), reverse: true, limit: 1, inclusiveEnd: true };
    for (const { key, value } of this.#lists.getRange(range)) {
      if (key.length !== LIST_KEY_BYTES || Buffer.compare(key.subarray(0, INDEX_HASH_BYTES), hash) !== 0)
        return undefined;
      return { first: fromU64(key, INDEX_HASH_BYTES), seqno: fromU64(value) };
    }
    return undefined;
  }
}
