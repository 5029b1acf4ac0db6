import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Key, Shard, sortedKeys } from './spent-shard.ts';

/** Like digests, in one shard. */
const textOf = ({ a, b, c, d }: Key): string => [a, b, c, d].map((word) => word.toString(16).padStart(8, '0')).join('');
const keyOf = (n: number): Key => ({ a: Math.imul(n + 1, 2654435761) >>> 8, b: n % 7, c: n, d: 1 });

describe('a shard of spent ids', () => {
  test('grows in its place once it is large, and has all that it had', () => {
    const shard = new Shard();
    const buffers = new Set<ArrayBufferLike>();
    let growths = 0;
    for (let n = 0; n < 20_000; n++) {
      const { slots } = shard;
      expect(shard.add(keyOf(n))).toBe(true);
      if (shard.slots < 2 ** 11) continue;
      buffers.add(shard.table.buffer);
      if (shard.slots > slots) growths += 1;
    }
    expect(growths).toBeGreaterThan(10);
    expect(buffers.size).toBe(1);
    expect(shard.table.byteLength).toBe(shard.slots * 16);
    expect(shard.table.byteLength / shard.count).toBeLessThanOrEqual(24);
    for (let n = 0; n < 20_000; n++) expect(shard.add(keyOf(n))).toBe(false);
    expect(shard.has(keyOf(20_000))).toBe(false);
    expect(shard.count).toBe(20_000);
    expect(sortedKeys(shard, new Shard())).toHaveLength(20_000 * 16);
  });

  test('of two that grow by turns neither sees the other', () => {
    const [one, other] = [new Shard(), new Shard()];
    for (let n = 0; n < 8_000; n++) {
      one.add(keyOf(2 * n));
      other.add(keyOf(2 * n + 1));
    }
    for (let n = 0; n < 16_000; n++) {
      expect(one.has(keyOf(n))).toBe(n % 2 === 0);
      expect(other.has(keyOf(n))).toBe(n % 2 === 1);
    }
  });

  test('gives its keys in their order, and is filled by them, wherever in the table they crowd', () => {
    const crowded = fc.tuple(fc.constantFrom(0, 0x7fff00, 0xfffff0), fc.nat(20), fc.nat(3), fc.nat(3));
    const keys = fc.array(fc.oneof(crowded, fc.tuple(fc.nat(0xffffff), fc.nat(0), fc.nat(3), fc.nat(3))), {
      maxLength: 400,
    });
    fc.assert(
      fc.property(keys, fc.nat(200), (made, laterFrom) => {
        const all = made.map(([from, more, b, c]): Key => ({ a: Math.min(from + more, 0xffffff), b, c, d: 1 }));
        const [shard, later] = [new Shard(), new Shard()];
        const expected = new Set<string>();
        all.forEach((key, at) => {
          if (!shard.add(key)) return;
          if (at >= laterFrom) later.add(key);
          else expected.add(textOf(key));
        });
        const bytes = sortedKeys(shard, later);
        const got = Buffer.from(bytes).toString('hex').match(/.{32}/g) ?? [];
        expect(got).toEqual([...expected].sort());
        const filled = new Shard();
        filled.fill(bytes, 0);
        for (const [at, key] of all.entries()) if (at < laterFrom) expect(filled.has(key)).toBe(true);
        expect(filled.count).toBe(expected.size);
        expect(Buffer.from(sortedKeys(filled, new Shard())).equals(bytes)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('is in order also where all keys belong in one place and came in falling order', () => {
    const shard = new Shard();
    const keys = Array.from({ length: 1_000 }, (_, n): Key => ({ a: 7, b: 1_000 - n, c: 0, d: 1 }));
    for (const key of keys) shard.add(key);
    const bytes = sortedKeys(shard, new Shard());
    expect(Buffer.from(bytes).toString('hex')).toBe(keys.map(textOf).reverse().join(''));
  });

  test('has a bound', () => {
    expect(() => new Shard().resize(2 ** 21 + 1)).toThrow(RangeError);
  });
});
