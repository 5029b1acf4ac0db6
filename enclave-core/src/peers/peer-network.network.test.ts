import { expect, test } from '@jest/globals';
import { measurePeers } from './testing/measure-peers.ts';

test('two processes exchange messages of both sizes', async () => {
  const figures = await measurePeers([
    { bodyBytes: 200, inFlight: 16, count: 2_000 },
    { bodyBytes: 65_536, inFlight: 4, count: 200 },
  ]);
  expect(figures.map(({ count }) => count)).toEqual([2_000, 200]);
  for (const { roundTripsPerSecond } of figures) expect(roundTripsPerSecond).toBeGreaterThan(0);
});
