/**
 * A hash table of keys that are never taken out, 16 bytes in a slot. It grows by a fifth when 85 % full, so it stays above 70 % full
 * and takes at most 23 bytes for each key (24 with the rounding of small ones). A large one grows in its place, by pages of the
 * machine: tables that are made anew would leave holes to the allocator, which grow as the tables do and are never given back.
 * Keys stand about in their own order, because they are digests and their first bits say where they belong: so a table is filled
 * from a list of rising keys, and read into one, from its beginning to its end.
 */

/** The four words of a key: 128 bits, never all zeros. */
export type Key = Readonly<{ a: number; b: number; c: number; d: number }>;

/** 32-bit words of a key. */
const WORDS = 4;
const SLOT_BYTES = 16;
const FIRST_SLOTS = 8;
/** Of all slots; a fuller table grows. */
const FULL = 0.85;
const GROWTH = 1.2;
/** Slots of a shard: over 400 million ids in 256 shards. */
const MAX_SLOTS = 2 ** 21;
/** From so many slots on (32 KiB) a table grows in its place. Until then it reserves no addresses: two mappings, and 32 MiB. */
const IN_PLACE_SLOTS = 2 ** 11;

export class Shard {
  /** Slots of four words; a free slot is all zeros. */
  table: Uint32Array = new Uint32Array(0);
  slots = 0;
  count = 0;

  #isFreeAt(at: number): boolean {
    return isFree(this.table, at);
  }

  /** Slot where a key belongs: by its first word without the first byte, which is the same in all of a shard. */
  home(a: number): number {
    return Math.floor(((a & 0xffffff) * this.slots) / 2 ** 24);
  }

  /** Word offset of the key's slot, or of the free slot where it belongs. */
  #find({ a, b, c, d }: Key): number {
    const { table, slots } = this;
    for (let slot = this.home(a); ; slot = slot + 1 === slots ? 0 : slot + 1) {
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

  /** Keys from an empty table on, 16 bytes each. @throws RangeError unless they rise, and begin with this byte */
  fill(bytes: Uint8Array, firstByte: number): void {
    if (bytes.length % SLOT_BYTES !== 0) throw new RangeError('spent ids must have 16 bytes each');
    if (bytes.length === 0) return;
    this.resize(Math.ceil(bytes.length / SLOT_BYTES / FULL));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let previous: Key | undefined;
    let next = 0;
    for (let from = 0; from < bytes.length; from += SLOT_BYTES) {
      const key = keyAt(view, from);
      if (key.a >>> 24 !== firstByte) throw new RangeError('a spent id is in another shard');
      if (previous && compareKeys(previous, key) >= 0) throw new RangeError('spent ids are not in rising order');
      previous = key;
      next = this.#append(key, next);
    }
  }

  /** Never to fewer than there are. */
  resize(slots: number): void {
    if (slots > MAX_SLOTS) throw new RangeError('there is no room for more spent ids');
    const places = placesInOrder(this);
    const old = resizable(this.table) ? copyOf(this.table) : this.table;
    this.table = grown(this.table, slots * SLOT_BYTES);
    this.slots = slots;
    this.count = 0;
    let next = 0;
    for (const at of places) next = this.#append(slotAt(old, at), next);
  }

  /** A key that comes after all that are there, of which the last is before slot `next`. @returns the slot after it */
  #append(key: Key, next: number): number {
    const slot = Math.max(this.home(key.a), next);
    if (slot < this.slots) this.#put(slot * WORDS, key);
    else this.#place(key);
    return slot + 1;
  }

  #place(key: Key): boolean {
    const at = this.#find(key);
    if (!this.#isFreeAt(at)) return false;
    this.#put(at, key);
    return true;
  }

  #put(at: number, { a, b, c, d }: Key): void {
    const { table } = this;
    table[at] = a;
    table[at + 1] = b;
    table[at + 2] = c;
    table[at + 3] = d;
    this.count++;
  }
}

/** Big-endian words. */
function keyAt(view: DataView, from: number): Key {
  return keyOfWords(
    view.getUint32(from),
    view.getUint32(from + 4),
    view.getUint32(from + 8),
    view.getUint32(from + 12),
  );
}

/** The one key that reads as a free slot is moved to its neighbour. */
export const keyOfWords = (a: number, b: number, c: number, d: number): Key => ({
  a,
  b,
  c,
  d: a === 0 && b === 0 && c === 0 && d === 0 ? 1 : d,
});

const compareKeys = (x: Key, y: Key): number => x.a - y.a || x.b - y.b || x.c - y.c || x.d - y.d;

/** The table's bytes, where they can become more. */
function resizable({ buffer }: Uint32Array): ArrayBuffer | undefined {
  return buffer instanceof ArrayBuffer && buffer.resizable ? buffer : undefined;
}

/** An empty table of so many bytes, in the place of the one before where that can grow. */
function grown(table: Uint32Array, bytes: number): Uint32Array {
  const place = resizable(table);
  if (place) {
    place.resize(bytes);
    return table.fill(0);
  }
  if (bytes < IN_PLACE_SLOTS * SLOT_BYTES) return new Uint32Array(bytes / 4);
  return new Uint32Array(new ArrayBuffer(bytes, { maxByteLength: MAX_SLOTS * SLOT_BYTES }));
}

/** Where the slots of a table wait while it is filled again; one for all, as large as the largest so far. */
let waiting = new Uint32Array(0);

function copyOf(table: Uint32Array): Uint32Array {
  if (waiting.length < table.length) waiting = new Uint32Array(Math.ceil(table.length * GROWTH));
  waiting.set(table);
  return waiting;
}

const isFree = (table: Uint32Array, at: number): boolean =>
  table[at] === 0 && table[at + 1] === 0 && table[at + 2] === 0 && table[at + 3] === 0;

const slotAt = (table: Uint32Array, at: number): Key => ({
  a: table[at] ?? 0,
  b: table[at + 1] ?? 0,
  c: table[at + 2] ?? 0,
  d: table[at + 3] ?? 0,
});

/** Moves for each key that insertion may take; a table where keys crowd is sorted by another way. */
const MOVES_PER_KEY = 64;

/**
 * Places of a shard's keys, by rising key. Slots are nearly in that order already: insertion moves a key past its neighbours of one
 * cluster. Who finds ids that crowd in one place gains nothing by it.
 */
function placesInOrder(shard: Shard, later?: Shard): Uint32Array {
  const { table, slots } = shard;
  const places = new Uint32Array(shard.count);
  let count = 0;
  let moves = shard.count * MOVES_PER_KEY;
  const insert = (at: number): void => {
    let place = count++;
    for (; moves > 0 && place > 0 && compareSlots(table, places[place - 1] ?? 0, at) > 0; place--, moves--) {
      places[place] = places[place - 1] ?? 0;
    }
    places[place] = at;
  };
  /** Of the last cluster, which goes on where the table begins. */
  const wrapped: number[] = [];
  let isFirstCluster = true;
  for (let slot = 0; slot < slots; slot++) {
    const at = slot * WORDS;
    if (isFree(table, at)) isFirstCluster = false;
    else if (later && later.count > 0 && later.has(slotAt(table, at))) continue;
    else if (isFirstCluster && shard.home(table[at] ?? 0) > slot) wrapped.push(at);
    else insert(at);
  }
  wrapped.forEach(insert);
  const found = places.subarray(0, count);
  return moves > 0 ? found : found.sort((x, y) => compareSlots(table, x, y));
}

/** Keys of a shard in rising order, 16 bytes each, without those of `later`. */
export function sortedKeys(shard: Shard, later: Shard): Uint8Array {
  const { table } = shard;
  const places = placesInOrder(shard, later);
  const bytes = new Uint8Array(places.length * SLOT_BYTES);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < places.length; i++) {
    const at = places[i] ?? 0;
    for (let word = 0; word < WORDS; word++) view.setUint32((i * WORDS + word) * 4, table[at + word] ?? 0);
  }
  return bytes;
}

function compareSlots(table: Uint32Array, x: number, y: number): number {
  for (let word = 0; word < WORDS; word++) {
    const difference = (table[x + word] ?? 0) - (table[y + word] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
