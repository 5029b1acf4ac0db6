/** Raft engines that a test drives by hand, with clock and entropy from a seed. */
import type { RaftEngineOptions } from '../raft-engine.ts';
import { loadRaftModule, RaftEngine } from '../raft-engine.ts';
import type { ConfState, RaftMessage, RaftSnapshot } from '../raft-types.ts';
import { entryType } from '../raft-types.ts';
import { seededEntropy, steppingClock } from './deterministic-host.ts';

let module: WebAssembly.Module;

/** Reads the engine's program; before any engine is made. */
export async function loadEngine(): Promise<void> {
  module = await loadRaftModule();
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);

export function configuration(...voters: number[]): ConfState {
  return { voters, learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
}

export function bootstrap(...voters: number[]): RaftSnapshot {
  return { index: 1, term: 1, confState: configuration(...voters), data: text('genesis') };
}

export function engine(id: number, options: Partial<RaftEngineOptions> = {}, seed = 1): RaftEngine {
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
      reservedBytes: 0,
      logLevel: 'fatal',
      ...options,
    },
    { module, clock: steppingClock(), entropy: seededEntropy(seed * 100 + id), log: () => undefined },
  );
}

/** Engines joined by a network without loss; `trace` has every applied entry of every node. */
export class EngineGroup {
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

/** What a group says and does from its first tick to its first entry. */
export function traceOf(ids: readonly number[], seed: number): string {
  const group = new EngineGroup(ids, seed);
  group.elect().propose([text('x')]);
  group.settle();
  return [...group.trace, ...[...group.engines.values()].map((node) => JSON.stringify(node.status()))].join('\n');
}
