import { jest, test } from '@jest/globals';
import { expectNothingLost } from '../testing/log-through-crashes.ts';

/** Generous, because the machine may be busy; nothing waits for time to pass. */
jest.setTimeout(60_000);

test.each([1, 2])('seed %i: power lost at any operation loses nothing that was acknowledged', (seed) =>
  expectNothingLost(1, seed),
);
