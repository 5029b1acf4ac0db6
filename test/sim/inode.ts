/** Contents of a file on a simulated disk: what a process sees, and what would be there after the power went. */
import { Buffer } from 'node:buffer';
import type { Random } from './random.ts';

/** A sector is written whole or not at all; nothing larger is. */
export const SECTOR_BYTES = 512;

export class Inode {
  #live: Buffer = Buffer.alloc(0);
  #stable: Buffer = Buffer.alloc(0);
  #liveSize = 0;
  #stableSize = 0;
  /** Sectors that differ, or may, between what is seen and what is on the platter. */
  readonly #dirty = new Set<number>();

  get size(): number {
    return this.#liveSize;
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0 || this.#liveSize !== this.#stableSize;
  }

  read(position: number, length: number): Buffer {
    return Buffer.from(this.#live.subarray(position, Math.min(this.#liveSize, position + length)));
  }

  /** Seen at once, on the platter only after `flush`. */
  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    this.#live = grown(this.#live, end);
    this.#live.set(bytes, position);
    this.#liveSize = Math.max(this.#liveSize, end);
    for (const sector of sectorsOf(position, bytes.length)) this.#dirty.add(sector);
  }

  truncate(size: number): void {
    if (size < this.#liveSize) this.#live.fill(0, size, this.#liveSize);
    else this.#live = grown(this.#live, size);
    for (const sector of sectorsOf(Math.min(size, this.#liveSize), Math.abs(size - this.#liveSize))) {
      this.#dirty.add(sector);
    }
    this.#liveSize = size;
  }

  /** Puts what is seen in this range, or in all of the file, on the platter. */
  flush(range?: Readonly<{ position: number; length: number }>): void {
    const sectors = range ? sectorsOf(range.position, range.length) : [...this.#dirty];
    if (range) this.#stableSize = Math.max(this.#stableSize, Math.min(this.#liveSize, range.position + range.length));
    else this.#stableSize = this.#liveSize;
    for (const sector of sectors) if (this.#dirty.delete(sector)) this.#settle(sector);
  }

  #settle(sector: number): void {
    const from = sector * SECTOR_BYTES;
    this.#stable = grown(this.#stable, Math.min(this.#live.length, from + SECTOR_BYTES));
    this.#live.copy(this.#stable, from, from, Math.min(this.#live.length, from + SECTOR_BYTES));
  }

  /** The power goes: of what was not flushed, about `share` of the sectors made it. Returns how many did and did not. */
  losePower(random: Random, share: number): { kept: number; lost: number } {
    let [kept, lost] = [0, 0];
    for (const sector of [...this.#dirty].sort((a, b) => a - b)) {
      if (random.chance(share)) {
        this.#settle(sector);
        kept += 1;
      } else {
        lost += 1;
      }
    }
    const grew = this.#liveSize !== this.#stableSize;
    if (grew && random.chance(0.5)) this.#stableSize = this.#liveSize;
    this.#dirty.clear();
    this.#liveSize = this.#stableSize;
    this.#stable = grown(this.#stable, this.#stableSize);
    this.#live = Buffer.from(this.#stable);
    return { kept, lost };
  }

  /** Bits of one sector turn over, on the platter and in what is seen. Returns the offset of the first. */
  rot(random: Random, bits: number): number | null {
    if (this.#stableSize === 0) return null;
    const at = this.#written(random);
    for (let bit = 0; bit < bits; bit++) {
      const sector = Math.floor(at / SECTOR_BYTES) * SECTOR_BYTES;
      const offset = bit === 0 ? at : Math.min(this.#stableSize - 1, sector + random.below(SECTOR_BYTES));
      const mask = 1 << random.below(8);
      this.#stable[offset] = (this.#stable[offset] ?? 0) ^ mask;
      if (offset < this.#liveSize) this.#live[offset] = (this.#live[offset] ?? 0) ^ mask;
    }
    return at;
  }

  /** Mostly where something is written. */
  #written(random: Random): number {
    let at = random.below(this.#stableSize);
    for (let attempt = 0; attempt < 16 && this.#stable[at] === 0; attempt++) at = random.below(this.#stableSize);
    return at;
  }

  /** As the platter is. */
  copy(): Inode {
    const copy = new Inode();
    copy.#stable = Buffer.from(this.#stable);
    copy.#stableSize = this.#stableSize;
    copy.#live = Buffer.from(this.#stable);
    copy.#liveSize = this.#stableSize;
    return copy;
  }
}

function grown(buffer: Buffer, size: number): Buffer {
  if (size <= buffer.length) return buffer;
  const larger = Buffer.alloc(Math.max(size, Math.min(2 * buffer.length, buffer.length + 65_536)));
  buffer.copy(larger);
  return larger;
}

function sectorsOf(position: number, length: number): number[] {
  if (length === 0) return [];
  const first = Math.floor(position / SECTOR_BYTES);
  const last = Math.floor((position + length - 1) / SECTOR_BYTES);
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}
