/** From what is on disk to an engine that can go on with it. */
import type { LogStore, SnapshotContent, StateMachine, StoredLog, StoredSnapshot } from './ports.ts';
import { RaftEngine, type RaftEngineDependencies, type RaftLogLevel } from './raft-engine.ts';
import type { HardState } from './raft-types.ts';
import { saveSnapshot } from './save-snapshot.ts';
import { headDigest } from './snapshot-keeper.ts';

/** What a new group begins with; equal on every first member. `first`: the state machine's first snapshot. */
export type Bootstrap = Readonly<{ voters: readonly number[]; first: SnapshotContent }>;

export type EngineSettings = Readonly<{
  /** Raft id of this node, 1 to 2^53 - 1; never used again by another. */
  id: number;
  /** Ticks without a leader before a follower campaigns; raft adds up to as much again at random. */
  electionTicks: number;
  heartbeatTicks: number;
  /** Bytes of entries in one message, and in one batch given to the state machine; a larger entry goes alone. */
  maxMessageBytes: number;
  /** Messages, and bytes of entries, in flight to one follower. */
  maxInflightMessages: number;
  maxInflightBytes: number;
  /** Bytes of own entries that are not committed. */
  maxUncommittedBytes: number;
  /**
   * Bytes of WebAssembly memory asked for at the start: twice of what the engine keeps, which is what was appended since
   * the last snapshot but one, and what is in flight. Pages that are never used take no memory of the machine.
   */
  engineReservedBytes: number;
  logLevel: RaftLogLevel;
}>;

/** Snapshot at this index and term is where every log begins. */
const FIRST = { index: 1, term: 1 } as const;

/**
 * Loads the log; an empty one is bootstrapped, or left empty for a node that joins a group. The hard state that it gives
 * is durable.
 */
export async function loadLog(store: LogStore, bootstrap: Bootstrap | null): Promise<StoredLog> {
  const stored = await store.load();
  const isEmpty = !stored.snapshot && !stored.hardState && stored.entries.length === 0;
  if (!bootstrap || !isEmpty) return reconcile(store, stored);
  const confState = { voters: bootstrap.voters, learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
  const snapshot: StoredSnapshot = { ...bootstrap.first, ...FIRST, confState };
  const hardState = { term: FIRST.term, vote: 0, commit: FIRST.index };
  await saveSnapshot(store, snapshot);
  await store.append({ entries: [], hardState, installed: FIRST });
  return { ...stored, snapshot, hardState };
}

async function reconcile(store: LogStore, stored: StoredLog): Promise<StoredLog> {
  const hardState = reconciled(stored);
  const { hardState: found } = stored;
  const asFound =
    hardState?.term === found?.term && hardState?.vote === found?.vote && hardState?.commit === found?.commit;
  if (!hardState || asFound) return stored;
  await store.append({ entries: [], hardState, installed: null });
  return { ...stored, hardState };
}

/**
 * A snapshot can be on disk before the hard state that goes with it. What it holds is committed, and in a term that the
 * disk does not know this node has voted for nobody.
 */
export function reconciled({ hardState, snapshot }: Pick<StoredLog, 'hardState' | 'snapshot'>): HardState | null {
  if (!snapshot) return hardState;
  if (!hardState) return { term: snapshot.term, vote: 0, commit: snapshot.index };
  const commit = Math.max(hardState.commit, snapshot.index);
  if (hardState.term >= snapshot.term) return { ...hardState, commit };
  return { term: snapshot.term, vote: 0, commit };
}

/** Restores the state machine, then makes the engine. */
export async function startEngine(
  settings: EngineSettings,
  stored: StoredLog,
  stateMachine: StateMachine,
  dependencies: RaftEngineDependencies,
): Promise<RaftEngine> {
  const { snapshot, entries } = stored;
  if (snapshot) await stateMachine.restore(snapshot);
  const options = {
    ...settings,
    snapshot: snapshot && {
      index: snapshot.index,
      term: snapshot.term,
      confState: snapshot.confState,
      data: headDigest(snapshot.head),
    },
    hardState: stored.hardState,
    entries,
    applied: snapshot?.index ?? 0,
    reservedBytes: settings.engineReservedBytes,
  };
  return new RaftEngine(options, dependencies);
}
