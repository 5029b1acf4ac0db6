/**
 * One member of a Raft group: drives the engine between network, disk and state machine. All input of a turn of the
 * event loop goes into the engine together, then everything it asks for is done: messages are sent at once, appends
 * go to disk by group commit, committed entries are applied. Raft learns of an append only when it is durable.
 */
import { Buffer } from 'node:buffer';
import { AppendPipeline } from './append-pipeline.ts';
import type { StoredLog } from './ports.ts';
import { type CommittedAt, ProposalTracker } from './proposal-tracker.ts';
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
import { entryType } from './raft-types.ts';
import { ReadBarrier } from './read-barrier.ts';
import { ReplicaError } from './replica-error.ts';
import {
  noMembers,
  type ReplicaDependencies,
  type ReplicaOptions,
  type ReplicaStatus,
  statusOfDead,
} from './replica-options.ts';
import { loadLog, startEngine } from './replica-start.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';

type Change = Readonly<{
  change: ConfChange;
  resolve: (at: Promise<CommittedAt>) => void;
  reject: (error: unknown) => void;
}>;
type Inbound = Readonly<{ from: number; messages: readonly Uint8Array[] }>;

/** Rounds of one turn before the event loop gets its due. */
const MAX_ROUNDS_PER_TURN = 256;

export class Replica {
  /** What recovery had to cut or pass over; to be told to the operator. */
  readonly recovered: Pick<StoredLog, 'tornTail' | 'damagedSnapshots'>;
  readonly #options: ReplicaOptions;
  readonly #host: ReplicaDependencies;
  readonly #engine: RaftEngine;
  readonly #proposals: ProposalTracker;
  readonly #reads: ReadBarrier;
  readonly #appends: AppendPipeline;
  readonly #snapshots: SnapshotKeeper;
  readonly #inbound: Inbound[] = [];
  readonly #commands: (() => void)[] = [];
  readonly #changes: Change[] = [];
  readonly #outbox: RaftMessage[] = [];
  #inboundBytes = 0;
  #ticksDue = 0;
  #stopTicker: () => void = () => undefined;
  #scheduled = false;
  #inTurn = false;
  #again = false;
  #members: ConfState;
  #role: Role = 'follower';
  #leader: number | null = null;
  #lastStatus: ReplicaStatus | null = null;

  private constructor(options: ReplicaOptions, host: ReplicaDependencies, engine: RaftEngine, stored: StoredLog) {
    this.#options = options;
    this.#host = host;
    this.#engine = engine;
    this.#members = stored.snapshot?.confState ?? noMembers;
    this.recovered = { tornTail: stored.tornTail, damagedSnapshots: stored.damagedSnapshots };
    this.#proposals = new ProposalTracker(options);
    const origin = Buffer.alloc(16);
    host.entropy.fill(origin);
    origin.writeBigUInt64LE(BigInt(options.id));
    this.#reads = new ReadBarrier(options, origin);
    const { store, transport, stateMachine } = host;
    const failed = (error: unknown): void => this.#die(error);
    const wake = (): void => this.#turn();
    this.#snapshots = new SnapshotKeeper(options, { engine, store, transport, stateMachine, wake, failed });
    const install = (snapshot: RaftSnapshot): Promise<void> => this.#install(snapshot);
    const done = (count: number): void => this.#appendDone(count);
    this.#appends = new AppendPipeline(options.maxWriteBytes, { store, install, done, failed });
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
    const { voters, votersOutgoing } = this.#members;
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
    if (this.#ended) throw new ReplicaError('STOPPED', 'the replica is stopped');
    if (this.#role !== 'leader') throw new ReplicaError('NOT_LEADER', 'this node does not lead', this.#leader);
    const committed = this.#proposals.add(data);
    this.#schedule();
    return committed;
  }

  /**
   * Resolves when the change is committed and applied here; a joint one then goes on to its end by itself.
   * @throws ReplicaError as `propose`; `PROPOSAL_DROPPED` also for a change that is impossible or comes during another
   */
  async changeMembers(change: ConfChange): Promise<CommittedAt> {
    if (this.#ended) throw new ReplicaError('STOPPED', 'the replica is stopped');
    return new Promise<CommittedAt>((resolve, reject) => {
      this.#changes.push({ change, resolve, reject });
      this.#schedule();
    });
  }

  /**
   * Resolves with an index once all that was committed before the call is applied here; works on every member.
   * @throws ReplicaError `UNAVAILABLE`, `OVERLOADED`, `STOPPED`
   */
  async readIndex(): Promise<number> {
    if (this.#ended) throw new ReplicaError('STOPPED', 'the replica is stopped');
    const index = this.#reads.add();
    this.#schedule();
    return index;
  }

  /** Messages of an authenticated peer. */
  receive(from: number, messages: readonly Uint8Array[]): void {
    const bytes = messages.reduce((sum, message) => sum + message.length, 0);
    if (this.#ended || this.#inboundBytes + bytes > this.#options.maxInboundBytes) return;
    this.#inboundBytes += bytes;
    this.#inbound.push({ from, messages });
    this.#schedule();
  }

  /** A snapshot message of an authenticated peer, with the content that came beside it. */
  receiveSnapshot(from: number, message: Uint8Array, content: Uint8Array): void {
    this.#command(() => this.#snapshots.receive(from, message, content));
  }

  /** The transport cannot reach a peer at present. */
  reportUnreachable(peer: number): void {
    this.#command(() => this.#engine.reportUnreachable(peer));
  }

  /** Asks another voter to lead; effective only on the leader, and only if the other catches up within an election timeout. */
  transferLeadership(to: number): void {
    this.#command(() => this.#engine.transferLeader(to));
  }

  /** After the end: as it was last. */
  status(): ReplicaStatus {
    if (this.#lastStatus) return this.#lastStatus;
    const status = this.#engine.status();
    return {
      ...status,
      leader: status.leader === 0 ? null : status.leader,
      members: this.#members,
      pendingProposals: this.#proposals.pendingCount,
      pendingBytes: this.#proposals.pendingBytes,
      engineMemoryBytes: this.#engine.memoryBytes,
      stopped: false,
    };
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
    const stopped = new ReplicaError('STOPPED', 'the replica is stopped', null, { cause });
    for (const { reject } of this.#changes.splice(0)) reject(stopped);
  }

  #die(error: unknown): void {
    if (this.#ended) return;
    this.#end(error);
    this.#host.onFatal(error);
  }

  #command(command: () => void): void {
    if (this.#ended) return;
    this.#commands.push(command);
    this.#schedule();
  }

  #tick(): void {
    // A process that slept must not believe that all that time passed in silence.
    this.#ticksDue = Math.min(this.#ticksDue + 1, this.#options.heartbeatTicks);
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
        this.#proposeWaiting();
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
    for (const { from, messages } of this.#inbound.splice(0)) this.#step(from, messages);
    this.#inboundBytes = 0;
    for (const command of this.#commands.splice(0)) command();
    for (; this.#ticksDue > 0; this.#ticksDue--) {
      this.#engine.tick();
      this.#proposals.tick();
      for (const context of this.#reads.tick()) this.#engine.readIndex(context);
      this.#appends.flush();
    }
    for (const context of this.#reads.takeNew()) this.#engine.readIndex(context);
  }

  #step(from: number, messages: readonly Uint8Array[]): void {
    try {
      this.#engine.step(from, messages);
    } catch (error) {
      // What cannot be decoded is lost, as if the network had lost it.
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
    if (ready.appendPending) this.#appends.push(ready);
    if (ready.committed.length > 0) this.#apply(ready.committed);
    if (ready.readStates.length > 0) this.#reads.confirmed(ready.readStates);
    if (ready.applyPending) this.#outbox.push(...this.#engine.applyDone(1));
  }

  #roleChanged(role: Role, leader: number): void {
    this.#role = role;
    this.#leader = leader === 0 ? null : leader;
    this.#host.onRoleChange({ role, leader: this.#leader, term: this.#engine.status().term });
  }

  #apply(committed: readonly Entry[]): void {
    const last = committed.at(-1);
    if (!last) return;
    this.#host.stateMachine.applyBatch(committed);
    let bytes = 0;
    let membersChanged = false;
    for (const entry of committed) {
      bytes += entry.data.length;
      if (entry.type === entryType.normal) continue;
      membersChanged = true;
      this.#members = this.#engine.applyConfChange(entry);
      this.#host.onMembersChange(this.#members);
    }
    this.#proposals.applied(committed);
    this.#reads.applied(last.index);
    this.#snapshots.applied({ last, members: this.#members, membersChanged, count: committed.length, bytes });
  }

  /** Nothing is unstable before, so what the next Ready appends are exactly these proposals. */
  #proposeWaiting(): void {
    const group = this.#proposals.takeWaiting();
    if (group.length > 0) {
      const refusal = this.#refusalOf(() => this.#engine.propose(group.map(({ data }) => data)));
      if (refusal) {
        this.#proposals.refused(group, refusal.code, refusal.leader);
      } else {
        const ready = this.#engine.ready();
        this.#proposals.appended(group, ready?.entries ?? []);
        if (ready) this.#handle(ready);
        this.#drain();
      }
    }
    for (const change of this.#changes.splice(0)) this.#proposeChange(change);
  }

  #proposeChange({ change, resolve, reject }: Change): void {
    const refusal = this.#refusalOf(() => this.#engine.proposeConfChange(change));
    if (refusal) {
      reject(refusal);
      return;
    }
    const ready = this.#engine.ready();
    const entry = ready?.entries[0];
    if (!ready || !entry) throw new RangeError('raft appended nothing for a change of members');
    // Raft turns a change that comes during another into an empty entry.
    if (entry.type === entryType.normal)
      reject(new ReplicaError('PROPOSAL_DROPPED', 'another change of members is under way'));
    else resolve(this.#proposals.follow(entry));
    this.#handle(ready);
    this.#drain();
  }

  #refusalOf(call: () => void): ReplicaError | null {
    try {
      call();
      return null;
    } catch (cause) {
      if (!(cause instanceof RaftEngineError) || (cause.code !== 'PROPOSAL_DROPPED' && cause.code !== 'REFUSED'))
        throw cause;
      const code = this.#role === 'leader' ? 'PROPOSAL_DROPPED' : 'NOT_LEADER';
      return new ReplicaError(code, cause.message, this.#leader, { cause });
    }
  }

  #send(): void {
    const messages = this.#outbox.splice(0);
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
    this.#members = snapshot.confState;
    this.#host.onMembersChange(this.#members);
    this.#proposals.jumpedTo(snapshot.index);
    this.#reads.applied(snapshot.index);
  }
}
