import { expect, test } from '@jest/globals';
import { RetryDelay } from './retry-delay.ts';

const drawing = (byte: number): { fill: (target: Uint8Array) => void } => ({
  fill: (target) => void target.fill(byte),
});

test('pauses double up to the longest and begin again after a reset', () => {
  const delay = new RetryDelay({ minRetryMs: 50, maxRetryMs: 300 }, drawing(0));
  expect([1, 2, 3, 4, 5].map(() => delay.next())).toEqual([25, 50, 100, 150, 150]);
  delay.reset();
  expect(delay.next()).toBe(25);
});

test('the draw spreads a pause from half of it to one and a half', () => {
  const longest = new RetryDelay({ minRetryMs: 100, maxRetryMs: 100 }, drawing(255)).next();
  expect(longest).toBeGreaterThan(149);
  expect(longest).toBeLessThan(150);
});
