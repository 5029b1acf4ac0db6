/** The consensus driver, its log and the settlement state machine alone, without ledger and duties: quick, for many seeds. */
import { FileLogStore } from '@drawbridge/enclave-core/consensus/file-log-store';
import type { ConfChange, ConfState, MemberProgress } from '@drawbridge/enclave-core/consensus/raft-types';
import { Replica } from '@drawbridge/enclave-core/consensus/replica';
import { ReplicaError } from '@drawbridge/enclave-core/consensus/replica-error';
import {
  REPLICA_DEFAULTS,
  type ReplicaOptions,
  type RoleChange,
} from '@drawbridge/enclave-core/consensus/replica-options';
import type { Bootstrap } from '@drawbridge/enclave-core/consensus/replica-start';
import { keepHead } from '@drawbridge/enclave-core/consensus/testing/head-alone';
import { KeyRing } from '@drawbridge/enclave-core/keys/key-ring';
import { encodeEntry } from '@drawbridge/enclave-core/settlement/codec';
import type { Command, Outcome } from '@drawbridge/enclave-core/settlement/command';
import type { SettlementState } from '@drawbridge/enclave-core/settlement/state';
import { SimMachine } from './sim-machine.ts';
import {
  type ProcessPorts,
  type ProcessStatus,
  type SimProcess,
  type Submitted,
  ticksOf,
  turnsOf,
  watchedStore,
} from './sim-process.ts';

export type ReplicaProcessOptions = Readonly<{
  raftId: number;
  secret: Uint8Array;
  /** First voters and first state of a new group; null for a node that joins one. */
  bootstrap: Bootstrap | null;
  tickUs: number;
  replica: Partial<Omit<ReplicaOptions, 'id' | 'bootstrap' | 'logLevel'>>;
  segmentBytes: number;
  /** Entries after which a snapshot is made. */
  snapshotEvery: number;
}>;

export class ReplicaProcess implements SimProcess {
  readonly raftId: number;
  readonly #options: ReplicaProcessOptions;
  readonly #ports: ProcessPorts;
  readonly #keys: KeyRing;
  readonly #machine: SimMachine;
  readonly #defer: (turn: () => void) => void;
  #replica: Replica | undefined;
  #lastStampMs = 0;
  /** Answers to what this node proposed and waits for. */
  readonly #outcomes = new Map<string, Outcome>();
  readonly #asked = new Set<string>();
  #lastSnapshot = 0;
  #keeping = false;

  constructor(options: ReplicaProcessOptions, ports: ProcessPorts) {
    this.raftId = options.raftId;
    this.#options = options;
    this.#ports = ports;
    this.#defer = turnsOf(ports);
    const entropy = ports.random.fork('keys');
    this.#keys = new KeyRing({ secret: options.secret, entropy });
    const { observer, plant } = ports;
    this.#machine = new SimMachine({
      keys: this.#keys,
      onOutcome: (data, outcome) => {
        if (this.#asked.has(nameOf(data))) this.#outcomes.set(nameOf(data), outcome);
      },
      onApplied: (entries, state) => {
        observer.applied(entries);
        observer.state(this.#machine.index, state, 'batch');
        if (this.#machine.index - this.#lastSnapshot >= options.snapshotEvery) this.#keepSnapshot();
      },
      onRestored: (index, state) => {
        this.#lastSnapshot = index;
        observer.state(index, state, 'snapshot');
      },
      ...(plant.spoil && { spoil: plant.spoil }),
    });
  }

  async start(): Promise<void> {
    const { disk, random, plant, engine, nowUs, send, sendSnapshot } = this.#ports;
    const { segmentBytes, raftId, bootstrap, replica, tickUs } = this.#options;
    const entropy = random.fork('entropy');
    const store = await FileLogStore.open(
      { directory: '/core/log', segmentBytes, maxFrameBytes: 16 * 1024, snapshotsKept: 2 },
      { entropy, disk },
    );
    this.#replica = await Replica.start(
      { ...REPLICA_DEFAULTS, ...replica, logLevel: 'error', id: raftId, bootstrap },
      {
        module: engine,
        store: watchedStore(store, this.#ports),
        transport: { send: (messages) => send(plant.send ? messages.map(plant.send) : messages), sendSnapshot },
        stateMachine: plant.machine ? plant.machine(this.#machine) : this.#machine,
        clock: { nowNs: () => BigInt(nowUs()) * 1000n },
        entropy,
        ticker: { start: ticksOf(this.#ports, tickUs) },
        scheduler: { defer: this.#defer },
        log: () => undefined,
        ...this.#callbacks(),
      },
    );
  }

  #callbacks() {
    const { observer } = this.#ports;
    return {
      onFatal: (error: unknown) => observer.failed(error),
      onRoleChange: ({ role, term }: RoleChange) => observer.role(role, term),
      onLeading: () => undefined,
      onMembersChange: (members: ConfState, index: number) => observer.members(members, index),
      onRemoved: () => undefined,
      onSnapshotWanted: (index: number) => {
        if (this.#lastSnapshot < index) this.#keepSnapshot();
      },
    };
  }

  get ready(): boolean {
    return this.#replica !== undefined;
  }

  get appliedIndex(): number {
    return this.#machine.index;
  }

  get state(): SettlementState | undefined {
    return this.#machine.started ? this.#machine.state : undefined;
  }

  status(): ProcessStatus {
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
    this.#replica?.receive(from, messages);
  }

  receiveSnapshot(from: number, message: Uint8Array, content: Uint8Array): void {
    this.#replica?.receiveSnapshot(from, message, content);
  }

  unreachable(raftId: number): void {
    this.#replica?.reportUnreachable(raftId);
  }

  answer(): Promise<Uint8Array> {
    return Promise.reject(new ReplicaError('UNAVAILABLE', 'a replica alone answers nothing'));
  }

  async submit(command: Command): Promise<Submitted> {
    const appliedMs = this.state?.stampMs ?? 0;
    const stampMs = Math.max(this.#ports.wallMs(), this.#lastStampMs, appliedMs);
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

  async read<T>(view: (state: SettlementState) => T): Promise<Readonly<{ index: number; value: T }>> {
    if (!this.#ports.plant.readsAlone) await this.#running().readIndex();
    if (!this.#machine.started) throw new ReplicaError('UNAVAILABLE', 'the node has no state yet');
    return { index: this.#machine.index, value: view(this.#machine.state) };
  }

  /** @throws ReplicaError */
  async changeMembers(change: ConfChange): Promise<void> {
    await this.#running().changeMembers(change);
  }

  async transferLeadership(to: number): Promise<boolean> {
    return this.#running().transferLeadership(to);
  }

  inspect(): void {}

  /** In a turn of its own, when the members are known that the last entry may have brought. */
  #keepSnapshot(): void {
    if (this.#keeping) return;
    this.#keeping = true;
    const done = (): void => {
      this.#keeping = false;
    };
    this.#defer(() => {
      const replica = this.#replica;
      // The log is still being loaded: what was applied comes again, and so does the occasion.
      if (!replica) {
        done();
        return;
      }
      try {
        const { index, term, content } = this.#machine.capture();
        this.#lastSnapshot = index;
        // A failure ends the replica, which tells of it.
        keepHead(replica, { index, term, confState: replica.members }, content).then(done, done);
      } catch (error) {
        this.#ports.observer.failed(error);
      }
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
