/**
 * One start of one core node in the simulated world: the real engine, driver, log and settlement behind the narrow
 * interface that the world uses. What it is given is simulated; what it does with it is the product's.
 */

import { FileLogStore } from '@drawbridge/enclave-core/consensus/file-log-store';
import type { Disk } from '@drawbridge/enclave-core/consensus/log/disk';
import type {
  LogBatch,
  LogStore,
  SnapshotPoint,
  StateMachine,
  StoredLog,
} from '@drawbridge/enclave-core/consensus/ports';
import type { loadRaftModule } from '@drawbridge/enclave-core/consensus/raft-engine';
import type { ConfChange, ConfState, MemberProgress, RaftMessage } from '@drawbridge/enclave-core/consensus/raft-types';
import { Replica } from '@drawbridge/enclave-core/consensus/replica';
import { ReplicaError } from '@drawbridge/enclave-core/consensus/replica-error';
import {
  REPLICA_DEFAULTS,
  type ReplicaOptions,
  type RoleChange,
} from '@drawbridge/enclave-core/consensus/replica-options';
import { KeyRing } from '@drawbridge/enclave-core/keys/key-ring';
import { encodeEntry } from '@drawbridge/enclave-core/settlement/codec';
import type { Command, Outcome } from '@drawbridge/enclave-core/settlement/command';
import type { SettlementState } from '@drawbridge/enclave-core/settlement/state';
import type { ProcessGate } from './process-gate.ts';
import type { Random } from './random.ts';
import { type AppliedEntry, SimMachine } from './sim-machine.ts';
import type { Cancel } from './virtual-clock.ts';

/** The compiled engine. */
export type EngineModule = Awaited<ReturnType<typeof loadRaftModule>>;

export type SimNodeOptions = Readonly<{
  raftId: number;
  /** First voters and first state of a new group; null for a node that joins one. */
  bootstrap: Readonly<{ voters: readonly number[]; content: Uint8Array }> | null;
  tickUs: number;
  replica: Pick<ReplicaOptions, 'electionTicks' | 'heartbeatTicks' | 'cachedEntries'>;
  segmentBytes: number;
  /** Entries after which a snapshot is made. */
  snapshotEvery: number;
}>;

/** What a node shows of itself to those who check it. None of it may throw. */
export interface NodeObserver {
  loaded(stored: StoredLog): void;
  /** Asked to be written, and later: durable. */
  appending(batch: LogBatch): void;
  appended(batch: LogBatch): void;
  role(change: RoleChange): void;
  /** `index`: of the entry or snapshot that brought them. */
  members(members: ConfState, index: number): void;
  applied(entries: readonly AppliedEntry[], state: SettlementState): void;
  restored(at: SnapshotPoint, state: SettlementState): void;
  removed(): void;
  /** It stopped for good. */
  failed(error: unknown): void;
}

/** What a planted bug may put between a node and its ports. */
export type Plant = Readonly<{
  store?: (store: LogStore) => LogStore;
  machine?: (machine: StateMachine) => StateMachine;
  spoil?: (entries: readonly AppliedEntry[], state: SettlementState) => void;
  send?: (message: RaftMessage) => RaftMessage;
  receive?: (message: Uint8Array) => void;
  /** Reads do not ask the others. */
  readsAlone?: boolean;
}>;

export type SimNodePorts = Readonly<{
  engine: EngineModule;
  secret: Uint8Array;
  gate: ProcessGate;
  disk: Disk;
  random: Random;
  /** Unix ms of this node's own clock. */
  wallMs: () => number;
  /** Microseconds of the world. */
  nowUs: () => number;
  after: (delayUs: number, name: string, run: () => void) => Cancel;
  send: (messages: readonly RaftMessage[]) => void;
  sendSnapshot: (message: RaftMessage, content: Uint8Array) => Promise<void>;
  observer: NodeObserver;
  plant: Plant;
}>;

/** Mean time until a busy process turns to its input. */
const BUSY_US = 300;

export type Submitted = Readonly<{ index: number; term: number; outcome: Outcome }>;

export class SimNode {
  readonly raftId: number;
  readonly #options: SimNodeOptions;
  readonly #ports: SimNodePorts;
  readonly #keys: KeyRing;
  readonly #machine: SimMachine;
  #replica: Replica | undefined;
  readonly #turns: Random;
  #lastStampMs = 0;
  /** Answers to what this node proposed, by index and term. */
  readonly #outcomes = new Map<string, Outcome>();
  readonly #asked = new Set<string>();
  #lastSnapshot = 0;
  #keeping = false;

  private constructor(options: SimNodeOptions, ports: SimNodePorts) {
    this.raftId = options.raftId;
    this.#options = options;
    this.#ports = ports;
    this.#turns = ports.random.fork('turns');
    this.#keys = new KeyRing({ secret: ports.secret });
    this.#machine = new SimMachine({
      keys: this.#keys,
      onApplied: (entries, state) => this.#applied(entries, state),
      onRestored: (at, state) => {
        this.#lastSnapshot = at.index;
        ports.observer.restored(at, state);
      },
      ...(ports.plant.spoil && { spoil: ports.plant.spoil }),
    });
  }

  /** @throws what the log throws when it is damaged or the disk fails */
  static async start(options: SimNodeOptions, ports: SimNodePorts): Promise<SimNode> {
    const node = new SimNode(options, ports);
    await node.#start();
    return node;
  }

  async #start(): Promise<void> {
    const { disk, random, plant } = this.#ports;
    const { segmentBytes, raftId, bootstrap, replica } = this.#options;
    const entropy = random.fork('entropy');
    const opened = await FileLogStore.open(
      { directory: '/core/log', segmentBytes, maxFrameBytes: 16 * 1024, snapshotsKept: 2 },
      { entropy, disk },
    );
    const watched = this.#watched(opened);
    this.#replica = await Replica.start(
      { ...REPLICA_DEFAULTS, ...replica, logLevel: 'error', id: raftId, bootstrap },
      {
        module: this.#ports.engine,
        store: plant.store ? plant.store(watched) : watched,
        transport: { send: (messages) => this.#send(messages), sendSnapshot: this.#ports.sendSnapshot },
        stateMachine: plant.machine ? plant.machine(this.#machine) : this.#machine,
        clock: { nowNs: () => BigInt(this.#ports.nowUs()) * 1000n },
        entropy,
        ticker: { start: (onTick) => this.#tick(onTick) },
        scheduler: { defer: (turn) => this.#defer(turn) },
        log: () => undefined,
        ...this.#callbacks(),
      },
    );
  }

  #callbacks() {
    const { observer } = this.#ports;
    return {
      onFatal: (error: unknown) => observer.failed(error),
      onRoleChange: (change: RoleChange) => observer.role(change),
      onLeading: () => undefined,
      onMembersChange: (members: ConfState, index: number) => observer.members(members, index),
      onRemoved: () => observer.removed(),
      onSnapshotWanted: (index: number) => {
        if (this.#lastSnapshot < index) this.#keepSnapshot();
      },
    };
  }

  #watched(store: LogStore): LogStore {
    const { observer } = this.#ports;
    return {
      load: async () => {
        const stored = await store.load();
        observer.loaded(stored);
        return stored;
      },
      append: async (batch) => {
        observer.appending(batch);
        await store.append(batch);
        observer.appended(batch);
      },
      saveSnapshot: (snapshot) => store.saveSnapshot(snapshot),
      loadSnapshot: (index) => store.loadSnapshot(index),
      dropBefore: (index) => store.dropBefore(index),
      readEntries: (fromIndex) => store.readEntries(fromIndex),
      close: () => store.close(),
    };
  }

  #send(messages: readonly RaftMessage[]): void {
    const { plant, send } = this.#ports;
    send(plant.send ? messages.map(plant.send) : messages);
  }

  /** Mostly after what happens now; a busy process gets to it later, and takes more together. */
  #defer(turn: () => void): void {
    const { gate, after } = this.#ports;
    if (this.#turns.chance(0.2)) after(this.#turns.exponential(BUSY_US), 'turn', () => gate.enter(turn));
    else setImmediate(() => gate.enter(turn));
  }

  #tick(onTick: () => void): () => void {
    const { after, gate, random } = this.#ports;
    const own = random.fork('ticks');
    let cancel: Cancel = () => undefined;
    const next = (): void => {
      // Timers are a little late, and what a stopped process missed is not made up for.
      cancel = after(this.#options.tickUs * (1 + own.fraction() / 10), 'tick', () => {
        if (!gate.paused) gate.enter(onTick);
        if (gate.alive) next();
      });
    };
    next();
    return () => cancel();
  }

  /** False until the log is loaded. */
  get running(): boolean {
    return this.#replica !== undefined;
  }

  get machine(): SimMachine {
    return this.#machine;
  }

  status(): ReturnType<Replica['status']> {
    return this.#running().status();
  }

  get members(): ConfState {
    return this.#running().members;
  }

  progress(): readonly MemberProgress[] {
    return this.#running().progress();
  }

  receive(from: number, messages: readonly Uint8Array[]): void {
    const { receive } = this.#ports.plant;
    if (receive) for (const message of messages) receive(message);
    this.#running().receive(from, messages);
  }

  receiveSnapshot(from: number, message: Uint8Array, content: Uint8Array): void {
    this.#running().receiveSnapshot(from, message, content);
  }

  unreachable(raftId: number): void {
    this.#running().reportUnreachable(raftId);
  }

  /**
   * Proposes one entry; resolves when it is applied here, with one answer per command.
   * @throws ReplicaError `UNCERTAIN` when it may still be committed, another code when it certainly is not
   */
  async submit(command: Command): Promise<Submitted> {
    const stampMs = Math.max(
      this.#ports.wallMs(),
      this.#lastStampMs,
      this.#machine.started ? this.#machine.state.stampMs : 0,
    );
    this.#lastStampMs = stampMs;
    const entry = encodeEntry({ version: 1, stampMs, clockProtected: false, commands: [command] });
    const data = this.#keys.seal('log', entry);
    const name = nameOf(data);
    this.#asked.add(name);
    try {
      const at = await this.#running().propose(data);
      const outcome = this.#outcomes.get(name);
      if (!outcome) throw new Error(`entry ${at.index} was applied without an answer`);
      return { ...at, outcome };
    } finally {
      this.#asked.delete(name);
      this.#outcomes.delete(name);
    }
  }

  /** The state as of an index that is not older than anything that was answered before the call. */
  async read<T>(view: (state: SettlementState) => T): Promise<Readonly<{ index: number; value: T }>> {
    if (!this.#ports.plant.readsAlone) await this.#running().readIndex();
    if (!this.#machine.started) throw new ReplicaError('UNAVAILABLE', 'the node has no state yet');
    return { index: this.#machine.index, value: view(this.#machine.state) };
  }

  async changeMembers(change: ConfChange): Promise<void> {
    await this.#running().changeMembers(change);
  }

  async transferLeadership(to: number): Promise<boolean> {
    return this.#running().transferLeadership(to);
  }

  #applied(entries: readonly AppliedEntry[], state: SettlementState): void {
    for (const { log, applied } of entries) {
      if (!applied || this.#asked.size === 0) continue;
      const name = nameOf(log.data);
      const [outcome] = applied.outcomes;
      if (outcome && this.#asked.has(name)) this.#outcomes.set(name, outcome);
    }
    this.#ports.observer.applied(entries, state);
    if (this.#machine.index - this.#lastSnapshot >= this.#options.snapshotEvery) this.#keepSnapshot();
  }

  /** In a turn of its own, when the members are known that the last entry may have brought. */
  #keepSnapshot(): void {
    if (this.#keeping) return;
    this.#keeping = true;
    this.#defer(() => {
      const replica = this.#replica;
      // The log is still being loaded: what was applied is to be had again.
      if (!replica) {
        this.#keeping = false;
        return;
      }
      const { index, term, content } = this.#machine.capture();
      this.#lastSnapshot = index;
      const done = (): void => {
        this.#keeping = false;
      };
      // A failure ends the replica, which tells of it.
      replica.keepSnapshot({ index, term, confState: replica.members, content }).then(done, done);
    });
  }

  #running(): Replica {
    if (!this.#replica) throw new ReplicaError('STOPPED', 'the node has not started');
    return this.#replica;
  }
}

/** Version, salt and counter: no two entries have them in common. */
const nameOf = (data: Uint8Array): string =>
  Buffer.from(data.buffer, data.byteOffset, Math.min(data.length, 41)).toString('latin1');
