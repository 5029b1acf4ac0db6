/**
 * Snapshots of a replica. Their content never enters the engine, nor does it leave the node: a member too far behind is sent
 * its head, beside the message, in which raft carries the head's digest. At most one snapshot at a time is received.
 */
import type { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { LogStore, PeerTransport, SnapshotPoint, SnapshotWriter, StateMachine, StoredSnapshot } from './ports.ts';
import { type RaftEngine, RaftEngineError, type RaftLogLevel } from './raft-engine.ts';
import type { ConfState, Entry, RaftMessage, RaftSnapshot } from './raft-types.ts';
import { RecentBytes } from './recent-bytes.ts';

export type SnapshotLimits = Readonly<{
  /** Entries before a snapshot that the engine keeps, so that members a little behind need no snapshot. */
  cachedEntries: number;
  /** At most so many bytes of them. */
  cachedBytes: number;
  /**
   * Ticks until a snapshot that could not be sent is tried again, twice as many after each further time, up to eight times
   * as many; sooner when a new one is kept.
   */
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

type Received = Readonly<{ from: number; digest: Buffer; head: Uint8Array }>;
/** What members are sent of the newest snapshot. */
type Offer = Pick<SnapshotPoint, 'index' | 'confState'> & Readonly<{ head: Uint8Array }>;
/** Why a member could not be sent a snapshot last, and how often in a row it could not. */
type Refusals = Readonly<{ cause: string; count: number }>;
/**
 * How the sending of a snapshot ended. Raft is told when `ticks` are over, or earlier when the member, whose log matched
 * up to `match` then, has got on: it installed this snapshot, or one that it was at before.
 */
type Report = { ticks: number; readonly delivered: boolean; readonly match: number };

const HARMLESS: ReadonlySet<string> = new Set(['COMPACTED', 'SNAPSHOT_OUT_OF_DATE']);

const MAX_RETRY_FACTOR = 8;

export function headDigest(head: Uint8Array): Buffer {
  return createHash('sha256').update(head).digest();
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
  readonly #refusals = new Map<number, Refusals>();
  #offer: Offer | null = null;
  #received: Received | null = null;
  /** Raft decided to install what was received; until that is done nothing else is taken. */
  #claimed = false;
  #saving: Promise<void> = Promise.resolve();
  readonly #recent: RecentBytes;

  /** @param stored the snapshot that the engine begins with */
  constructor(limits: SnapshotLimits, host: SnapshotKeeperHost, stored: StoredSnapshot | null) {
    this.#limits = limits;
    this.#host = host;
    this.#recent = new RecentBytes(limits.cachedBytes);
    if (stored) this.#offer = offerOf(stored, stored.head);
  }

  applied(entries: readonly Entry[]): void {
    this.#recent.applied(entries);
  }

  /** Makes a snapshot durable, gives it to members too far behind, and lets go of the entries that it covers. */
  keep(written: SnapshotWriter, head: Uint8Array): Promise<void> {
    return this.#oneAtATime(async () => {
      const { engine, store } = this.#host;
      const { index, confState } = written.point;
      const offer = offerOf(written.point, head);
      await written.keep(head);
      if (engine.dead) return;
      try {
        engine.createSnapshot(index, confState, headDigest(head));
        this.#offer = offer;
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
  receive(from: number, message: Uint8Array, head: Uint8Array): boolean {
    if (this.#received) return false;
    const digest = headDigest(head);
    this.#received = { from, digest, head };
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

  /** Gives the claimed snapshot to the state machine, which writes it, then keeps it. */
  async install({ index, term, confState }: RaftSnapshot): Promise<void> {
    const received = this.#received;
    if (!received) throw new RangeError(`no snapshot was received, and one at ${index} is to be installed`);
    const { from, head } = received;
    const { stateMachine, store } = this.#host;
    const into = await store.beginSnapshot({ index, term, confState });
    try {
      await stateMachine.install(from, head, into, this.#stopping.signal);
      this.#offer = offerOf(into.point, head);
      await this.#oneAtATime(() => into.keep(head));
    } catch (error) {
      await into.discard();
      throw error;
    }
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
    const offer = this.#offer;
    if (offer?.index !== message.snapshotIndex || !namesMember(offer.confState, to)) {
      this.#reports.set(to, { ticks: this.#limits.snapshotRetryTicks, delivered: false, match });
      wanted(to);
      return;
    }
    const refused = await transport.sendSnapshot(message, offer.head).then(
      () => undefined,
      (error: unknown) => causeOf(error),
    );
    const delivered = refused === undefined;
    if (delivered) this.#refusals.delete(to);
    const ticks = delivered ? this.#limits.snapshotInstallTicks : this.#refused(message, refused);
    this.#reports.set(to, { ticks, delivered, match });
  }

  /** Ticks until the next try. The log is told once of each cause in a row. */
  #refused({ to, snapshotIndex }: RaftMessage, cause: string): number {
    const before = this.#refusals.get(to);
    const count = (before?.count ?? 0) + 1;
    this.#refusals.set(to, { cause, count });
    if (before?.cause !== cause)
      this.#host.log('warning', `the snapshot at ${snapshotIndex} could not be sent to member ${to}: ${cause}`);
    return this.#limits.snapshotRetryTicks * Math.min(2 ** (count - 1), MAX_RETRY_FACTOR);
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

/** Holds a copy of the head. */
const offerOf = ({ index, confState }: SnapshotPoint, head: Uint8Array): Offer => ({
  index,
  confState,
  head: Uint8Array.from(head),
});

const causeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);
