import type { EvmAddress } from '@drawbridge/protocol/ids';
import { describe, expect, test } from '@jest/globals';
import { castVote, type StandingVote, type Tally } from './validator-votes.ts';

const address = (letter: string): EvmAddress => `0x${letter.repeat(40)}` as EvmAddress;
const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map(address) as [
  EvmAddress,
  EvmAddress,
  EvmAddress,
  EvmAddress,
  EvmAddress,
];
const four: Tally = { validators: [a, b, c, d], votes: [] };
const add = (voter: EvmAddress, candidate: EvmAddress): StandingVote => ({ voter, candidate, add: true });
const drop = (voter: EvmAddress, candidate: EvmAddress): StandingVote => ({ voter, candidate, add: false });
const after = (tally: Tally, ...votes: readonly StandingVote[]): Tally => votes.reduce(castVote, tally);

describe('votes on the set', () => {
  test('more than half add a member, whose place is by address, and their votes go', () => {
    const two = after(four, add(b, e), add(a, e));
    expect(two).toEqual({ validators: [a, b, c, d], votes: [add(a, e), add(b, e)] });
    expect(after(two, add(c, e))).toEqual({ validators: [a, b, c, d, e], votes: [] });
  });
  test('a member is put where its address belongs', () => {
    const first = address('0');
    expect(after(four, add(a, first), add(b, first), add(c, first)).validators).toEqual([first, a, b, c, d]);
  });
  test('exactly half change nothing', () => {
    expect(after(four, drop(a, d), drop(b, d)).validators).toEqual([a, b, c, d]);
  });
  test('one member does not vote twice', () => {
    expect(after(four, add(a, e), add(a, e), add(a, e))).toEqual({ validators: [a, b, c, d], votes: [add(a, e)] });
  });
  test('a newer vote takes the older back, though it would change nothing itself', () => {
    const withdrawn = after(four, add(a, e), add(b, e), drop(a, e));
    expect(withdrawn.votes).toEqual([add(b, e)]);
    expect(after(withdrawn, add(c, e)).validators).toEqual([a, b, c, d]);
  });
  test('votes for what is so already do not stand', () => {
    expect(after(four, add(a, d), drop(b, e)).votes).toEqual([]);
  });
  test('a member voted out takes along the votes that it cast, and those on it', () => {
    const votes = [add(d, e), add(a, e), drop(b, c), drop(a, d), drop(d, a), drop(b, d), drop(c, d)];
    expect(after(four, ...votes)).toEqual({ validators: [a, b, c], votes: [drop(b, c), add(a, e)] });
  });
  test('a member voted in keeps nothing of votes on others from going on', () => {
    const votes = [drop(a, d), add(a, e), add(b, e), add(c, e)];
    expect(after(four, ...votes)).toEqual({ validators: [a, b, c, d, e], votes: [drop(a, d)] });
  });
  test('votes that a smaller set makes enough count with the next vote on their candidate, even a void one', () => {
    const shrunk = after(four, add(a, e), add(b, e), drop(a, d), drop(b, d), drop(c, d));
    expect(shrunk).toEqual({ validators: [a, b, c], votes: [add(a, e), add(b, e)] });
    expect(after(shrunk, drop(c, e))).toEqual({ validators: [a, b, c, e], votes: [] });
  });
  test('stand in one order, whatever order they came in', () => {
    const votes = [add(c, e), drop(b, a), add(a, e), drop(a, b)];
    expect(after(four, ...votes)).toEqual(after(four, ...votes.toReversed()));
    expect(after(four, ...votes).votes).toEqual([drop(b, a), drop(a, b), add(a, e), add(c, e)]);
  });
});
