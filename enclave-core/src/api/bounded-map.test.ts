import { expect, test } from '@jest/globals';
import { mapBounded } from './bounded-map.ts';

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('keeps the order, and never works on more than it may', async () => {
  let [now, most] = [0, 0];
  const results = await mapBounded([5, 4, 3, 2, 1], 2, async (item) => {
    now += 1;
    most = Math.max(most, now);
    for (let turn = 0; turn < item; turn++) await soon();
    now -= 1;
    return item * 10;
  });
  expect([results, most]).toEqual([[50, 40, 30, 20, 10], 2]);
  expect(await mapBounded([], 2, soon)).toEqual([]);
});

test('after a failure nothing new begins', async () => {
  const begun: number[] = [];
  const failing = mapBounded([1, 2, 3, 4, 5, 6], 2, async (item) => {
    begun.push(item);
    await soon();
    if (item === 2) throw new RangeError('two');
  });
  await expect(failing).rejects.toThrow('two');
  await soon();
  await soon();
  expect(begun.length).toBeLessThan(5);
});
