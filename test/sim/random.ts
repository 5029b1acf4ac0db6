/** Randomness from a seed: sfc32, split into streams by name, so that what one part draws never moves what another gets. */
import { createHash } from 'node:crypto';

export class Random {
  readonly #name: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** Equal names give equal streams. */
  constructor(name: string) {
    this.#name = name;
    const digest = createHash('sha256').update(name).digest();
    this.#a = digest.readUInt32LE(0);
    this.#b = digest.readUInt32LE(4);
    this.#c = digest.readUInt32LE(8);
  }

  /** A stream of its own; drawing from it leaves this one as it is. */
  fork(name: string | number): Random {
    return new Random(`${this.#name}/${name}`);
  }

  /** 0 to 2^32 - 1. */
  u32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** 0 to 1, 1 excluded. */
  fraction(): number {
    return this.u32() / 2 ** 32;
  }

  /** 0 to `bound` - 1. */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }

  /** Whole numbers, both ends included. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** Exponentially distributed, cut at 20 times the mean. */
  exponential(mean: number): number {
    return Math.min(20 * mean, -mean * Math.log(1 - this.fraction()));
  }

  /** @throws RangeError when the list is empty */
  pick<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined) throw new RangeError('nothing to pick from');
    return found;
  }

  /** In random order. */
  shuffled<T>(list: readonly T[]): T[] {
    const result = [...list];
    for (let at = result.length - 1; at > 0; at--) {
      const other = this.below(at + 1);
      const [x, y] = [result[at], result[other]];
      if (x === undefined || y === undefined) continue;
      result[at] = y;
      result[other] = x;
    }
    return result;
  }

  fill(target: Uint8Array): void {
    for (let at = 0; at < target.length; at++) target[at] = this.u32() & 255;
  }
}
