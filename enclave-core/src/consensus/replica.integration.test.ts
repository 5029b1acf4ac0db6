import { afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { LogBatch, LogStore, SnapshotPoint } from './ports.ts';
import { loadRaftModule } from './raft-engine.ts';
import type { ReplicaError } from './replica-error.ts';
import { expectAgreementThroughCrashes } from './testing/crashes.ts';
import { keepHead } from './testing/head-alone.ts';
import { type Overrides, ReplicaGroup, text } from './testing/replica-group.ts';

/** Generous, because the machine may be busy; nothing waits for time to pass. */
jest.setTimeout(60_000);

let module: WebAssembly.Module;
let group: ReplicaGroup;
beforeAll(async () => {
  module = await loadRaftModule();
});
afterEach(() => group?.stopAll());

async function running(voters: readonly number[], overrides: Overrides = {}, seed = 1): Promise<ReplicaGroup> {
  group = new ReplicaGroup(module, voters, seed);
  await group.startAll(overrides);
  return group;
}

/** The code with which a call was refused, while the group goes on ticking. */
async function codeOf(call: Promise<unknown>): Promise<string> {
  let code: string | undefined;
  call.then(
    () => {
      code = 'no error';
    },
    (error: ReplicaError) => {
      code = error.code;
    },
  );
  return group.until(() => code);
}

describe('a single replica', () => {
  test('leads at once, commits, and has everything after a crash', async () => {
    await running([1]);
    const first = await group.leader();
    expect(first.roles.at(-1)).toMatchObject({ role: 'leader', leader: 1 });
    const committed = await group.settled(
      Promise.all(['a', 'b', 'c'].map((line) => first.replica.propose(text(line)))),
    );
    expect(committed.map(({ index }) => index)).toEqual([3, 4, 5]);
    expect(first.machine.lines).toEqual(['a', 'b', 'c']);
    await group.crash(1);
    const again = await group.start(1);
    expect((await group.leader()).id).toBe(1);
    await group.settled(again.replica.propose(text('d')));
    expect(again.machine.lines).toEqual(['a', 'b', 'c', 'd']);
  });

  test('writes many proposals by few group commits, and gives them to the state machine in few batches', async () => {
    let appends = 0;
    const wrapStore = (store: LogStore): LogStore =>
      Object.assign(Object.create(store) as LogStore, {
        load: () => store.load(),
        beginSnapshot: store.beginSnapshot.bind(store),
        append(batch: LogBatch) {
          appends += 1;
          return store.append(batch);
        },
      });
    await running([1], { wrapStore });
    const { replica, machine } = await group.leader();
    const before = { appends, batches: machine.batches };
    await group.settled(Promise.all(Array.from({ length: 600 }, (_, i) => replica.propose(text(`${i}`)))));
    expect(machine.lines).toHaveLength(600);
    expect(appends - before.appends).toBeLessThan(10);
    expect(machine.batches - before.batches).toBeLessThan(10);
  });

  test('makes snapshots, restarts from them, and keeps the whole log', async () => {
    const overrides = { snapshotEvery: 15, options: { cachedEntries: 5 } };
    await running([1], overrides);
    const { replica } = await group.leader();
    for (let i = 0; i < 60; i++) await group.settled(replica.propose(text(`${i}`)));
    await group.until(() => replica.status().firstIndex > 30);
    await group.crash(1);
    const again = await group.start(1, overrides);
    const lines = Array.from({ length: 60 }, (_, i) => `${i}`);
    await group.caughtUp(1, lines);
    expect(again.machine.restored).toBe(1);
    expect(again.machine.lines).toEqual(lines);
    const found: string[] = [];
    for await (const { data } of again.store.readEntries(0))
      if (data.length > 0) found.push(Buffer.from(data).toString());
    expect(found).toEqual(lines);
  });

  test('a kept snapshot waits for the hard state that commits it, and for nothing that is not applied', async () => {
    const notes: number[] = [];
    const wrapStore = (store: LogStore): LogStore =>
      Object.assign(Object.create(store) as LogStore, {
        load: () => store.load(),
        dropBefore: store.dropBefore.bind(store),
        async append(batch: LogBatch) {
          await store.append(batch);
          notes.push(batch.hardState?.commit ?? 0);
        },
        async beginSnapshot(point: SnapshotPoint) {
          const writer = await store.beginSnapshot(point);
          const keep = async (head: Uint8Array): Promise<void> => {
            if (point.index > 1) expect(Math.max(...notes)).toBeGreaterThanOrEqual(point.index);
            await writer.keep(head);
          };
          return { ...writer, keep };
        },
      });
    await running([1], { wrapStore });
    const { replica, machine } = await group.leader();
    await replica.propose(text('a'));
    const at = { index: machine.lastIndex, term: machine.lastTerm, confState: replica.members };
    expect(Math.max(...notes)).toBeLessThan(at.index);
    await keepHead(replica, at, machine.content());
    await expect(keepHead(replica, { ...at, index: at.index + 1 }, machine.content())).rejects.toThrow(RangeError);
    const late = await replica.beginSnapshot(at);
    await group.crash(1);
    await expect(replica.keepSnapshot(late, machine.content())).rejects.toMatchObject({ code: 'STOPPED' });
    expect((await group.start(1)).machine.lines).toEqual(['a']);
  });

  test('refuses what exceeds its bounds, with codes', async () => {
    await running([1], { options: { maxProposalBytes: 100, maxPendingBytes: 250, maxPendingProposals: 4 } });
    const { replica } = await group.leader();
    const large = text('x'.repeat(100));
    expect(await codeOf(replica.propose(text('x'.repeat(101))))).toBe('TOO_LARGE');
    await expect(replica.propose(text(''))).rejects.toThrow(TypeError);
    const taken = [replica.propose(large), replica.propose(large)];
    await expect(replica.propose(large)).rejects.toMatchObject({ code: 'OVERLOADED' });
    await group.settled(Promise.all(taken));
    const many = Array.from({ length: 4 }, () => replica.propose(text('y')));
    await expect(replica.propose(text('y'))).rejects.toMatchObject({ code: 'OVERLOADED' });
    await group.settled(Promise.all(many));
    expect(replica.status()).toMatchObject({ pendingBytes: 0, pendingProposals: 0 });
  });

  test('a failed write ends it: nothing is acknowledged, one fatal error, then STOPPED', async () => {
    let failing = false;
    const wrapStore = (store: LogStore): LogStore =>
      Object.assign(Object.create(store) as LogStore, {
        load: () => store.load(),
        beginSnapshot: store.beginSnapshot.bind(store),
        append: (batch: LogBatch) =>
          failing
            ? Promise.reject(Object.assign(new Error('disk'), { code: 'LOG_WRITE_FAILED' }))
            : store.append(batch),
      });
    await running([1], { wrapStore });
    const { replica, fatal, machine } = await group.leader();
    failing = true;
    expect(await codeOf(replica.propose(text('lost')))).toBe('UNCERTAIN');
    expect(fatal).toMatchObject([{ code: 'LOG_WRITE_FAILED' }]);
    expect(machine.lines).toEqual([]);
    expect(await codeOf(replica.propose(text('more')))).toBe('STOPPED');
    expect(await codeOf(replica.readIndex())).toBe('STOPPED');
    expect(replica.status().stopped).toBe(true);
  });

  test('an exception of the state machine ends it', async () => {
    await running([1]);
    const { replica, machine, fatal } = await group.leader();
    machine.applyBatch = () => {
      throw new RangeError('invariant');
    };
    expect(await codeOf(replica.propose(text('x')))).toBe('UNCERTAIN');
    expect(fatal).toMatchObject([{ message: 'invariant' }]);
  });
});

describe('three replicas', () => {
  test('elect, commit on all, answer reads anywhere and tell who leads', async () => {
    await running([1, 2, 3]);
    const leader = await group.leader();
    await group.settled(Promise.all(['a', 'b'].map((line) => leader.replica.propose(text(line)))));
    const follower = group.member(leader.id === 1 ? 2 : 1);
    const index = await group.settled(follower.replica.readIndex());
    expect(index).toBeGreaterThanOrEqual(4);
    expect(follower.machine.lines).toEqual(['a', 'b']);
    await expect(follower.replica.propose(text('c'))).rejects.toMatchObject({ code: 'NOT_LEADER', leader: leader.id });
    expect(
      leader.replica
        .progress()
        .map(({ id }) => id)
        .sort((a, b) => a - b),
    ).toEqual([1, 2, 3]);
  });

  test('survive the loss of their leader; what it could not commit is refused when it comes back', async () => {
    await running([1, 2, 3]);
    const old = await group.leader();
    await group.settled(old.replica.propose(text('kept')));
    group.isolate(old.id);
    const lost = codeOf(old.replica.propose(text('lost')));
    const read = codeOf(old.replica.readIndex());
    const next = await group.until(() =>
      [...group.members.values()].find(({ id, replica }) => id !== old.id && replica.status().role === 'leader'),
    );
    await group.settled(next.replica.propose(text('after')));
    expect(await read).toBe('UNAVAILABLE');
    group.heal();
    expect(await lost).toBe('PROPOSAL_DROPPED');
    for (const id of [1, 2, 3])
      expect((await group.caughtUp(id, ['kept', 'after'])).machine.lines).toEqual(['kept', 'after']);
  });

  test('a crash of all at once loses nothing that was answered', async () => {
    await running([1, 2, 3]);
    const answered: string[] = [];
    const { replica } = await group.leader();
    const flying = Array.from({ length: 120 }, (_, i) =>
      replica.propose(text(`${i}`)).then(
        () => answered.push(`${i}`),
        () => undefined,
      ),
    );
    await group.until(() => answered.length > 50);
    await group.stopAll();
    await Promise.all(flying);
    await group.startAll();
    const again = await group.leader();
    await group.settled(again.replica.propose(text('end')));
    expect(again.machine.lines.slice(0, answered.length)).toEqual(answered);
    for (const id of [1, 2, 3]) await group.caughtUp(id, again.machine.lines);
  });

  test('a peer that commits what this node acknowledged and lost ends it: the engine is dead', async () => {
    await running([1, 2, 3]);
    const { replica, fatal, id } = await group.leader();
    const peer = id === 2 ? 3 : 2;
    // MsgHeartbeat in term 99 that commits index 100.
    replica.receive(peer, [Uint8Array.of(8, 8, 16, id, 24, peer, 32, 99, 64, 100)]);
    await group.until(() => fatal.length > 0);
    expect(fatal).toMatchObject([{ code: 'DEAD' }]);
    expect(replica.status()).toMatchObject({ id, stopped: true, leader: null });
    expect(await codeOf(replica.propose(text('x')))).toBe('STOPPED');
  });

  test('what a peer sends malformed or in the name of another changes nothing', async () => {
    await running([1, 2, 3]);
    const leader = await group.leader();
    leader.replica.receive(9, [Uint8Array.of(255, 255, 255)]);
    leader.replica.receiveSnapshot(9, Uint8Array.of(8, 7), text('content'));
    leader.replica.receiveSnapshot(9, Uint8Array.of(255, 255, 255), text('content'));
    await group.settled(leader.replica.propose(text('fine')));
    expect(leader.fatal).toEqual([]);
  });
});

test('through some crashes and partitions all logs agree and every answer holds', () =>
  expectAgreementThroughCrashes(module, 1, 25));
