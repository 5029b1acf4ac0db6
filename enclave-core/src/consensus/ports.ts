/**
 * What a replica needs of its host: a durable log, peers, a state machine and time. Raft and the replica know
 * nothing of files, sockets or what an entry means.
 */
import type { ConfState, Entry, HardState, RaftMessage } from './raft-types.ts';

/** Where a snapshot stands in the log, and the members as of there. */
export type SnapshotPoint = Readonly<{ index: number; term: number; confState: ConfState }>;

/** What the state machine made of its state: ciphertext, opaque here. */
export type SnapshotContent = Readonly<{
  /** What a member too far behind is sent of it: a few bytes, where the state machine has its own way to the state. */
  head: Uint8Array;
  /** Of all pieces together. */
  bytes: number;
  /** In order, as they were written; from the disk each time that they are asked for. */
  pieces: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}>;

/** State of everything up to `index`. */
export type StoredSnapshot = SnapshotPoint & SnapshotContent;

/** A snapshot on its way to the disk, piece by piece. It counts for nothing before it is kept. */
export interface SnapshotWriter {
  readonly point: SnapshotPoint;
  /** Resolves when the piece may be overwritten, not when it is durable. One at a time. */
  add(piece: Uint8Array): Promise<void>;
  /** After the last piece. Resolves when the snapshot is durable, and takes the place of those before it. */
  keep(head: Uint8Array): Promise<void>;
  /** Gives back what it takes, unless it is kept; a piece that is added afterwards is refused. Does nothing a second time. */
  discard(): Promise<void>;
}

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
  /**
   * Several may be written at once, of different indexes, and beside `append`. `keep` may run beside `append`, not beside that
   * of another or `dropBefore`. What was neither kept nor discarded is gone after a restart.
   */
  beginSnapshot(point: SnapshotPoint): Promise<SnapshotWriter>;
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
  restore(snapshot: StoredSnapshot): Promise<void>;
  /**
   * Replaces the state by that of a snapshot, at `into.point`, whose head the leader `from` sent, and writes it into `into`, which
   * is kept with that head afterwards. May take minutes: nothing is applied meanwhile. What it rejects with ends the replica;
   * `signal` says that the replica stops.
   */
  install(from: number, head: Uint8Array, into: SnapshotWriter, signal: AbortSignal): Promise<void>;
}

/** Calls `onTick` at a steady pace until the returned function is called. */
export interface Ticker {
  start(onTick: () => void): () => void;
}

/** Runs `turn` once, after the present turn of the event loop. */
export interface TurnScheduler {
  defer(turn: () => void): void;
}
