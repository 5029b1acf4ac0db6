/**
 * Ids that were used, for ever: transfers (scoped to their bank), locks (scoped to their vault), instructions. Only the
 * first 128 bits of SHA-256 over scope and id are kept, 16 bytes in a slot. Tables grow by a fifth when 85 % full, so
 * they stay above 70 % full and take at most 23 bytes for each id (24 with the rounding of small shards); the 256 shards
 * grow one at a time. Nobody can choose ids that crowd a shard without finding partial preimages of SHA-256, and that
 * would cost him time alone.
 */

import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { InstructionId, LockId, ParticipantId, TransferId, VaultKey } from '@drawbridge/protocol/ids';
import { sha256OfText } from '../sha256.ts';

/** The four words of a key: 128 bits, never all zeros. */
type Key = Readonly<{ a: number; b: number; c: number; d: number }>;

/** An id in its scope, hashed once for all look-ups of one command. */
export type SpentMark = Key & Readonly<{ text: string }>;

/** Longest id in its scope, in characters. */
const MAX_MARK = 256;

function mark(text: string): SpentMark {
  if (text.length > MAX_MARK) throw new RangeError(`an id in its scope has at most ${MAX_MARK} characters`);
  const digest = sha256OfText(text);
  return keyOf(text, wordIn(digest, 0), wordIn(digest, 4), wordIn(digest, 8), wordIn(digest, 12));
}

/** The one key that reads as a free slot is moved to its neighbour. */
const keyOf = (text: string, a: number, b: number, c: number, d: number): SpentMark => ({
  a,
  b,
  c,
  d: a === 0 && b === 0 && c === 0 && d === 0 ? 1 : d,
  text,
});

/** Big-endian, of characters that are bytes. */
const wordIn = (bytes: string, i: number): number =>
  ((bytes.charCodeAt(i) << 24) |
    (bytes.charCodeAt(i + 1) << 16) |
    (bytes.charCodeAt(i + 2) << 8) |
    bytes.charCodeAt(i + 3)) >>>
  0;

/**
 * Bank and UUID without its first hyphen: no separator is needed before 35 characters of fixed form, and with a LEI the
 * text fits one block of SHA-256. Locks hold two slashes, overflowed ones four, and instructions no hyphen, so none reads
 * as another.
 */
export const transferMark = (bank: ParticipantId, id: TransferId): SpentMark =>
  mark(bank + id.slice(0, 8) + id.slice(9));
export const lockMark = (vault: VaultKey, lockId: LockId): SpentMark => mark(`${vault}/${lockId}`);
/** A lock past `unmatchedLocksPerVault`, with the particulars that the state does not keep. At most 219 characters. */
export const overflowMark = (
  vault: VaultKey,
  { lockId, depositor, amountMinor }: Readonly<{ lockId: LockId; depositor: Bytes32; amountMinor: bigint }>,
): SpentMark => mark(`${vault}/${lockId}/${depositor}/${amountMinor}`);
export const instructionMark = (id: InstructionId): SpentMark => mark(id);

const SHARDS = 256;
/** 32-bit words of a key. */
const WORDS = 4;
const FIRST_SLOTS = 8;
const FULL = 0.85;
const GROWTH = 1.2;
/**
 * Slots of a shard, so that a first word and a slot number fit one exact double: over 400 million ids in all. A snapshot
 * holds fewer: docs/limitations.md.
 */
const MAX_SLOTS = 2 ** 21;

class Shard {
  /** Slots of four words; a free slot is all zeros. */
  table: Uint32Array = new Uint32Array(0);
  count = 0;
  /** A capture reads this table: it is copied before the next change. */
  #isShared = false;

  /** The table as it is now, which nothing will change. */
  share(): Uint32Array {
    this.#isShared = true;
    return this.table;
  }

  get slots(): number {
    return this.table.length / WORDS;
  }

  #isFreeAt(at: number): boolean {
    return isFree(this.table, at);
  }

  /** Word offset of the key's slot, or of the free slot where it belongs. */
  #find({ a, b, c, d }: Key): number {
    const { table, slots } = this;
    for (let slot = b % slots; ; slot = slot + 1 === slots ? 0 : slot + 1) {
      const at = slot * WORDS;
      const same = table[at] === a && table[at + 1] === b && table[at + 2] === c && table[at + 3] === d;
      if (same || this.#isFreeAt(at)) return at;
    }
  }

  /** A key is never all zeros, so a slot that is taken is the key's own. */
  has(key: Key): boolean {
    return this.count > 0 && !this.#isFreeAt(this.#find(key));
  }

  /** @returns whether the key is new. */
  add(key: Key): boolean {
    if (this.count + 1 > this.slots * FULL) this.resize(Math.max(FIRST_SLOTS, Math.ceil(this.slots * GROWTH)));
    return this.#place(key);
  }

  resize(slots: number): void {
    if (slots > MAX_SLOTS) throw new RangeError('there is no room for more spent ids');
    const old = this.table;
    this.table = new Uint32Array(slots * WORDS);
    this.#isShared = false;
    this.count = 0;
    for (let at = 0; at < old.length; at += WORDS) if (!isFree(old, at)) this.#place(slotAt(old, at));
  }

  #place(key: Key): boolean {
    const at = this.#find(key);
    if (!this.#isFreeAt(at)) return false;
    if (this.#isShared) {
      this.table = this.table.slice();
      this.#isShared = false;
    }
    this.table[at] = key.a;
    this.table[at + 1] = key.b;
    this.table[at + 2] = key.c;
    this.table[at + 3] = key.d;
    this.count++;
    return true;
  }
}

const isFree = (table: Uint32Array, at: number): boolean =>
  table[at] === 0 && table[at + 1] === 0 && table[at + 2] === 0 && table[at + 3] === 0;

const slotAt = (table: Uint32Array, at: number): Key => ({
  a: table[at] ?? 0,
  b: table[at + 1] ?? 0,
  c: table[at + 2] ?? 0,
  d: table[at + 3] ?? 0,
});

/** Big-endian words of 16 bytes; the one key that reads as a free slot is moved to its neighbour. */
function keyAt(bytes: Uint8Array, from: number): Key {
  const a = wordAt(bytes, from);
  const b = wordAt(bytes, from + 4);
  const c = wordAt(bytes, from + 8);
  const d = wordAt(bytes, from + 12);
  return a === 0 && b === 0 && c === 0 && d === 0 ? { a, b, c, d: 1 } : { a, b, c, d };
}

const wordAt = (bytes: Uint8Array, i: number): number =>
  (((bytes[i] ?? 0) << 24) | ((bytes[i + 1] ?? 0) << 16) | ((bytes[i + 2] ?? 0) << 8) | (bytes[i + 3] ?? 0)) >>> 0;

const compareKeys = (x: Key, y: Key): number => x.a - y.a || x.b - y.b || x.c - y.c || x.d - y.d;

/** Keys of a table in rising order, 16 bytes each. Sorts doubles of first word and slot, which the engine does natively. */
function sortedKeys(table: Uint32Array): Uint8Array {
  const order = new Float64Array(table.length / WORDS);
  let count = 0;
  for (let slot = 0; slot < order.length; slot++) {
    const at = slot * WORDS;
    if (!isFree(table, at)) order[count++] = (table[at] ?? 0) * MAX_SLOTS + slot;
  }
  const sorted = order.subarray(0, count).sort();
  const keys = Array.from(sorted, (place) => (place % MAX_SLOTS) * WORDS);
  // Keys of one first word stand by slot now; they are few, and insertion puts them right.
  for (let i = 1; i < keys.length; i++) {
    for (let j = i; j > 0 && compareSlots(table, keys[j - 1] ?? 0, keys[j] ?? 0) > 0; j--) {
      [keys[j - 1], keys[j]] = [keys[j] ?? 0, keys[j - 1] ?? 0];
    }
  }
  const bytes = new Uint8Array(count * WORDS * 4);
  const view = new DataView(bytes.buffer);
  keys.forEach((at, i) => {
    for (let word = 0; word < WORDS; word++) view.setUint32((i * WORDS + word) * 4, table[at + word] ?? 0);
  });
  return bytes;
}

function compareSlots(table: Uint32Array, x: number, y: number): number {
  for (let word = 0; word < WORDS; word++) {
    const difference = (table[x + word] ?? 0) - (table[y + word] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export class SpentIds {
  readonly #shards: readonly Shard[] = Array.from({ length: SHARDS }, () => new Shard());

  get size(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.count, 0);
  }

  /** Bytes that the tables take. */
  get tableBytes(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.table.byteLength, 0);
  }

  #shardOf(key: Key): Shard {
    const shard = this.#shards[key.a >>> 24];
    if (shard === undefined) throw new RangeError('shard number is one byte');
    return shard;
  }

  has(mark: SpentMark): boolean {
    return this.#shardOf(mark).has(mark);
  }

  /** @returns whether the id is new; adding one twice changes nothing. */
  add(mark: SpentMark): boolean {
    return this.#shardOf(mark).add(mark);
  }

  /** The keys of each shard in rising order, 16 bytes each: the same bytes in whatever order they were added. */
  toShards(): Uint8Array[] {
    return this.capture().map((encode) => encode());
  }

  /** The ids as they are now, at the cost of nothing; each shard's bytes come when they are asked for, with what that costs. */
  capture(): (() => Uint8Array)[] {
    return this.#shards.map((shard) => {
      const table = shard.share();
      return () => sortedKeys(table);
    });
  }

  /** @throws RangeError unless `shards` is what `toShards` gives: 256 lists of rising keys, each in its shard. */
  static fromShards(shards: readonly Uint8Array[]): SpentIds {
    if (shards.length !== SHARDS) throw new RangeError('spent ids must have 256 shards');
    const ids = new SpentIds();
    shards.forEach((bytes, number) => {
      if (bytes.length % 16 !== 0) throw new RangeError('spent ids must have 16 bytes each');
      const shard = ids.#shards[number];
      shard?.resize(Math.ceil(bytes.length / 16 / FULL));
      let previous: Key | undefined;
      for (let from = 0; from < bytes.length; from += 16) {
        const key = keyAt(bytes, from);
        if (key.a >>> 24 !== number) throw new RangeError('a spent id is in another shard');
        if (previous && compareKeys(previous, key) >= 0) throw new RangeError('spent ids are not in rising order');
        shard?.add(key);
        previous = key;
      }
    });
    return ids;
  }
}
