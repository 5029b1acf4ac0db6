import { describe, expect, test } from '@jest/globals';
import { SpentIds } from './spent-ids.ts';
import { expectCapturesOfTheirTime, expectSetBehaviour, marks } from './testing/spent-marks.ts';

describe('spent ids', () => {
  test('takes at most 24 bytes for each id at any size from 100,000 on', () => {
    const ids = new SpentIds();
    const all = marks(125_000);
    let worst = 0;
    all.forEach((mark, i) => {
      ids.add(mark);
      if (i >= 100_000 && i % 2_000 === 0) worst = Math.max(worst, ids.tableBytes / ids.size);
    });
    expect(worst).toBeLessThanOrEqual(24);
    expect(worst).toBeGreaterThan(16);
    expect(ids.size).toBe(125_000);
    expect(all.every((mark) => ids.has(mark))).toBe(true);
  });

  test('behaves as a set does, and restores to one that does', () => expectSetBehaviour(20));

  test('a capture gives what there was, whatever comes between it and the reading', () =>
    expectCapturesOfTheirTime(60));
});
