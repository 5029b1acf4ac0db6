/**
 * One member of a Raft group: drives the engine between network, disk and state machine. All input of a turn of the
 * event loop goes into the engine together, then everything it asks for is done: messages are sent at once, appends
 * go to disk by group commit, committed entries are applied. Raft learns of an append only when it is durable.
 */
import { AppendPipeline } from './append-pipeline.ts';
import { Applier } from './applier.ts';
import { Inbox } from './inbox.ts';
import { Leadership } from './leadership.ts';
import type { SnapshotPoint, SnapshotWriter, StoredLog } from './ports.ts';
import type { CommittedAt } from './proposal-tracker.ts';
import { Proposing } from './proposing.ts';
import { type RaftEngine, RaftEngineError } from './raft-engine.ts';
import type {
  ConfChange,
  ConfState,
  Entry,
  MemberProgress,
  RaftMessage,
  RaftSnapshot,
  Ready,
  Role,
} from './raft-types.ts';
import { originOfReads, ReadBarrier } from './read-barrier.ts';
import { ReplicaError } from './replica-error.ts';
import type { ReplicaDependencies, ReplicaOptions } from './replica-options.ts';
import { loadLog, startEngine } from './replica-start.ts';
import { noMembers, type ReplicaStatus, statusOf, statusOfDead } from './replica-status.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';

/** Rounds of one turn before the event loop gets its due. */
const MAX_ROUNDS_PER_TURN = 256;

export class Replica {
  /** What recovery had to cut or pass over; to be told to the operator. */
  readonly recovered: Pick<StoredLog, 'tornTail' | 'damagedSnapshots'>;
  readonly #options: ReplicaOptions;
  readonly #host: ReplicaDependencies;
  readonly #engine: RaftEngine;
  readonly #proposals: Proposing;
  readonly #reads: ReadBarrier;
  readonly #appends: AppendPipeline;
  readonly #snapshots: SnapshotKeeper;
  readonly #applier: Applier;
  readonly #leadership: Leadership;
  readonly #inbox: Inbox;
  #outbox: RaftMessage[] = [];
  #stopTicker: () => void = () => undefined;
  #scheduled = false;
  #inTurn = false;
  #again = false;
  #lastStatus: ReplicaStatus | null = null;

  private constructor(options: ReplicaOptions, host: ReplicaDependencies, engine: RaftEngine, stored: StoredLog) {
    this.#options = options;
    this.#host = host;
    this.#engine = engine;
    this.recovered = { tornTail: stored.tornTail, damagedSnapshots: stored.damagedSnapshots };
    this.#inbox = new Inbox(options.maxInboundBytes, options.heartbeatTicks);
    const handle = (ready: Ready): void => this.#handle(ready);
    const refusal = (message: string, cause: unknown): ReplicaError => this.#refusal(message, cause);
    this.#proposals = new Proposing(options, { engine, handle, refusal });
    this.#reads = new ReadBarrier(options, originOfReads(options.id, host.entropy));
    const { store, onLeading } = host;
    const failed = (error: unknown): void => this.#die(error);
    const wake = (): void => this.#turn();
    this.#applier = new Applier(options.id, stored.snapshot ?? { index: 0, confState: noMembers }, { ...host, engine });
    const wanted = (member: number): void => host.onSnapshotWanted(this.#applier.membersIndex, member);
    this.#snapshots = new SnapshotKeeper(options, { ...host, engine, wake, wanted, failed }, stored.snapshot);
    const install = (snapshot: RaftSnapshot): Promise<void> => this.#install(snapshot);
    const done = (count: number): void => this.#appendDone(count);
    this.#appends = new AppendPipeline(options.maxWriteBytes, stored.hardState, { store, install, done, failed });
    const handingOver = (): boolean => engine.status().leadTransferee !== 0;
    this.#leadership = new Leadership({ ...options, handingOver, onLeading });
  }

  /**
   * Loads the log, restores the state machine, applies what is known to be committed, and joins the group. A sole voter
   * campaigns at once.
   * @throws what the store throws when its log is damaged
   */
  static async start(options: ReplicaOptions, dependencies: ReplicaDependencies): Promise<Replica> {
    const stored = await loadLog(dependencies.store, options.bootstrap);
    const engine = await startEngine(options, stored, dependencies.stateMachine, dependencies);
    const replica = new Replica(options, dependencies, engine, stored);
    replica.#begin();
    return replica;
  }

  #begin(): void {
    this.#turn();
    const { voters, votersOutgoing } = this.#applier.members;
    if (voters.length === 1 && voters[0] === this.#options.id && votersOutgoing.length === 0) {
      this.#command(() => this.#engine.campaign());
    }
    if (!this.#ended) this.#stopTicker = this.#host.ticker.start(() => this.#tick());
  }

  /**
   * Resolves when the entry is committed and applied here. `data` may be ciphertext; nothing reads it.
   * @throws ReplicaError `NOT_LEADER`, `PROPOSAL_DROPPED`, `OVERLOADED`, `TOO_LARGE`, `STOPPED`, `UNCERTAIN`
   */
  async propose(data: Uint8Array): Promise<CommittedAt> {
    this.#mustRun();
    if (this.#leadership.role !== 'leader') throw this.#notLeader();
    const committed = this.#proposals.add(data);
    this.#schedule();
    return committed;
  }

  /**
   * Resolves when the change is committed and applied here; a joint one then goes on to its end by itself.
   * @throws ReplicaError as `propose`; `PROPOSAL_DROPPED` also for a change that is impossible or comes during another
   */
  async changeMembers(change: ConfChange): Promise<CommittedAt> {
    this.#mustRun();
    const committed = this.#proposals.change(change);
    this.#schedule();
    return committed;
  }

  /**
   * Resolves with an index once all that was committed before the call is applied here; works on every member.
   * @throws ReplicaError `UNAVAILABLE`, `OVERLOADED`, `STOPPED`
   */
  async readIndex(): Promise<number> {
    this.#mustRun();
    const index = this.#reads.add();
    this.#schedule();
    return index;
  }

  /** Messages of an authenticated peer. */
  receive(from: number, messages: readonly Uint8Array[]): void {
    if (!this.#ended && this.#inbox.put(from, messages)) this.#schedule();
  }

  /**
   * A snapshot message of an authenticated peer, with the head that came beside it. While one is being installed, or
   * when raft has no use for it, it is dropped, as if the network had lost it.
   */
  receiveSnapshot(from: number, message: Uint8Array, head: Uint8Array): void {
    this.#command(() => this.#tolerant(from, () => this.#snapshots.receive(from, message, head)));
  }

  /** The transport cannot reach a peer at present. */
  reportUnreachable(peer: number): void {
    this.#command(() => {
      this.#engine.reportUnreachable(peer);
      this.#snapshots.unreachable(peer);
    });
  }

  /** Room on the disk for a snapshot of the state machine, to be written and then kept, or discarded. @throws as the store */
  beginSnapshot(point: SnapshotPoint): Promise<SnapshotWriter> {
    return this.#host.store.beginSnapshot(point);
  }

  /**
   * Makes a written snapshot durable, and lets the log drop what it covers: whoever keeps entries elsewhere must have them durable.
   * @throws ReplicaError `STOPPED`; RangeError where its index is not applied yet; what the store throws, which ends the replica
   */
  async keepSnapshot(written: SnapshotWriter, head: Uint8Array): Promise<void> {
    this.#mustRun();
    const { index } = written.point;
    if (index > this.appliedIndex) throw new RangeError(`entry ${index} is not applied yet`);
    try {
      await this.#appends.commitDurable(index);
      this.#mustRun();
      await this.#snapshots.keep(written, head);
    } catch (error) {
      this.#die(error);
      throw error;
    }
  }

  /**
   * Asks another voter to lead. True once it does; false when that did not come about within an election timeout. No
   * proposal is taken meanwhile.
   * @throws ReplicaError `NOT_LEADER`, `STOPPED`
   */
  async transferLeadership(to: number): Promise<boolean> {
    this.#mustRun();
    if (this.#leadership.role !== 'leader') throw this.#notLeader();
    this.#command(() => this.#engine.transferLeader(to));
    return this.#leadership.transferred(to);
  }

  /** An entry of this leader's own term is applied here, and with it everything that was ever answered before. */
  get leading(): boolean {
    return this.#leadership.leading;
  }

  /** Raft id of the leader, null while unknown. */
  get leader(): number | null {
    return this.#leadership.leader;
  }

  /** As of the last applied entry. */
  get members(): ConfState {
    return this.#applier.members;
  }

  /** Index of the entry or snapshot that brought the present members. */
  get membersIndex(): number {
    return this.#applier.membersIndex;
  }

  /** Index of the last entry that the state machine has; 0 before it has any. */
  get appliedIndex(): number {
    return this.#applier.index;
  }

  /** This node was a member and is none any more. */
  get removed(): boolean {
    return this.#applier.removed;
  }

  /** After the end: as it was last. */
  status(): ReplicaStatus {
    if (this.#lastStatus) return this.#lastStatus;
    return statusOf(this.#engine, this.#applier.members, this.#proposals);
  }

  /** How far each member is, as a leader knows it; empty on others. */
  progress(): readonly MemberProgress[] {
    return this.#ended ? [] : this.#engine.progress();
  }

  /** Takes nothing more, and resolves when nothing is being written. Does not close the store. */
  async stop(): Promise<void> {
    this.#end();
    await this.#appends.idle();
    this.#appends.flush();
    await this.#appends.idle();
    await this.#snapshots.idle();
  }

  #mustRun(): void {
    if (this.#ended) throw new ReplicaError('STOPPED', 'the replica is stopped');
  }

  #notLeader(): ReplicaError {
    return new ReplicaError('NOT_LEADER', 'this node does not lead', this.#leadership.leader);
  }

  get #ended(): boolean {
    return this.#lastStatus !== null;
  }

  #end(cause?: unknown): void {
    if (this.#ended) return;
    this.#lastStatus = this.#engine.dead
      ? { ...statusOfDead, id: this.#options.id }
      : { ...this.status(), stopped: true };
    this.#stopTicker();
    this.#proposals.stop(cause);
    this.#reads.stop();
    this.#leadership.stop();
    this.#snapshots.stop();
  }

  #die(error: unknown): void {
    if (this.#ended) return;
    this.#end(error);
    this.#host.onFatal(error);
  }

  #command(command: () => void): void {
    if (this.#ended) return;
    this.#inbox.command(command);
    this.#schedule();
  }

  #tick(): void {
    this.#inbox.tick();
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#ended) return;
    this.#scheduled = true;
    this.#host.scheduler.defer(() => {
      this.#scheduled = false;
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#inTurn) this.#again = true;
    if (this.#inTurn || this.#ended) return;
    this.#inTurn = true;
    try {
      this.#takeInput();
      for (let round = 0; ; round++) {
        this.#again = false;
        this.#drain();
        this.#snapshots.settle();
        this.#proposals.handOver();
        this.#send();
        this.#appends.start();
        if (!this.#again) break;
        if (round === MAX_ROUNDS_PER_TURN) {
          this.#schedule();
          break;
        }
      }
    } catch (error) {
      this.#die(error);
    } finally {
      this.#inTurn = false;
    }
  }

  #takeInput(): void {
    for (const { from, messages } of this.#inbox.takeMessages()) this.#step(from, messages);
    for (const command of this.#inbox.takeCommands()) command();
    for (let ticks = this.#inbox.takeTicks(); ticks > 0; ticks--) {
      this.#engine.tick();
      this.#proposals.tick();
      this.#leadership.tick();
      this.#snapshots.tick();
      for (const context of this.#reads.tick()) this.#engine.readIndex(context);
      this.#appends.flush();
    }
    for (const context of this.#reads.takeNew()) this.#engine.readIndex(context);
  }

  #step(from: number, messages: readonly Uint8Array[]): void {
    this.#tolerant(from, () => this.#engine.step(from, messages));
  }

  /** What cannot be decoded is lost, as if the network had lost it. */
  #tolerant(from: number, take: () => unknown): void {
    try {
      take();
    } catch (error) {
      if (!(error instanceof RaftEngineError && error.code === 'MALFORMED')) throw error;
      this.#host.log('warning', `messages of peer ${from} are malformed: ${error.message}`);
    }
  }

  #drain(): void {
    for (let ready = this.#engine.ready(); ready; ready = this.#engine.ready()) this.#handle(ready);
  }

  #handle(ready: Ready): void {
    if (ready.softState) this.#roleChanged(ready.softState.role, ready.softState.leader);
    this.#outbox.push(...ready.messages);
    if (ready.snapshot) this.#snapshots.claim(ready.snapshot);
    if (ready.appendPending) this.#appends.push(ready);
    if (ready.committed.length > 0) this.#apply(ready.committed);
    if (ready.readStates.length > 0) this.#reads.confirmed(ready.readStates);
    if (ready.applyPending) this.#outbox.push(...this.#engine.applyDone(1));
  }

  #roleChanged(role: Role, leader: number): void {
    const { term } = this.#engine.status();
    this.#leadership.changed(role, leader === 0 ? null : leader, term);
    this.#host.onRoleChange({ role, leader: this.#leadership.leader, term });
  }

  #apply(committed: readonly Entry[]): void {
    const last = committed.at(-1);
    if (!last) return;
    this.#applier.apply(committed);
    this.#snapshots.applied(committed);
    this.#leadership.applied(last.term);
    this.#proposals.applied(committed);
    this.#reads.applied(last.index);
  }

  #refusal(message: string, cause: unknown): ReplicaError {
    const { role, leader } = this.#leadership;
    return new ReplicaError(role === 'leader' ? 'PROPOSAL_DROPPED' : 'NOT_LEADER', message, leader, { cause });
  }

  #send(): void {
    if (this.#outbox.length === 0) return;
    const messages = this.#outbox;
    this.#outbox = [];
    const plain = messages.filter((message) => message.snapshotIndex === 0);
    if (plain.length > 0) this.#host.transport.send(plain);
    for (const message of messages) if (message.snapshotIndex > 0) this.#snapshots.send(message);
  }

  #appendDone(count: number): void {
    if (this.#ended) return;
    this.#outbox.push(...this.#engine.appendDone(count));
    this.#turn();
  }

  async #install(snapshot: RaftSnapshot): Promise<void> {
    await this.#snapshots.install(snapshot);
    this.#applier.installed(snapshot);
    this.#proposals.jumpedTo(snapshot.index);
    this.#reads.applied(snapshot.index);
  }
}
