import { expect, test } from '@jest/globals';
import { RecentBytes } from './recent-bytes.ts';
import { range } from './testing/temporary-log.ts';

test('what is older than the last so many bytes is known within a step', () => {
  const recent = new RecentBytes(64_000);
  recent.applied(range(1, 60, 1, 1000));
  expect(recent.beyond).toBe(0);
  for (let index = 61; index <= 500; index += 4) recent.applied(range(index, index + 3, 1, 1000));
  expect(500 - recent.beyond).toBeGreaterThanOrEqual(64);
  expect(500 - recent.beyond).toBeLessThanOrEqual(64 + 8);
});
