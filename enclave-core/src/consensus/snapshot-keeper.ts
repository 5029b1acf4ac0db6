/**
 * Snapshots of a replica. Their content never enters the engine: what raft carries is its digest, and the content goes
 * beside the message, from the sender's log folder into the receiver's. At most one snapshot at a time is received.
 */
import type { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { LogDamagedError } from './log/log-errors.ts';
import type { LogStore, PeerTransport, StateMachine, StoredSnapshot } from './ports.ts';
import { type RaftEngine, RaftEngineError, type RaftLogLevel } from './raft-engine.ts';
import type { ConfState, Entry, RaftMessage, RaftSnapshot } from './raft-types.ts';
import { RecentBytes } from './recent-bytes.ts';

export type SnapshotLimits = Readonly<{
  /** Entries before a snapshot that the engine keeps, so that members a little behind need no snapshot. */
  cachedEntries: number;
  /** At most so many bytes of them. */
  cachedBytes: number;
  /** Ticks until a snapshot that could not be sent is tried again; sooner when a new one is kept. */
  snapshotRetryTicks: number;
  /**
   * Ticks that a member has for installing what it was sent before raft asks it how far it is. A member that is still
   * at it then is sent a snapshot again, which it refuses.
   */
  snapshotInstallTicks: number;
}>;

export type SnapshotKeeperHost = Readonly<{
  engine: RaftEngine;
  store: LogStore;
  transport: PeerTransport;
  stateMachine: Pick<StateMachine, 'install'>;
  /** The engine may have something to do now. */
  wake: () => void;
  /** A member needs a snapshot, and there is none that names it. */
  wanted: (member: number) => void;
  log: (level: RaftLogLevel, text: string) => void;
  failed: (error: unknown) => void;
}>;

type Received = Readonly<{ from: number; digest: Buffer; content: Uint8Array }>;
/**
 * How the sending of a snapshot ended. Raft is told when `ticks` are over, or earlier when the member, whose log matched
 * up to `match` then, has got on: it installed this snapshot, or one that it was at before.
 */
type Report = { ticks: number; readonly delivered: boolean; readonly match: number };

const HARMLESS: ReadonlySet<string> = new Set(['COMPACTED', 'SNAPSHOT_OUT_OF_DATE']);

export function contentDigest(content: Uint8Array): Buffer {
  return createHash('sha256').update(content).digest();
}

/** True when `id` is a voter or a learner, or becomes one when a change under way ends. */
export function namesMember(members: ConfState, id: number): boolean {
  return [members.voters, members.learners, members.votersOutgoing, members.learnersNext].some((ids) =>
    ids.includes(id),
  );
}

export class SnapshotKeeper {
  readonly #limits: SnapshotLimits;
  readonly #host: SnapshotKeeperHost;
  readonly #stopping = new AbortController();
  /** By member. */
  readonly #reports = new Map<number, Report>();
  #received: Received | null = null;
  /** Raft decided to install what was received; until that is done nothing else is taken. */
  #claimed = false;
  #saving: Promise<void> = Promise.resolve();
  readonly #recent: RecentBytes;

  constructor(limits: SnapshotLimits, host: SnapshotKeeperHost) {
    this.#limits = limits;
    this.#host = host;
    this.#recent = new RecentBytes(limits.cachedBytes);
  }

  applied(entries: readonly Entry[]): void {
    this.#recent.applied(entries);
  }

  /** Makes a snapshot durable, gives it to members too far behind, and lets go of the entries that it covers. */
  keep(snapshot: StoredSnapshot): Promise<void> {
    return this.#oneAtATime(async () => {
      const { engine, store } = this.#host;
      const { index, confState, content } = snapshot;
      await store.saveSnapshot(snapshot);
      if (engine.dead) return;
      try {
        engine.createSnapshot(index, confState, contentDigest(content));
        engine.compact(Math.min(index, Math.max(0, index - this.#limits.cachedEntries, this.#recent.beyond)));
      } catch (error) {
        // A newer snapshot was installed meanwhile, or nothing can be dropped.
        if (!(error instanceof RaftEngineError && HARMLESS.has(error.code))) throw error;
      }
      for (const report of this.#reports.values()) if (!report.delivered) report.ticks = 0;
      this.#host.wake();
      await store.dropBefore(index);
    });
  }

  /** A MsgSnap from an authenticated peer. False: refused. After it, `settle` must follow once raft has said what to do. */
  receive(from: number, message: Uint8Array, content: Uint8Array): boolean {
    if (this.#received) return false;
    const digest = contentDigest(content);
    this.#received = { from, digest, content };
    return this.#host.engine.stepSnapshot(from, message, digest);
  }

  /** Raft is to install this one. */
  claim(snapshot: RaftSnapshot): void {
    if (!this.#received?.digest.equals(snapshot.data)) {
      throw new RangeError(`raft installs a snapshot at ${snapshot.index} that was never received`);
    }
    this.#claimed = true;
  }

  /** Lets go of what raft had no use for. */
  settle(): void {
    if (!this.#claimed) this.#received = null;
  }

  /** Gives the claimed snapshot to the state machine, then saves it. */
  async install({ index, term, confState }: RaftSnapshot): Promise<void> {
    const received = this.#received;
    if (!received) throw new RangeError(`no snapshot was received, and one at ${index} is to be installed`);
    const { from, content } = received;
    await this.#host.stateMachine.install(from, { index, term, confState }, content, this.#stopping.signal);
    await this.#oneAtATime(() => this.#host.store.saveSnapshot({ index, term, confState, content }));
    this.#claimed = false;
    this.#received = null;
  }

  send(message: RaftMessage): void {
    this.#send(message).catch((error: unknown) => this.#host.failed(error));
  }

  /** Raft sends nothing more to the member until it is told how this ended. */
  async #send(message: RaftMessage): Promise<void> {
    const { transport, wanted } = this.#host;
    const { to } = message;
    this.#reports.delete(to);
    const match = this.#matches().get(to) ?? 0;
    const snapshot = await this.#load(message.snapshotIndex);
    if (!snapshot || !namesMember(snapshot.confState, to)) {
      this.#reports.set(to, { ticks: this.#limits.snapshotRetryTicks, delivered: false, match });
      wanted(to);
      return;
    }
    const delivered = await transport.sendSnapshot(message, snapshot.content).then(
      () => true,
      () => false,
    );
    const ticks = delivered ? this.#limits.snapshotInstallTicks : this.#limits.snapshotRetryTicks;
    this.#reports.set(to, { ticks, delivered, match });
  }

  /** Null when it is not kept, or the disk spoilt it; a new one helps in both cases. */
  async #load(index: number): Promise<StoredSnapshot | null> {
    try {
      return await this.#host.store.loadSnapshot(index);
    } catch (error) {
      if (!(error instanceof LogDamagedError)) throw error;
      this.#host.log('error', error.message);
      return null;
    }
  }

  /** The transport lost a member: what it was sent may be lost too, so it need not be waited for. */
  unreachable(member: number): void {
    const report = this.#reports.get(member);
    if (report) report.ticks = Math.min(report.ticks, this.#limits.snapshotRetryTicks);
  }

  tick(): void {
    if (this.#reports.size === 0) return;
    const matches = this.#matches();
    for (const [member, report] of this.#reports) {
      report.ticks -= 1;
      const gotOn = report.delivered && (matches.get(member) ?? 0) > report.match;
      if (report.ticks > 0 && !gotOn) continue;
      this.#reports.delete(member);
      this.#host.engine.reportSnapshot(member, report.delivered);
    }
  }

  #matches(): ReadonlyMap<number, number> {
    return new Map(this.#host.engine.progress().map(({ id, match }) => [id, match]));
  }

  /** Tells the state machine to end an install. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Resolves when no file is being written. */
  async idle(): Promise<void> {
    await this.#saving;
  }

  #oneAtATime(work: () => Promise<void>): Promise<void> {
    const done = this.#saving.then(work);
    this.#saving = done.catch(() => undefined);
    return done;
  }
}
