/**
 * A hash table of keys that are never taken out, 16 bytes in a slot. It grows by a fifth when 85 % full, so it stays above 70 % full
 * and takes at most 23 bytes for each key (24 with the rounding of small ones). A large one grows in its place, by pages of the
 * machine: tables that are made anew would leave holes to the allocator, which grow as the tables do and are never given back.
 */

/** The four words of a key: 128 bits, never all zeros. */
export type Key = Readonly<{ a: number; b: number; c: number; d: number }>;

/** 32-bit words of a key. */
const WORDS = 4;
const SLOT_BYTES = 16;
const FIRST_SLOTS = 8;
/** Of all slots; a fuller table grows. */
export const FULL = 0.85;
const GROWTH = 1.2;
/** Slots of a shard, so that a first word and a slot number fit one exact double: over 400 million ids in 256 shards. */
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

  /** Never to fewer than there are. */
  resize(slots: number): void {
    if (slots > MAX_SLOTS) throw new RangeError('there is no room for more spent ids');
    const words = this.slots * WORDS;
    const old = resizable(this.table) ? copyOf(this.table) : this.table;
    this.table = grown(this.table, slots * SLOT_BYTES);
    this.slots = slots;
    this.count = 0;
    for (let at = 0; at < words; at += WORDS) if (!isFree(old, at)) this.#place(slotAt(old, at));
  }

  #place(key: Key): boolean {
    const at = this.#find(key);
    if (!this.#isFreeAt(at)) return false;
    this.table[at] = key.a;
    this.table[at + 1] = key.b;
    this.table[at + 2] = key.c;
    this.table[at + 3] = key.d;
    this.count++;
    return true;
  }
}

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

/**
 * Keys of a shard in rising order, 16 bytes each, without those of `later`. Sorts doubles of first word and slot, which the
 * engine does natively.
 */
export function sortedKeys({ table, slots }: Shard, later: Shard): Uint8Array {
  const order = new Float64Array(slots);
  let count = 0;
  for (let slot = 0; slot < slots; slot++) {
    const at = slot * WORDS;
    if (isFree(table, at) || (later.count > 0 && later.has(slotAt(table, at)))) continue;
    order[count++] = (table[at] ?? 0) * MAX_SLOTS + slot;
  }
  const places = order.subarray(0, count).sort();
  for (let i = 0; i < count; i++) places[i] = ((places[i] ?? 0) % MAX_SLOTS) * WORDS;
  // Keys of one first word stand by slot now; they are few, and insertion puts them right.
  for (let i = 1; i < count; i++) {
    for (let j = i; j > 0 && compareSlots(table, places[j - 1] ?? 0, places[j] ?? 0) > 0; j--) {
      [places[j - 1], places[j]] = [places[j] ?? 0, places[j - 1] ?? 0];
    }
  }
  const bytes = new Uint8Array(count * WORDS * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) {
    for (let word = 0; word < WORDS; word++) {
      view.setUint32((i * WORDS + word) * 4, table[(places[i] ?? 0) + word] ?? 0);
    }
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
