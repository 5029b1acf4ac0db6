import { test } from '@jest/globals';
import { expectSurvivesEveryStop } from './testing/ledger-crashes.ts';
import { EntrySource } from './testing/ledger-entries.ts';

const life = {
  source: new EntrySource({ dataBytes: (seqno) => (seqno * 53) % 700, lag: 3 }),
  last: 60,
  flushEvery: [1, 5, 13, 2],
};

test('killed at every step', () => expectSurvivesEveryStop(life, [], { from: 0, every: 1 }));

test('without power at every step, with several losses each', () =>
  expectSurvivesEveryStop(life, [1, 2, 3], { from: 0, every: 1 }));
