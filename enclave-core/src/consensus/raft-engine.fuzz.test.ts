import { beforeAll, expect, test } from '@jest/globals';
import { loadEngine, traceOf } from './testing/engine-group.ts';

beforeAll(loadEngine);

test('the same seed gives the same trace, another seed another', () => {
  const run = (seed: number): string => traceOf([1, 2, 3], seed);
  expect(run(5)).toBe(run(5));
  expect([1, 2, 3, 4].some((seed) => run(seed) !== run(5))).toBe(true);
});
