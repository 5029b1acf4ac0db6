import { test } from '@jest/globals';
import { expectSurvivesEveryStop } from './testing/ledger-crashes.ts';
import { EntrySource } from './testing/ledger-entries.ts';

const life = {
  source: new EntrySource({ dataBytes: (seqno) => (seqno * 53) % 300 }),
  last: 45,
  flushEvery: [1, 5, 13],
};

test('killed at any step: what was flushed is there, and the files come out as if nothing had been', () =>
  expectSurvivesEveryStop(life, [], { from: 1, every: 13 }));

test('without power at any step: the same, whatever the page cache lost', () =>
  expectSurvivesEveryStop(life, [1], { from: 2, every: 13 }));
