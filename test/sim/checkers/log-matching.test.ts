import type { LogBatch } from '@drawbridge/enclave-core/consensus/ports';
import type { Entry } from '@drawbridge/enclave-core/consensus/raft-types';
import { headAlone } from '@drawbridge/enclave-core/consensus/testing/head-alone';
import { describe, expect, test } from '@jest/globals';
import { DurableLog } from './durable-log.ts';
import { LogMatching } from './log-matching.ts';

const entry = (index: number, term: number, text = `${index}`): Entry => ({
  index,
  term,
  type: 0,
  data: Buffer.from(text),
});
const batch = (...entries: Entry[]): LogBatch => ({ entries, hardState: null, installed: null });
const genesis = {
  index: 1,
  term: 1,
  confState: { voters: [1, 2, 3], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false },
  ...headAlone(Buffer.alloc(0)),
};

function logs(): LogMatching {
  const matching = new LogMatching();
  for (const node of [1, 2, 3]) matching.loaded(node, { snapshot: genesis, entries: [] });
  return matching;
}

describe('log matching', () => {
  test('equal index and term mean equal content and past', () => {
    const content = logs();
    content.appending(1, batch(entry(2, 2)));
    expect(() => content.appending(2, batch(entry(2, 2, 'other')))).toThrow(
      expect.objectContaining({ checker: 'log-matching' }),
    );
    const past = logs();
    past.appending(1, batch(entry(2, 2), entry(3, 3)));
    expect(() => past.appending(2, batch(entry(2, 3, 'x'), entry(3, 3)))).toThrow('another past');
  });

  test('a newer term may replace an end that was not committed', () => {
    const matching = logs();
    matching.appending(1, batch(entry(2, 2), entry(3, 2)));
    matching.appending(2, batch(entry(2, 3)));
    matching.appending(1, batch(entry(2, 3)));
    matching.elected(1, 4);
    expect(matching.lastOf(1)).toEqual({ index: 2, term: 3 });
  });

  test('one leader for each term; the same one twice is none too many', () => {
    const matching = logs();
    matching.elected(1, 2);
    matching.elected(1, 2);
    expect(() => matching.elected(2, 2)).toThrow(expect.objectContaining({ checker: 'one-leader-per-term' }));
  });

  test('whoever leads has what was committed, in its log or in the snapshot that it stands on', () => {
    const matching = logs();
    matching.appending(1, batch(entry(2, 2), entry(3, 2)));
    matching.committed({ index: 3, term: 2 });
    matching.appending(2, batch(entry(2, 2)));
    expect(() => matching.elected(2, 3)).toThrow(expect.objectContaining({ checker: 'leader-completeness' }));
    matching.appending(3, { entries: [entry(4, 3)], hardState: null, installed: { index: 3, term: 2 } });
    matching.elected(3, 4);
  });

  test('a snapshot of what no log had is none', () => {
    expect(() => logs().loaded(1, { snapshot: { ...genesis, index: 9, term: 4 }, entries: [] })).toThrow('in no log');
  });
});

describe('durable log', () => {
  const hard = (term: number, vote: number, commit: number) => ({ term, vote, commit });
  const stored = (entries: Entry[], hardState = hard(2, 1, 2)) => ({ snapshot: genesis, hardState, entries });

  function written(): DurableLog {
    const durable = new DurableLog();
    durable.loaded(1, { snapshot: genesis, hardState: null, entries: [] }, false);
    durable.appended(1, { entries: [entry(2, 2), entry(3, 2)], hardState: hard(2, 1, 2), installed: null });
    return durable;
  }

  test.each([
    ['an entry', stored([entry(2, 2)])],
    ['a vote', stored([entry(2, 2), entry(3, 2)], hard(2, 0, 2))],
    ['a term', stored([entry(2, 2), entry(3, 2)], hard(1, 1, 2))],
    ['a commit index', stored([entry(2, 2), entry(3, 2)], hard(2, 1, 1))],
  ])('%s that is gone is missed, unless the disk is excused', (_what, found) => {
    expect(() => written().loaded(1, found, false)).toThrow(expect.objectContaining({ checker: 'durable-log' }));
    expect(() => written().loaded(1, found, true)).not.toThrow();
  });

  test('a write under way may have replaced what was not committed', () => {
    expect(() => written().loaded(1, stored([entry(2, 2), entry(3, 3)], hard(3, 2, 2)), false)).not.toThrow();
  });
});
