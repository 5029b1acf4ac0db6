import { expect, test } from '@jest/globals';
import { measureApply } from './apply-bench.ts';

test('the measured payments were all taken', () => {
  const rate = measureApply(4_000, 1_000, () => performance.now());
  expect(rate.payments).toBe(4_000);
  expect(rate.perSecond).toBeGreaterThan(0);
});
