import { expect, test } from '@jest/globals';
import { measureApply } from './apply-bench.ts';

test('the measured payments were all taken', () => {
  const rate = measureApply(400, 100, () => performance.now());
  expect(rate.payments).toBe(400);
  expect(rate.perSecond).toBeGreaterThan(0);
});
