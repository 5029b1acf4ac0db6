import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { INDEX_HASH_BYTES } from './index-keys.ts';
import { type Run, TransferIndex } from './transfer-index.ts';

const OPTIONS = { gathered: 8, buckets: 4, merged: 3 };
const keyOf = (n: number): Buffer => createHash('sha256').update(`${n}`).digest().subarray(0, INDEX_HASH_BYTES);

/** Runs as a store has them. */
class Runs {
  readonly #byKey = new Map<string, Run>();

  readonly read = (from: Uint8Array, end: Uint8Array): Run[] =>
    [...this.#byKey.values()]
      .sort((a, b) => Buffer.compare(a.key, b.key))
      .filter(({ key }) => Buffer.compare(key, from) >= 0 && Buffer.compare(key, end) < 0);

  get count(): number {
    return this.#byKey.size;
  }

  store(index: TransferIndex): void {
    const { puts, removes } = index.changes();
    for (const run of puts) this.#byKey.set(Buffer.from(run.key).toString('hex'), run);
    for (const key of removes) expect(this.#byKey.delete(Buffer.from(key).toString('hex'))).toBe(true);
    index.stored();
  }
}

describe('index of transfers', () => {
  it('finds each where it is, whenever it was stored, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5), { maxLength: 80 }), fc.nat(80), (sizes, restartAt) => {
        const runs = new Runs();
        let index = new TransferIndex(runs.read, 0, OPTIONS);
        const added = new Map<number, number>();
        for (const [block, size] of sizes.entries()) {
          const numbers = Array.from({ length: size }, (_, n) => added.size + n);
          index.add(numbers.map(keyOf), block + 1);
          for (const number of numbers) added.set(number, block + 1);
          if (index.isFull) runs.store(index);
          if (block === restartAt) {
            runs.store(index);
            index = new TransferIndex(runs.read, index.stores, OPTIONS);
          }
        }
        for (const [number, seqno] of added) expect(index.find(keyOf(number))).toBe(seqno);
        expect(index.find(keyOf(added.size))).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  it('keeps few runs of a bucket, however often it is stored', () => {
    const runs = new Runs();
    const index = new TransferIndex(runs.read, 0, OPTIONS);
    const times = 60;
    for (let n = 0; n < times * OPTIONS.gathered; n += 1) {
      index.add([keyOf(n)], n + 1);
      if (index.isFull) runs.store(index);
    }
    expect(index.stores).toBe(times);
    expect(runs.count).toBeLessThanOrEqual(OPTIONS.buckets * (times / OPTIONS.merged + OPTIONS.merged));
  });

  it('is full of blocks too, whose transfers it would have to read again', () => {
    const index = new TransferIndex(() => [], 0, OPTIONS);
    for (let n = 1; n < OPTIONS.gathered; n += 1) index.add([], n);
    expect(index.isFull).toBe(false);
    index.add([], OPTIONS.gathered);
    expect(index.isFull).toBe(true);
  });
});
