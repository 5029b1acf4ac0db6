/**
 * Snapshots of a replica. Their content never enters the engine: what raft carries is its digest, and the content goes
 * beside the message, from the sender's log folder into the receiver's.
 */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { LogStore, PeerTransport, StateMachine } from './ports.ts';
import { type RaftEngine, RaftEngineError } from './raft-engine.ts';
import type { ConfState, RaftMessage, RaftSnapshot } from './raft-types.ts';

export type SnapshotLimits = Readonly<{
  /** A snapshot is made when so many entries were applied since the last one. */
  snapshotEveryEntries: number;
  /** Or so many bytes of them. */
  snapshotEveryBytes: number;
  /** Entries before a snapshot that the engine keeps, so that members a little behind need no snapshot. */
  cachedEntries: number;
}>;

export type SnapshotKeeperHost = Readonly<{
  engine: RaftEngine;
  store: LogStore;
  transport: PeerTransport;
  stateMachine: StateMachine;
  /** The engine may have something to do now. */
  wake: () => void;
  failed: (error: unknown) => void;
}>;

export type Applied = Readonly<{
  last: Readonly<{ index: number; term: number }>;
  members: ConfState;
  membersChanged: boolean;
  /** Number and bytes of the entries applied. */
  count: number;
  bytes: number;
}>;

type Latest = Readonly<{ index: number; term: number; members: ConfState }>;

/** Contents received and not installed; raft installs one at a time and ignores those that come too late. */
const MAX_RECEIVED = 2;
const HARMLESS: ReadonlySet<string> = new Set(['COMPACTED', 'SNAPSHOT_OUT_OF_DATE']);

export function contentDigest(content: Uint8Array): Buffer {
  return createHash('sha256').update(content).digest();
}

function names(members: ConfState, id: number): boolean {
  return [members.voters, members.learners, members.votersOutgoing, members.learnersNext].some((ids) =>
    ids.includes(id),
  );
}

export class SnapshotKeeper {
  readonly #limits: SnapshotLimits;
  readonly #host: SnapshotKeeperHost;
  readonly #received = new Map<string, Uint8Array>();
  #making: Promise<void> | null = null;
  #due = false;
  #latest: Latest | null = null;
  #entriesSince = 0;
  #bytesSince = 0;

  constructor(limits: SnapshotLimits, host: SnapshotKeeperHost) {
    this.#limits = limits;
    this.#host = host;
  }

  /**
   * To be called when entries were applied; makes a snapshot of the state as it is now when one is due. It is due at once
   * when members changed, because a new one takes no snapshot that does not name it.
   */
  applied({ last, members, membersChanged, count, bytes }: Applied): void {
    this.#entriesSince += count;
    this.#bytesSince += bytes;
    const { snapshotEveryEntries, snapshotEveryBytes } = this.#limits;
    this.#due ||=
      membersChanged || this.#entriesSince >= snapshotEveryEntries || this.#bytesSince >= snapshotEveryBytes;
    this.#latest = { index: last.index, term: last.term, members };
    this.#makeIfDue();
  }

  #makeIfDue(): void {
    const at = this.#latest;
    if (!this.#due || this.#making || !at) return;
    this.#due = false;
    this.#entriesSince = 0;
    this.#bytesSince = 0;
    this.#making = this.#make(at)
      .catch((error: unknown) => this.#host.failed(error))
      .finally(() => {
        this.#making = null;
        this.#makeIfDue();
      });
  }

  async #make({ index, term, members }: Latest): Promise<void> {
    const { engine, store, stateMachine } = this.#host;
    const content = await stateMachine.snapshot();
    await store.saveSnapshot({ index, term, confState: members, content });
    try {
      engine.createSnapshot(index, members, contentDigest(content));
      engine.compact(Math.max(0, index - this.#limits.cachedEntries));
    } catch (error) {
      // A newer snapshot was installed meanwhile, or less than `cachedEntries` can be dropped.
      if (!(error instanceof RaftEngineError && HARMLESS.has(error.code))) throw error;
    }
  }

  /** A MsgSnap from an authenticated peer. False: refused. */
  receive(from: number, message: Uint8Array, content: Uint8Array): boolean {
    const digest = contentDigest(content);
    this.#received.set(digest.toString('hex'), content);
    for (const oldest of this.#received.keys()) if (this.#received.size > MAX_RECEIVED) this.#received.delete(oldest);
    return this.#host.engine.stepSnapshot(from, message, digest);
  }

  /** Saves and restores what raft decided to install. */
  async install(snapshot: RaftSnapshot): Promise<void> {
    const content = this.#received.get(Buffer.from(snapshot.data).toString('hex'));
    if (!content) throw new RangeError(`raft installs a snapshot at ${snapshot.index} that was never received`);
    const { index, term, confState } = snapshot;
    this.#due = false;
    await this.#making;
    await this.#host.store.saveSnapshot({ index, term, confState, content });
    await this.#host.stateMachine.restore(content, { index, term });
    this.#received.clear();
    this.#due = false;
    this.#entriesSince = 0;
    this.#bytesSince = 0;
  }

  send(message: RaftMessage): void {
    this.#send(message).catch((error: unknown) => this.#host.failed(error));
  }

  async #send(message: RaftMessage): Promise<void> {
    const { engine, store, transport, wake } = this.#host;
    const snapshot = await store.loadSnapshot(message.snapshotIndex);
    let delivered = false;
    if (snapshot && names(snapshot.confState, message.to)) {
      delivered = await transport.sendSnapshot(message, snapshot.content).then(
        () => true,
        () => false,
      );
    }
    if (engine.dead) return;
    engine.reportSnapshot(message.to, delivered);
    wake();
  }

  /** Begins no further snapshot; resolves when no file is being written. */
  async idle(): Promise<void> {
    this.#due = false;
    await this.#making;
  }
}
