/**
 * Raft's own words, as etcd's raft uses them. Terms, indexes and ids are u64 there and numbers here:
 * the engine refuses what is above 2^53 - 1, and the codecs assert it.
 */

/** `vote` 0 = none. `commit` may lag behind what is known to be committed. */
export type HardState = Readonly<{ term: number; vote: number; commit: number }>;

export const entryType = { normal: 0, confChange: 1, confChangeV2: 2 } as const;
export type EntryType = (typeof entryType)[keyof typeof entryType];

/** A normal entry with empty `data` is what a new leader appends to commit its term. */
export type Entry = Readonly<{ term: number; index: number; type: EntryType; data: Uint8Array }>;

/** `votersOutgoing` is not empty while a joint change is under way. */
export type ConfState = Readonly<{
  voters: readonly number[];
  learners: readonly number[];
  votersOutgoing: readonly number[];
  learnersNext: readonly number[];
  autoLeave: boolean;
}>;

/** State of everything up to and including `index`. `data` is what the leader's engine hands to members too far behind. */
export type RaftSnapshot = Readonly<{ index: number; term: number; confState: ConfState; data: Uint8Array }>;

export type Role = 'follower' | 'candidate' | 'leader' | 'preCandidate';

/** `leader` 0 = unknown. */
export type SoftState = Readonly<{ leader: number; role: Role }>;

/** `bytes` is a raftpb.Message. `snapshotIndex` is 0 unless it is a MsgSnap. */
export type RaftMessage = Readonly<{ to: number; type: number; snapshotIndex: number; bytes: Uint8Array }>;

/** Everything applied up to `index` answers the read that carries `context`. */
export type ReadState = Readonly<{ index: number; context: Uint8Array }>;

/**
 * What the host has to do now, in this order: send `messages`, make `entries`, `hardState` and `snapshot` durable
 * (then `appendDone`), apply `committed` (then `applyDone`). `mustSync` false: the append may become durable later.
 */
export type Ready = Readonly<{
  hardState: HardState | null;
  softState: SoftState | null;
  entries: readonly Entry[];
  snapshot: RaftSnapshot | null;
  committed: readonly Entry[];
  messages: readonly RaftMessage[];
  readStates: readonly ReadState[];
  appendPending: boolean;
  applyPending: boolean;
  mustSync: boolean;
}>;

/** `add` makes a voter, also of a learner; `addLearner` makes a learner. */
export type MemberChange = Readonly<{ type: 'add' | 'remove' | 'addLearner'; id: number }>;

/** `auto` takes the simple protocol for one change and a joint one for more; raft leaves the joint state by itself. */
export type ConfChange = Readonly<{ transition: 'auto' | 'jointImplicit'; changes: readonly MemberChange[] }>;

/** `firstIndex` and `lastIndex` are of the engine's cache, not of the log on disk. */
export type RaftStatus = Readonly<{
  id: number;
  term: number;
  vote: number;
  commit: number;
  applied: number;
  leader: number;
  leadTransferee: number;
  firstIndex: number;
  lastIndex: number;
  role: Role;
}>;

/** How far a member's log is known to match the leader's. */
export type MemberProgress = Readonly<{
  id: number;
  match: number;
  next: number;
  state: 'probe' | 'replicate' | 'snapshot';
  recentlyActive: boolean;
  learner: boolean;
}>;
