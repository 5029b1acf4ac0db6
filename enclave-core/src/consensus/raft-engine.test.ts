import { beforeAll, describe, expect, test } from '@jest/globals';
import { type RaftEngine, RaftEngineError } from './raft-engine.ts';
import type { ConfState, RaftMessage } from './raft-types.ts';
import { entryType } from './raft-types.ts';
import { bootstrap, configuration, EngineGroup, engine, loadEngine, text, traceOf } from './testing/engine-group.ts';

beforeAll(loadEngine);

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof RaftEngineError) return error.code;
    throw error;
  }
  return 'no error';
}

/** What an engine sends once all that it asks for is durable and applied. */
function everythingOf(node: RaftEngine | undefined): RaftMessage[] {
  const sent: RaftMessage[] = [];
  for (let ready = node?.ready(); node && ready; ready = node.ready()) {
    sent.push(...ready.messages);
    if (ready.appendPending) sent.push(...node.appendDone(1));
    if (ready.applyPending) sent.push(...node.applyDone(1));
  }
  return sent;
}

describe('raft engine', () => {
  test('three engines elect, commit, answer a read and replace a member', () => {
    const group = new EngineGroup([1, 2, 3], 7);
    const leader = group.elect();
    leader.propose([text('a'), text('b')]);
    leader.readIndex(text('r'));
    group.settle();
    for (const id of [1, 2, 3])
      expect(group.trace.filter((line) => /^\d:\d+\.\d+:b$/.test(line) && line.startsWith(`${id}`))).toHaveLength(1);
    expect(group.trace).toContain(`${leader.status().id}:read 2 114`);
    const gone = leader.status().id === 3 ? 2 : 3;
    leader.proposeConfChange({
      transition: 'auto',
      changes: [
        { type: 'remove', id: gone },
        { type: 'add', id: 4 },
      ],
    });
    group.settle();
    const remaining = [1, 2, 3].filter((id) => id !== gone);
    const last = group.trace.filter((line) => line.startsWith('{')).at(-1) ?? '{}';
    expect((JSON.parse(last) as ConfState).voters).toEqual([...remaining, 4]);
    expect(
      leader
        .progress()
        .map((member) => member.id)
        .sort((a, b) => a - b),
    ).toEqual([...remaining, 4]);
  });

  test('a candidate asks for votes only when its own vote is durable', () => {
    const [candidate, voter] = [1, 2].map((id) => engine(id, { snapshot: bootstrap(1, 2, 3) }));
    while (candidate?.status().role === 'follower') candidate.tick();
    const preVotes = everythingOf(candidate).filter(({ to }) => to === 2);
    // Its lease on the leader that it never had is over as well.
    for (let ticks = 0; ticks < 20; ticks++) voter?.tick();
    everythingOf(voter);
    for (const { bytes } of preVotes) voter?.step(1, [bytes]);
    for (const { bytes } of everythingOf(voter)) candidate?.step(2, [bytes]);
    const ready = candidate?.ready();
    expect(ready).toMatchObject({ hardState: { term: 1, vote: 1 }, appendPending: true, mustSync: true, messages: [] });
    expect(candidate?.appendDone(1).map(({ to }) => to)).toEqual([2, 3]);
  });

  test('the same seed gives the same trace of one engine', () => expect(traceOf([1], 5)).toBe(traceOf([1], 5)));

  test('an engine goes on from what was on disk', () => {
    const entries = [2, 3].map((index) => ({ term: 2, index, type: entryType.normal, data: text(`e${index}`) }));
    const node = engine(1, { entries, hardState: { term: 2, vote: 1, commit: 2 } });
    expect(node.status()).toMatchObject({ term: 2, vote: 1, commit: 2, lastIndex: 3 });
    expect(node.ready()?.committed).toEqual([{ ...entries[0], data: Buffer.from(entries[0]?.data ?? []) }]);
  });

  test('what contradicts itself on disk is refused before raft sees it', () => {
    const entry = (index: number, term: number) => ({ term, index, type: entryType.normal, data: text('x') });
    expect(codeOf(() => engine(1, { entries: [entry(3, 1)] }))).toBe('MALFORMED');
    expect(codeOf(() => engine(1, { entries: [entry(2, 2), entry(3, 1)] }))).toBe('MALFORMED');
    expect(codeOf(() => engine(1, { hardState: { term: 1, vote: 0, commit: 9 } }))).toBe('MALFORMED');
    expect(codeOf(() => engine(1, { entries: [entry(2, 5)], hardState: { term: 1, vote: 0, commit: 1 } }))).toBe(
      'MALFORMED',
    );
    expect(codeOf(() => engine(1, { applied: 7 }))).toBe('MALFORMED');
    expect(codeOf(() => engine(0))).toBe('MALFORMED');
  });

  test('wrong calls have codes and leave the engine usable', () => {
    const node = engine(1);
    expect(codeOf(() => node.appendDone(1))).toBe('OUT_OF_ORDER');
    expect(codeOf(() => node.applyDone(1))).toBe('OUT_OF_ORDER');
    expect(codeOf(() => node.propose([text('x')]))).toBe('PROPOSAL_DROPPED');
    expect(codeOf(() => node.propose([]))).toBe('MALFORMED');
    expect(codeOf(() => node.step(2, [Uint8Array.of(255, 255)]))).toBe('MALFORMED');
    expect(codeOf(() => node.compact(1))).toBe('COMPACTED');
    expect(codeOf(() => node.createSnapshot(9, configuration(1), text('')))).toBe('UNAVAILABLE');
    expect(node.dead).toBe(false);
    expect(node.status().role).toBe('follower');
  });

  test('after a trap the instance is dead for good', () => {
    const node = engine(1, { snapshot: bootstrap(1, 2, 3) });
    // MsgHeartbeat from 2 in term 5 that commits index 100: this node acknowledged entries and lost them.
    const heartbeat = Uint8Array.of(8, 8, 16, 1, 24, 2, 32, 5, 64, 100);
    expect(codeOf(() => node.step(2, [heartbeat]))).toBe('DEAD');
    expect(node.dead).toBe(true);
    expect(codeOf(() => node.status())).toBe('DEAD');
    expect(() => node.tick()).toThrow(/tocommit\(100\) is out of range/);
  });

  test('a message that names another sender is not taken', () => {
    const node = engine(1, { snapshot: bootstrap(1, 2, 3) });
    const heartbeat = Uint8Array.of(8, 8, 16, 1, 24, 2, 32, 5, 64, 1);
    expect(node.step(3, [heartbeat])).toBe(1);
    expect(node.status().leader).toBe(0);
    expect(node.step(2, [heartbeat])).toBe(0);
    expect(node.status().leader).toBe(2);
  });

  test('memory that was reserved is there at once, and does not grow while what is kept fits into it', () => {
    const reservedBytes = 64 * 2 ** 20;
    const node = engine(1, { reservedBytes });
    const { memoryBytes } = node;
    expect(memoryBytes).toBeGreaterThan(reservedBytes);
    node.campaign();
    const settle = (): void => {
      for (let ready = node.ready(); ready; ready = node.ready()) {
        if (ready.appendPending) node.appendDone(1);
        if (ready.applyPending) node.applyDone(1);
      }
    };
    settle();
    const payload = new Uint8Array(100_000);
    for (let round = 0; round < 200; round++) {
      node.propose([payload]);
      settle();
    }
    expect(node.memoryBytes - memoryBytes).toBeLessThan(2 ** 21);
    expect(codeOf(() => engine(1, { reservedBytes: 2 ** 31 }))).toBe('MALFORMED');
  });

  test('ids beyond what a double holds are refused', () => {
    expect(() => engine(2 ** 53)).toThrow(RangeError);
  });
});
