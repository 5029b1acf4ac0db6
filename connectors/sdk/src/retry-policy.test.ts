import { expect, test } from '@jest/globals';
import { DEFAULT_RETRY, pauseMs } from './retry-policy.ts';

test('pauses double from the first to the longest', () => {
  const policy = { attempts: 9, firstPauseMs: 100, longestPauseMs: 1_000 };
  expect([1, 2, 3, 4, 5, 60].map((attempt) => pauseMs(policy, attempt, 0.999_999))).toEqual([
    100, 200, 400, 800, 1_000, 1_000,
  ]);
});

test('jitter takes away at most half', () => {
  expect(pauseMs(DEFAULT_RETRY, 1, 0)).toBe(500);
  expect(pauseMs(DEFAULT_RETRY, 1, 0.5)).toBe(750);
});
