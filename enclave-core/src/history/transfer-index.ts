/**
 * In which block each ended transfer is: its key to a seqno. Keys look random, and a B-tree that takes them one by one writes
 * a page for each, of more levels the more there are. So they gather in memory and are stored together: a *run*, sorted, for
 * each of many buckets. Every so often a bucket's latest runs become one, a few buckets at a time. What it costs to store one
 * does not grow with the history; to find one takes a search in each run of its bucket.
 *
 * What has gathered and is not stored is made again from the blocks after a restart.
 */
import { INDEX_HASH_BYTES } from './index-keys.ts';

const BUCKET_BYTES = 2;
const NUMBER_BYTES = 8;
const RUN_KEY_BYTES: number = BUCKET_BYTES + NUMBER_BYTES;
const SEQNO_BYTES = 8;
/** key ‖ seqno, big-endian; a run is entries in rising order. */
const ENTRY_BYTES: number = INDEX_HASH_BYTES + SEQNO_BYTES;

export type Run = Readonly<{ key: Uint8Array; value: Uint8Array }>;

/** Runs with keys from `from` up to and without `end`, in rising order. */
export type ReadRuns = (from: Uint8Array, end: Uint8Array) => Iterable<Run>;

/** To be done in one transaction. */
export type RunChanges = Readonly<{ puts: readonly Run[]; removes: readonly Uint8Array[] }>;

export type TransferIndexOptions = Readonly<{
  /** Entries, or blocks, that gather before they are stored. Default 16,384. */
  gathered?: number;
  /** At most 65,536; must be the same for ever. Default 1,024. */
  buckets?: number;
  /** Runs of a bucket that become one. Default 64. */
  merged?: number;
}>;

function runKey(bucket: number, number: number): Buffer {
  const key = Buffer.allocUnsafe(RUN_KEY_BYTES);
  key.writeUInt16BE(bucket);
  key.writeBigUInt64BE(BigInt(number), BUCKET_BYTES);
  return key;
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export class TransferIndex {
  readonly #readRuns: ReadRuns;
  readonly #options: Required<TransferIndexOptions>;
  /** By block, in their order. */
  #gathered: Readonly<{ keys: readonly Buffer[]; seqno: number }>[] = [];
  #size = 0;
  /** Of the first `#mapped` blocks, by key as text whose characters are its bytes; the rest follows when one is looked for. */
  readonly #byKey = new Map<string, number>();
  #mapped = 0;
  #stores: number;

  /** @param stores how often it was stored before */
  constructor(readRuns: ReadRuns, stores: number, options: TransferIndexOptions = {}) {
    this.#readRuns = readRuns;
    this.#stores = stores;
    this.#options = {
      gathered: options.gathered ?? 16_384,
      buckets: options.buckets ?? 1_024,
      merged: options.merged ?? 64,
    };
  }

  /** How often it was stored. */
  get stores(): number {
    return this.#stores;
  }

  get isFull(): boolean {
    const { gathered } = this.#options;
    return this.#size >= gathered || this.#gathered.length >= gathered;
  }

  /** Takes the keys of a block's transfers, each of `INDEX_HASH_BYTES`. */
  add(keys: readonly Buffer[], seqno: number): void {
    this.#gathered.push({ keys, seqno });
    this.#size += keys.length;
  }

  find(key: Buffer): number | undefined {
    const recent = this.#findGathered(key);
    if (recent !== undefined) return recent;
    const bucket = this.#bucketOf(key);
    for (const { value } of this.#readRuns(runKey(bucket, 0), runKey(bucket, Number.MAX_SAFE_INTEGER))) {
      const found = seqnoIn(asBuffer(value), key);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** All that has gathered, as the next runs. To be followed by `stored`, and by nothing in between. */
  changes(): RunChanges {
    const { buckets, merged } = this.#options;
    const number = this.#stores + 1;
    const byBucket = new Map<number, Buffer[]>();
    const put = (entry: Buffer): void => {
      const bucket = this.#bucketOf(entry);
      const entries = byBucket.get(bucket);
      if (entries) entries.push(entry);
      else byBucket.set(bucket, [entry]);
    };
    for (const { keys, seqno } of this.#gathered) for (const key of keys) put(entryOf(key, seqno));
    const removes: Uint8Array[] = [];
    // Each time it is the turn of others, so that no time costs more than another.
    const first = merged - 1 - ((number - 1) % merged);
    for (let bucket = first; bucket < buckets; bucket += merged) {
      const from = runKey(bucket, Math.max(0, number - merged + 1));
      for (const { key, value } of this.#readRuns(from, runKey(bucket, number))) {
        // What is read may not outlive the read.
        for (const entry of entriesIn(Buffer.from(value))) put(entry);
        removes.push(Uint8Array.from(key));
      }
    }
    const puts = Array.from(byBucket, ([bucket, entries]) => ({
      key: runKey(bucket, number),
      value: Buffer.concat(entries.sort((a, b) => Buffer.compare(a, b))),
    }));
    return { puts, removes };
  }

  /** The transaction with `changes` was committed. */
  stored(): void {
    this.#stores += 1;
    this.#gathered = [];
    this.#size = 0;
    this.#byKey.clear();
    this.#mapped = 0;
  }

  #findGathered(key: Buffer): number | undefined {
    for (; this.#mapped < this.#gathered.length; this.#mapped += 1) {
      const block = this.#gathered[this.#mapped];
      for (const own of block?.keys ?? []) this.#byKey.set(own.toString('latin1'), block?.seqno ?? 0);
    }
    return this.#byKey.get(key.toString('latin1'));
  }

  #bucketOf(key: Buffer): number {
    return key.readUInt16BE() % this.#options.buckets;
  }
}

function entryOf(key: Buffer, seqno: number): Buffer {
  const entry = Buffer.allocUnsafe(ENTRY_BYTES);
  key.copy(entry);
  entry.writeBigUInt64BE(BigInt(seqno), INDEX_HASH_BYTES);
  return entry;
}

function* entriesIn(run: Buffer): Generator<Buffer> {
  for (let at = 0; at < run.length; at += ENTRY_BYTES) yield run.subarray(at, at + ENTRY_BYTES);
}

/** Binary search. */
function seqnoIn(run: Buffer, key: Buffer): number | undefined {
  let low = 0;
  let high = run.length / ENTRY_BYTES;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const at = middle * ENTRY_BYTES;
    const order = run.compare(key, 0, INDEX_HASH_BYTES, at, at + INDEX_HASH_BYTES);
    if (order === 0) return Number(run.readBigUInt64BE(at + INDEX_HASH_BYTES));
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return undefined;
}
