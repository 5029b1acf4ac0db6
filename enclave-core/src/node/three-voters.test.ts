import { expect, it } from '@jest/globals';
import type { ConfState } from '../consensus/raft-types.ts';
import { ThreeVoters } from './three-voters.ts';

const group = (voters: number, votersOutgoing = 0): ConfState => ({
  voters: Array.from({ length: voters }, (_, n) => n + 1),
  votersOutgoing: Array.from({ length: votersOutgoing }, (_, n) => n + 1),
  learners: [],
  learnersNext: [],
  autoLeave: false,
});

/** The entries from 1 to 9 that a group had as three or more, after these changes. */
function had(start: ConfState, ...changes: readonly (readonly [number, ConfState])[]): number[] {
  const voters = new ThreeVoters();
  let now = { members: start, membersIndex: 0 };
  for (const [membersIndex, members] of changes) {
    voters.changed(members, membersIndex);
    now = { members, membersIndex };
  }
  return [1, 2, 3, 4, 5, 6, 7, 8, 9].filter((seqno) => voters.had(seqno, now));
}

it('knows the entries that came when there were three voters', () => {
  expect(had(group(1), [3, group(2)], [6, group(3)])).toEqual([7, 8, 9]);
  expect(had(group(1), [3, group(2)])).toEqual([]);
});

it('counts from the first time on while there are enough, and anew after there were too few', () => {
  expect(had(group(1), [2, group(3)], [4, group(4)], [6, group(5)])).toEqual([3, 4, 5, 6, 7, 8, 9]);
  expect(had(group(1), [2, group(3)], [4, group(2)], [6, group(3)])).toEqual([7, 8, 9]);
  expect(had(group(1), [2, group(3, 1)], [5, group(3)])).toEqual([6, 7, 8, 9]);
});

it('knows nothing of before the process began', () => {
  expect(had(group(3)).at(0)).toBe(1);
  expect(had(group(3), [5, group(4)])).toEqual([6, 7, 8, 9]);
});
