/** What a replica is told and given. */
import type { LogStore, PeerTransport, StateMachine, Ticker, TurnScheduler } from './ports.ts';
import type { ProposalLimits } from './proposal-tracker.ts';
import type { RaftLogLevel } from './raft-engine.ts';
import type { ConfState, Role } from './raft-types.ts';
import type { ReadLimits } from './read-barrier.ts';
import type { Bootstrap, EngineSettings } from './replica-start.ts';
import type { SnapshotLimits } from './snapshot-keeper.ts';
import type { Clock, Entropy } from './wasi-shim.ts';

export type ReplicaOptions = EngineSettings &
  ProposalLimits &
  ReadLimits &
  SnapshotLimits &
  Readonly<{
    /** For a new group; null for a node that joins one. Without effect when the log holds anything. */
    bootstrap: Bootstrap | null;
    /** Bytes of entries after which one write to the log takes no further append. */
    maxWriteBytes: number;
    /** Bytes of messages from peers that wait for their turn; what exceeds it is lost, and raft sends again. */
    maxInboundBytes: number;
  }>;

/** For a tick of 50 ms: an election after 1 to 2 s of silence, a heartbeat every 100 ms, 30 s to install a snapshot. */
export const REPLICA_DEFAULTS: Omit<ReplicaOptions, 'id' | 'bootstrap'> = {
  electionTicks: 20,
  heartbeatTicks: 2,
  maxMessageBytes: 1024 * 1024,
  maxInflightMessages: 512,
  maxInflightBytes: 64 * 1024 * 1024,
  maxUncommittedBytes: 128 * 1024 * 1024,
  engineReservedBytes: 192 * 1024 * 1024,
  logLevel: 'warning',
  maxProposalBytes: 8 * 1024 * 1024,
  maxPendingBytes: 64 * 1024 * 1024,
  maxPendingProposals: 65_536,
  proposalTimeoutTicks: 200,
  readRetryTicks: 10,
  readTimeoutTicks: 100,
  maxPendingReads: 65_536,
  cachedEntries: 10_000,
  cachedBytes: 16 * 1024 * 1024,
  snapshotRetryTicks: 20,
  snapshotInstallTicks: 600,
  maxWriteBytes: 4 * 1024 * 1024,
  maxInboundBytes: 64 * 1024 * 1024,
};

/** `leader` null: unknown. */
export type RoleChange = Readonly<{ role: Role; leader: number | null; term: number }>;

export type ReplicaDependencies = Readonly<{
  module: WebAssembly.Module;
  store: LogStore;
  transport: PeerTransport;
  stateMachine: StateMachine;
  clock: Clock;
  entropy: Entropy;
  ticker: Ticker;
  scheduler: TurnScheduler;
  log: (level: RaftLogLevel, text: string) => void;
  /** Called once; the replica is stopped then and only a restart from disk helps. */
  onFatal: (error: unknown) => void;
  onRoleChange: (change: RoleChange) => void;
  /** This node can act as leader, or cannot any more: see `Replica.leading`. */
  onLeading: (leading: boolean) => void;
  /** `index`: of the entry or snapshot that brought them. */
  onMembersChange: (members: ConfState, index: number) => void;
  /** This node was a member and is none any more, for ever; it does nothing more and is to be stopped. */
  onRemoved: () => void;
  /** `member` waits for a snapshot, and none is kept that names it: one at `index` or later would. Called again while it waits. */
  onSnapshotWanted: (index: number, member: number) => void;
}>;
