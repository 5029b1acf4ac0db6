import { describe, expect, it } from '@jest/globals';
import { WeightedLru } from './weighted-lru.ts';

describe('weighted LRU', () => {
  it('drops what was used longest ago once the weight is over the bound', () => {
    const lru = new WeightedLru<string, number>(10);
    lru.put('a', 1, 4);
    lru.put('b', 2, 4);
    expect(lru.get('a')).toBe(1);
    lru.put('c', 3, 4);
    expect([lru.get('a'), lru.get('b'), lru.get('c')]).toEqual([1, undefined, 3]);
  });

  it('weighs a replaced value once, and does not keep what is over the bound alone', () => {
    const lru = new WeightedLru<string, number>(10);
    for (let i = 0; i < 5; i++) lru.put('a', i, 9);
    expect(lru.get('a')).toBe(4);
    lru.put('big', 1, 11);
    expect(lru.get('big')).toBeUndefined();
    lru.put('b', 2, 10);
    expect(lru.get('b')).toBe(2);
  });
});
