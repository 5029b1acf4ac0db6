/**
 * What a replica needs of its host: a durable log, peers, a state machine and time. Raft and the replica know
 * nothing of files, sockets or what an entry means.
 */
import type { ConfState, Entry, HardState, RaftMessage } from './raft-types.ts';

/** State of everything up to `index`. `content` is opaque here: ciphertext that the state machine made. */
export type StoredSnapshot = SnapshotPoint & Readonly<{ content: Uint8Array }>;

/** Where a snapshot stands in the log, and the members as of there. */
export type SnapshotPoint = Readonly<{ index: number; term: number; confState: ConfState }>;

/** Bytes that a crash left of a write that was never acknowledged, and that were cut off. */
export type TornTail = Readonly<{ file: string; offset: number; bytes: number }>;

export type StoredLog = Readonly<{
  /** Newest whole snapshot; null only in a store that was never bootstrapped and never received one. */
  snapshot: StoredSnapshot | null;
  hardState: HardState | null;
  /** What follows the snapshot, contiguous, some of it perhaps uncommitted. */
  entries: readonly Entry[];
  tornTail: TornTail | null;
  /** Snapshots that are damaged and were passed over for an older one, with the reason; the log still has all. */
  damagedSnapshots: readonly Readonly<{ file: string; reason: string }>[];
}>;

/**
 * One group commit. `entries` are contiguous; what the log holds from `entries[0].index` on is replaced.
 * `installed`: a snapshot that a leader sent and that was saved before; the log goes on after its index.
 */
export type LogBatch = Readonly<{
  entries: readonly Entry[];
  hardState: HardState | null;
  installed: Readonly<{ index: number; term: number }> | null;
}>;

/** The durable log. After one failed write it refuses everything: what is on disk is then known only after a restart. */
export interface LogStore {
  /** To be called once, first. */
  load(): Promise<StoredLog>;
  /** Resolves when the batch is durable as a whole; a crash before that leaves all, a prefix or none of it. One at a time. */
  append(batch: LogBatch): Promise<void>;
  /** Resolves when durable. May run beside `append`, not beside itself or `dropBefore`. */
  saveSnapshot(snapshot: StoredSnapshot): Promise<void>;
  /**
   * Gives back space: entries up to `index` may go, as far as no kept snapshot needs them. What follows the oldest kept
   * snapshot always stays. May run beside `append`.
   */
  dropBefore(index: number): Promise<void>;
  /**
   * Committed entries from `fromIndex` on, or from the oldest that the log has, as far as the commit index on disk
   * reaches. Indexes that a received snapshot jumped over are absent.
   */
  readEntries(fromIndex: number): AsyncIterable<Entry>;
  close(): Promise<void>;
}

/**
 * Carries messages to peers, whose replicas are given them by `receive` and `receiveSnapshot`. May lose, repeat and
 * reorder, must not wait, and must say truthfully who sent what: the sender that it names is the authenticated one.
 */
export interface PeerTransport {
  send(messages: readonly RaftMessage[]): void;
  /** `head` is of the snapshot that the message speaks of. Rejects unless the peer has been given both parts. */
  sendSnapshot(message: RaftMessage, head: Uint8Array): Promise<void>;
}

/** Applies what is committed. Must be deterministic; an exception stops the replica for good. */
export interface StateMachine {
  /**
   * Committed entries in index order, empty and configuration entries included, so one draft serves all. A configuration
   * entry is always the last of its batch; `members` are those before the batch.
   */
  applyBatch(entries: readonly Entry[], members: ConfState): void;
  /** Called once, at the start: replaces the state by that of a snapshot that this node kept. */
  restore(content: Uint8Array, at: SnapshotPoint): Promise<void>;
  /**
   * What a member too far behind is sent of a snapshot, which is held in memory: a few bytes, where it has its own way to
   * the state. The same for every content that `install` makes from it.
   */
  headOf(content: Uint8Array): Uint8Array;
  /**
   * Replaces the state by that of a snapshot whose head the leader `from` sent. May take minutes: nothing is applied
   * meanwhile. What it rejects with ends the replica; `signal` says that the replica stops.
   * @returns the content to be kept
   */
  install(from: number, at: SnapshotPoint, head: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
}

/** Calls `onTick` at a steady pace until the returned function is called. */
export interface Ticker {
  start(onTick: () => void): () => void;
}

/** Runs `turn` once, after the present turn of the event loop. */
export interface TurnScheduler {
  defer(turn: () => void): void;
}
