import { describe, expect, test } from '@jest/globals';
import { type Key, Shard, sortedKeys } from './spent-shard.ts';

const keyOf = (n: number): Key => ({ a: n % 7, b: Math.imul(n, 2654435761) >>> 0, c: n, d: 1 });

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

  test('has a bound', () => {
    expect(() => new Shard().resize(2 ** 21 + 1)).toThrow(RangeError);
  });
});
