import { afterEach, beforeEach, test } from '@jest/globals';
import { expectEveryFlipFound, expectTornTail, freshDisk, logs } from '../testing/damaged-log.ts';

beforeEach(freshDisk);
afterEach(() => logs.clean());

test.each([
  { what: 'a frame of several sectors', bytes: 400 },
  { what: 'a frame of one sector', bytes: 20 },
])('$what, cut at every byte: it goes, all before it stays, and the log goes on', ({ bytes }) =>
  expectTornTail(bytes, 1),
);

test('every flipped bit in what was acknowledged is found, with file and offset', () => expectEveryFlipFound(1));
