import { afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { loadRaftModule } from './raft-engine.ts';
import type { MemberChange } from './raft-types.ts';
import type { ReplicaError } from './replica-error.ts';
import { keepHead } from './testing/head-alone.ts';
import { type Member, type Overrides, ReplicaGroup, text } from './testing/replica-group.ts';

/** Generous, because the machine may be busy; nothing waits for time to pass. */
jest.setTimeout(60_000);

let module: WebAssembly.Module;
let group: ReplicaGroup;
beforeAll(async () => {
  module = await loadRaftModule();
});
afterEach(() => group?.stopAll());

async function running(voters: readonly number[], overrides: Overrides = {}): Promise<ReplicaGroup> {
  group = new ReplicaGroup(module, voters);
  await group.startAll(overrides);
  return group;
}

const codeOf = (call: Promise<unknown>): Promise<string> =>
  group.settled(
    call.then(
      () => 'no error',
      (error: ReplicaError) => error.code,
    ),
  );

const change = (leader: Member, ...changes: MemberChange[]): Promise<unknown> =>
  group.settled(leader.replica.changeMembers({ transition: changes.length > 1 ? 'jointImplicit' : 'auto', changes }));

const write = (leader: Member, line: string): Promise<unknown> => group.settled(leader.replica.propose(text(line)));

/** Ticks until all of these have the same voters and no joint change is under way. */
async function settledOn(voters: readonly number[], ids: readonly number[] = voters): Promise<void> {
  await group.until(() =>
    ids.every((id) => {
      const { members } = group.member(id).replica;
      return members.votersOutgoing.length === 0 && [...members.voters].sort().join() === [...voters].sort().join();
    }),
  );
}

const others = (...without: number[]): number[] => [...group.members.keys()].filter((id) => !without.includes(id));

describe('members', () => {
  test('one joins as learner by a snapshot that names it, is promoted, and another is retired', async () => {
    await running([1, 2, 3]);
    const leader = await group.leader();
    await write(leader, 'a');
    const joining = await group.start(4);
    await change(leader, { type: 'addLearner', id: 4 });
    await group.caughtUp(4, ['a']);
    expect(leader.wanted).toContain(4);
    expect(joining.machine.installedFrom).toEqual([leader.id]);
    expect(joining.replica.members).toMatchObject({ voters: [1, 2, 3], learners: [4] });
    await change(leader, { type: 'add', id: 4 });
    const [retired = 0] = others(leader.id, 4);
    await change(leader, { type: 'remove', id: retired });
    const left = others(retired);
    await settledOn(left);
    await group.until(() => group.member(retired).removed === 1);
    expect(group.member(retired).replica.removed).toBe(true);
    await group.crash(retired);
    await write(leader, 'b');
    await group.caughtUp(4, ['a', 'b']);
    for (const id of left) expect(group.member(id).fatal).toEqual([]);
  });

  test('a learner takes the place of a voter in one joint change', async () => {
    await running([1, 2, 3]);
    const leader = await group.leader();
    const [old = 0] = others(leader.id);
    await group.start(4);
    await change(leader, { type: 'addLearner', id: 4 });
    await group.crash(old);
    await write(leader, 'without the old one');
    await group.caughtUp(4, ['without the old one']);
    await change(leader, { type: 'add', id: 4 }, { type: 'remove', id: old });
    await settledOn(others());
    expect(group.member(4).replica.members.voters).toContain(4);
    // Two of the three new voters are a majority, the newcomer one of them.
    const [third = 0] = others(leader.id, 4);
    group.isolate(third);
    await write(leader, 'by two');
    await group.caughtUp(4, ['without the old one', 'by two']);
  });

  test('a member that no snapshot names is announced, again and again but without haste, until one does', async () => {
    await running([1], { answerWanted: false, options: { snapshotRetryTicks: 50 } });
    const leader = await group.leader();
    const joining = await group.start(2);
    await change(leader, { type: 'addLearner', id: 2 });
    await group.until(() => leader.wanted.length > 0);
    for (let ticks = 0; ticks < 190; ticks++) await group.tick();
    expect(leader.wanted.length).toBeGreaterThan(2);
    expect(leader.wanted.length).toBeLessThan(6);
    const { lastIndex: index, lastTerm: term } = leader.machine;
    const point = { index, term, confState: leader.replica.members };
    const kept = keepHead(leader.replica, point, leader.machine.content());
    await group.settled(kept);
    const before = leader.wanted.length;
    for (let ticks = 0; ticks < 8; ticks++) await group.tick();
    expect(joining.machine.installedFrom).toEqual([1]);
    expect(leader.wanted).toHaveLength(before);
  });

  test('a change that is impossible, or comes during another, is refused', async () => {
    await running([1, 2, 3]);
    const leader = await group.leader();
    const all = [1, 2, 3].map((id) => ({ type: 'remove' as const, id }));
    expect(await codeOf(leader.replica.changeMembers({ transition: 'auto', changes: all }))).toBe('PROPOSAL_DROPPED');
    const two = [4, 5].map((id) =>
      codeOf(leader.replica.changeMembers({ transition: 'auto', changes: [{ type: 'addLearner', id }] })),
    );
    expect((await Promise.all(two)).sort()).toEqual(['PROPOSAL_DROPPED', 'no error']);
  });
});

describe('leadership', () => {
  test('a leader is ready once an entry of its own term is applied', async () => {
    const seen: boolean[] = [];
    await running([1, 2, 3], {
      dependencies: {
        onLeading: () => {
          const leader = [...group.members.values()].find(({ replica }) => replica.leading);
          if (leader) seen.push(leader.machine.lastTerm === leader.replica.status().term);
        },
      },
    });
    await group.until(() => seen.length > 0);
    expect(seen).toEqual([true]);
    const leader = await group.leader();
    await group.crash(leader.id);
    expect(leader.replica.leading).toBe(false);
    await group.until(() => seen.length > 1);
    expect(seen).toEqual([true, true]);
  });

  test('is handed over on demand, and the demand tells whether it was', async () => {
    await running([1, 2, 3]);
    const leader = await group.leader();
    const [other = 0, third = 0] = others(leader.id);
    expect(await group.settled(leader.replica.transferLeadership(leader.id))).toBe(true);
    expect(await group.settled(leader.replica.transferLeadership(9))).toBe(false);
    group.isolate(third);
    expect(await group.settled(leader.replica.transferLeadership(third))).toBe(false);
    expect(leader.leading).toEqual([true]);
    await write(leader, 'still here');
    expect(await group.settled(leader.replica.transferLeadership(other))).toBe(true);
    expect(leader.replica.leader).toBe(other);
    await group.until(() => group.member(other).replica.leading);
    expect(leader.leading).toEqual([true, false]);
    expect(await codeOf(leader.replica.propose(text('x')))).toBe('NOT_LEADER');
    expect(await codeOf(leader.replica.transferLeadership(other))).toBe('NOT_LEADER');
    await group.crash(other);
    await expect(group.settled(leader.replica.readIndex())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('ends by itself where no majority answers, and a node that was cut off does not disturb when it is back', async () => {
    await running([1, 2, 3, 4, 5]);
    const old = await group.leader();
    const [cut = 0] = others(old.id);
    group.isolate(old.id);
    group.isolate(cut);
    await group.until(() => old.replica.status().role !== 'leader');
    expect(old.leading).toEqual([true, false]);
    const next = await group.until(() =>
      others(old.id, cut)
        .map((id) => group.member(id))
        .find(({ replica }) => replica.leading),
    );
    await write(next, 'by three of five');
    const { term } = next.replica.status();
    group.heal();
    for (const id of [old.id, cut]) await group.caughtUp(id, ['by three of five']);
    expect(next.replica.status()).toMatchObject({ role: 'leader', term });
  });

  test('a leader that removes itself steps down once that is committed, and the others go on', async () => {
    await running([1, 2, 3]);
    const leader = await group.leader();
    await change(leader, { type: 'remove', id: leader.id });
    expect(leader.removed).toBe(1);
    await group.until(() => leader.replica.status().role === 'follower');
    expect(leader.leading).toEqual([true, false]);
    const left = others(leader.id);
    const next = await group.until(() => left.map((id) => group.member(id)).find(({ replica }) => replica.leading));
    await write(next, 'without it');
    await settledOn(left);
    expect(leader.fatal).toEqual([]);
  });

  test('a removed member that never heard of it cannot disturb the others', async () => {
    await running([1, 2, 3]);
    const leader = await group.leader();
    const [gone = 0, stays = 0] = others(leader.id);
    group.isolate(gone);
    await change(leader, { type: 'remove', id: gone });
    await settledOn([leader.id, stays]);
    const { term } = leader.replica.status();
    for (let ticks = 0; ticks < 60; ticks++) await group.tick();
    group.heal();
    for (let ticks = 0; ticks < 60; ticks++) await group.tick();
    expect(leader.replica.status()).toMatchObject({ role: 'leader', term });
    expect(group.member(gone)).toMatchObject({ removed: 0, fatal: [] });
    await write(leader, 'undisturbed');
    expect(group.member(gone).machine.lines).toEqual([]);
  });
});
