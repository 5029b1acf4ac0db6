import { beforeAll, describe, expect, test } from '@jest/globals';
import type { RaftEngineOptions } from './raft-engine.ts';
import { loadRaftModule, RaftEngine, RaftEngineError } from './raft-engine.ts';
import type { ConfState, RaftMessage, RaftSnapshot } from './raft-types.ts';
import { entryType } from './raft-types.ts';
import { seededEntropy, steppingClock } from './testing/deterministic-host.ts';

let module: WebAssembly.Module;
beforeAll(async () => {
  module = await loadRaftModule();
});

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function configuration(...voters: number[]): ConfState {
  return { voters, learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
}

function bootstrap(...voters: number[]): RaftSnapshot {
  return { index: 1, term: 1, confState: configuration(...voters), data: text('genesis') };
}

function engine(id: number, options: Partial<RaftEngineOptions> = {}, seed = 1): RaftEngine {
  return new RaftEngine(
    {
      id,
      electionTicks: 10,
      heartbeatTicks: 1,
      maxMessageBytes: 1024 * 1024,
      maxInflightMessages: 256,
      maxInflightBytes: 0,
      maxUncommittedBytes: 0,
      snapshot: bootstrap(1),
      hardState: null,
      entries: [],
      applied: 1,
      logLevel: 'fatal',
      ...options,
    },
    { module, clock: steppingClock(), entropy: seededEntropy(seed * 100 + id), log: () => undefined },
  );
}

/** Engines joined by a network without loss; `trace` has every applied entry of every node. */
class Group {
  readonly engines = new Map<number, RaftEngine>();
  readonly trace: string[] = [];

  constructor(ids: readonly number[], seed: number) {
    for (const id of ids) this.engines.set(id, engine(id, { snapshot: bootstrap(...ids) }, seed));
  }

  settle(): void {
    for (let more = true; more; ) {
      more = false;
      for (const [id, node] of this.engines) {
        const ready = node.ready();
        if (!ready) continue;
        more = true;
        const out: RaftMessage[] = [...ready.messages];
        for (const entry of ready.committed) {
          this.trace.push(`${id}:${entry.term}.${entry.index}:${Buffer.from(entry.data).toString('latin1')}`);
          if (entry.type !== entryType.normal) this.trace.push(JSON.stringify(node.applyConfChange(entry)));
        }
        for (const state of ready.readStates) this.trace.push(`${id}:read ${state.index} ${state.context.join()}`);
        if (ready.appendPending) out.push(...node.appendDone(1));
        if (ready.applyPending) out.push(...node.applyDone(1));
        for (const message of out) this.engines.get(message.to)?.step(id, [message.bytes]);
      }
    }
  }

  elect(): RaftEngine {
    for (let ticks = 0; ticks < 200; ticks++) {
      for (const node of this.engines.values()) node.tick();
      this.settle();
      for (const node of this.engines.values()) if (node.status().role === 'leader') return node;
    }
    throw new Error('no leader');
  }
}

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof RaftEngineError) return error.code;
    throw error;
  }
  return 'no error';
}

describe('raft engine', () => {
  test('three engines elect, commit, answer a read and replace a member', () => {
    const group = new Group([1, 2, 3], 7);
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

  test('the same seed gives the same trace, another seed another', () => {
    const run = (seed: number): string => {
      const group = new Group([1, 2, 3], seed);
      group.elect().propose([text('x')]);
      group.settle();
      return [...group.trace, ...[...group.engines.values()].map((node) => JSON.stringify(node.status()))].join('\n');
    };
    expect(run(5)).toBe(run(5));
    expect([1, 2, 3, 4].some((seed) => run(seed) !== run(5))).toBe(true);
  });

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

  test('ids beyond what a double holds are refused', () => {
    expect(() => engine(2 ** 53)).toThrow(RangeError);
  });
});
