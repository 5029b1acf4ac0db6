/**
 * Ids that were used, for ever: transfers (scoped to their bank), locks (scoped to their vault), instructions. Only the
 * first 128 bits of SHA-256 over scope and id are kept, 16 bytes in a slot. Tables grow by a fifth when 85 % full, so
 * they stay above 70 % full and take at most 23 bytes for each id (24 with the rounding of small shards); the 256 shards
 * grow one at a time. Nobody can choose ids that crowd a shard without finding partial preimages of SHA-256, and that
 * would cost him time alone.
 */

import type { InstructionId, LockId, ParticipantId, TransferId, VaultKey } from '@drawbridge/protocol/ids';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';

/** An id in its scope, hashed once for all look-ups of one command. */
export type SpentMark = Readonly<{ text: string; digest: Uint8Array }>;

const mark = (text: string): SpentMark => ({ text, digest: sha256(utf8ToBytes(text)) });

export const transferMark = (bank: ParticipantId, id: TransferId): SpentMark =>
  mark(`t${bank}/${id.replaceAll('-', '')}`);
export const lockMark = (vault: VaultKey, lockId: LockId): SpentMark => mark(`l${vault}/${lockId}`);
export const instructionMark = (id: InstructionId): SpentMark => mark(`i${id}`);

const SHARDS = 256;
/** 32-bit words of a key. */
const WORDS = 4;
const FIRST_SLOTS = 8;
const FULL = 0.85;
const GROWTH = 1.2;

type Words = readonly [number, number, number, number];

class Shard {
  /** Slots of four words; a free slot is all zeros. */
  table: Uint32Array = new Uint32Array(0);
  count = 0;

  get slots(): number {
    return this.table.length / WORDS;
  }

  #isFreeAt(at: number): boolean {
    const { table } = this;
    return table[at] === 0 && table[at + 1] === 0 && table[at + 2] === 0 && table[at + 3] === 0;
  }

  /** Word offset of the key's slot, or of the free slot where it belongs. */
  #find(key: Words): number {
    const { table, slots } = this;
    for (let slot = key[1] % slots; ; slot = slot + 1 === slots ? 0 : slot + 1) {
      const at = slot * WORDS;
      const same =
        table[at] === key[0] && table[at + 1] === key[1] && table[at + 2] === key[2] && table[at + 3] === key[3];
      if (same || this.#isFreeAt(at)) return at;
    }
  }

  /** A key is never all zeros, so a slot that is taken is the key's own. */
  has(key: Words): boolean {
    return this.count > 0 && !this.#isFreeAt(this.#find(key));
  }

  add(key: Words): void {
    if (this.count + 1 > this.slots * FULL) this.resize(Math.max(FIRST_SLOTS, Math.ceil(this.slots * GROWTH)));
    this.#place(key);
  }

  resize(slots: number): void {
    const old = this.table;
    this.table = new Uint32Array(slots * WORDS);
    this.count = 0;
    for (let at = 0; at < old.length; at += WORDS) {
      const key = wordsAt(old, at);
      if (!isFree(key)) this.#place(key);
    }
  }

  #place(key: Words): void {
    const at = this.#find(key);
    if (!this.#isFreeAt(at)) return;
    this.table.set(key, at);
    this.count++;
  }
}

const wordsAt = (table: Uint32Array, at: number): Words => [
  table[at] ?? 0,
  table[at + 1] ?? 0,
  table[at + 2] ?? 0,
  table[at + 3] ?? 0,
];
const isFree = (key: Words): boolean => key[0] === 0 && key[1] === 0 && key[2] === 0 && key[3] === 0;

/** Big-endian words of the first 16 bytes; the one key that reads as a free slot is moved to its neighbour. */
function wordsOf(bytes: Uint8Array, from = 0): Words {
  const word = (i: number): number =>
    (((bytes[from + i] ?? 0) << 24) |
      ((bytes[from + i + 1] ?? 0) << 16) |
      ((bytes[from + i + 2] ?? 0) << 8) |
      (bytes[from + i + 3] ?? 0)) >>>
    0;
  const key: Words = [word(0), word(4), word(8), word(12)];
  return isFree(key) ? [0, 0, 0, 1] : key;
}

const compareWords = (a: Words, b: Words): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3];

export class SpentIds {
  readonly #shards: readonly Shard[] = Array.from({ length: SHARDS }, () => new Shard());

  get size(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.count, 0);
  }

  /** Bytes that the tables take. */
  get tableBytes(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.table.byteLength, 0);
  }

  #shardOf(key: Words): Shard {
    const shard = this.#shards[key[0] >>> 24];
    if (shard === undefined) throw new RangeError('shard number is one byte');
    return shard;
  }

  has({ digest }: SpentMark): boolean {
    const key = wordsOf(digest);
    return this.#shardOf(key).has(key);
  }

  /** Adding twice is the same as adding once; whoever spends asks `has` before. */
  add({ digest }: SpentMark): void {
    const key = wordsOf(digest);
    this.#shardOf(key).add(key);
  }

  /** The keys of each shard in rising order, 16 bytes each: the same bytes in whatever order they were added. */
  toShards(): Uint8Array[] {
    return this.#shards.map((shard) => {
      const keys: Words[] = [];
      for (let at = 0; at < shard.table.length; at += WORDS) {
        const key = wordsAt(shard.table, at);
        if (!isFree(key)) keys.push(key);
      }
      keys.sort(compareWords);
      const bytes = new Uint8Array(keys.length * 16);
      const view = new DataView(bytes.buffer);
      keys.forEach((key, i) => {
        key.forEach((word, j) => {
          view.setUint32(i * 16 + j * 4, word);
        });
      });
      return bytes;
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
      let previous: Words | undefined;
      for (let from = 0; from < bytes.length; from += 16) {
        const key = wordsOf(bytes, from);
        if (key[0] >>> 24 !== number) throw new RangeError('a spent id is in another shard');
        if (previous && compareWords(previous, key) >= 0) throw new RangeError('spent ids are not in rising order');
        shard?.add(key);
        previous = key;
      }
    });
    return ids;
  }
}
