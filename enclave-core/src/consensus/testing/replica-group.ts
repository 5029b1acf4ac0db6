/** Replicas in one process over a network and disks in memory, for tests. Ticks are given by hand; nothing sleeps. */
import { Buffer } from 'node:buffer';
import { FILE_LOG_STORE_DEFAULTS, FileLogStore } from '../file-log-store.ts';
import { immediateTurns } from '../node-host.ts';
import type { LogStore, PeerTransport, SnapshotPoint, SnapshotWriter, StateMachine, StoredSnapshot } from '../ports.ts';
import { type ConfState, type Entry, entryType } from '../raft-types.ts';
import { Replica } from '../replica.ts';
import {
  REPLICA_DEFAULTS,
  type ReplicaDependencies,
  type ReplicaOptions,
  type RoleChange,
} from '../replica-options.ts';
import { seededEntropy, steppingClock } from './deterministic-host.ts';
import { headAlone, keepHead } from './head-alone.ts';
import { MemoryDisk } from './memory-disk.ts';

export const text = (value: string): Uint8Array => Buffer.from(value);

/** Keeps what was applied as text, one line an entry; empty and configuration entries are counted only. */
export class TextMachine implements StateMachine {
  lines: string[] = [];
  others = 0;
  batches = 0;
  restored = 0;
  /** Leaders whose snapshots were installed. */
  installedFrom: number[] = [];
  lastIndex = 0;
  lastTerm = 0;
  /** Runs before a snapshot is taken over, to hold it up. */
  beforeInstall: (signal: AbortSignal) => Promise<void> = async () => undefined;

  applyBatch(entries: readonly Entry[], members: ConfState): void {
    this.batches += 1;
    if (members.voters.length === 0) throw new RangeError('a batch without members');
    for (const [at, { index, term, type, data }] of entries.entries()) {
      if (this.lastIndex > 0 && index !== this.lastIndex + 1)
        throw new RangeError(`${index} applied after ${this.lastIndex}`);
      if (type !== entryType.normal && at < entries.length - 1)
        throw new RangeError(`configuration entry ${index} is not the last of its batch`);
      this.lastIndex = index;
      this.lastTerm = term;
      if (type === entryType.normal && data.length > 0) this.lines.push(Buffer.from(data).toString());
      else this.others += 1;
    }
  }

  content(): Uint8Array {
    return Buffer.from(JSON.stringify(this.lines));
  }

  async restore(snapshot: StoredSnapshot): Promise<void> {
    this.#become(snapshot.head, snapshot);
    this.restored += 1;
  }

  async install(from: number, head: Uint8Array, { point }: SnapshotWriter, signal: AbortSignal): Promise<void> {
    await this.beforeInstall(signal);
    this.#become(head, point);
    this.installedFrom.push(from);
  }

  #become(content: Uint8Array, { index, term }: SnapshotPoint): void {
    this.lines = JSON.parse(Buffer.from(content).toString()) as string[];
    this.lastIndex = index;
    this.lastTerm = term;
  }
}

export type Member = {
  readonly id: number;
  readonly replica: Replica;
  readonly machine: TextMachine;
  readonly store: LogStore;
  readonly disk: MemoryDisk;
  readonly roles: RoleChange[];
  /** Every change of `Replica.leading`. */
  readonly leading: boolean[];
  /** Members that waited for a snapshot, as often as it was said. */
  readonly wanted: number[];
  removed: number;
  readonly fatal: unknown[];
  tick: () => void;
};

export type Overrides = Readonly<{
  /** A member keeps a snapshot when so many entries were applied since its last one. Default: none of its own accord. */
  snapshotEvery?: number;
  /** A leader keeps a snapshot when a member waits for one. Default true. */
  answerWanted?: boolean;
  options?: Partial<ReplicaOptions>;
  dependencies?: Partial<ReplicaDependencies>;
  wrapStore?: (store: LogStore) => LogStore;
}>;

/** What a replica calls, noted; keeps snapshots as the overrides say. */
class HostOfMember {
  readonly #member: Omit<Member, 'replica' | 'tick'>;
  readonly #overrides: Overrides;
  #replica: Replica | null = null;
  #onTick: () => void = () => undefined;
  #keptAt = 0;
  #keeping = false;

  constructor(member: Omit<Member, 'replica' | 'tick'>, overrides: Overrides) {
    this.#member = member;
    this.#overrides = overrides;
  }

  dependencies(): Omit<ReplicaDependencies, 'module' | 'store' | 'transport' | 'clock' | 'entropy'> {
    const { machine, roles, leading, wanted, fatal } = this.#member;
    return {
      stateMachine: machine,
      ticker: {
        start: (onTick) => {
          this.#onTick = onTick;
          return () => {
            this.#onTick = () => undefined;
          };
        },
      },
      scheduler: immediateTurns,
      log: () => undefined,
      onFatal: (error) => fatal.push(error),
      onRoleChange: (change) => roles.push(change),
      onLeading: (now) => leading.push(now),
      onMembersChange: () => undefined,
      onRemoved: () => {
        this.#member.removed += 1;
      },
      onSnapshotWanted: (_index, member) => {
        wanted.push(member);
        if (this.#overrides.answerWanted ?? true) this.#keep();
      },
    };
  }

  started(replica: Replica): Member {
    this.#replica = replica;
    const tick = (): void => {
      this.#onTick();
      const { snapshotEvery = Infinity } = this.#overrides;
      if (this.#member.machine.lastIndex - this.#keptAt >= snapshotEvery) this.#keep();
    };
    return Object.assign(this.#member, { replica, tick });
  }

  #keep(): void {
    const { machine, fatal } = this.#member;
    if (this.#keeping || !this.#replica || machine.lastIndex !== this.#replica.appliedIndex) return;
    this.#keeping = true;
    this.#keptAt = machine.lastIndex;
    const { lastIndex: index, lastTerm: term } = machine;
    keepHead(this.#replica, { index, term, confState: this.#replica.members }, machine.content())
      .catch((error: { code?: string }) => {
        if (error.code !== 'STOPPED' && !this.#replica?.status().stopped) fatal.push(error);
      })
      .finally(() => {
        this.#keeping = false;
      });
  }
}

/** Turns of the event loop between two ticks. */
const TURNS_PER_TICK = 8;
const MAX_TICKS = 3000;

export class ReplicaGroup {
  readonly members = new Map<number, Member>();
  /** Members that snapshots were carried to, in order. */
  readonly snapshotsTo: number[] = [];
  /** What the network says where it carries no snapshots; asked each time. */
  refuseSnapshot: (() => Error) | undefined;
  readonly #disks = new Map<number, MemoryDisk>();
  readonly #module: WebAssembly.Module;
  readonly #voters: readonly number[];
  /** Pairs `from>to` that do not hear each other. */
  readonly #cut = new Set<string>();
  #starts = 0;
  readonly #seed: number;

  constructor(module: WebAssembly.Module, voters: readonly number[], seed = 1) {
    this.#module = module;
    this.#voters = voters;
    this.#seed = seed;
  }

  member(id: number): Member {
    const member = this.members.get(id);
    if (!member) throw new RangeError(`member ${id} does not run`);
    return member;
  }

  async startAll(overrides: Overrides = {}): Promise<void> {
    for (const id of this.#voters) await this.start(id, overrides);
  }

  /** Starts those of the first voters that do not run. */
  async startMissing(overrides: Overrides = {}): Promise<void> {
    for (const id of this.#voters) if (!this.members.has(id)) await this.start(id, overrides);
  }

  /** Starts a member on the disk that it had; a new one that is no first voter joins with an empty disk. */
  async start(id: number, overrides: Overrides = {}): Promise<Member> {
    const disk = this.#disks.get(id) ?? new MemoryDisk();
    this.#disks.set(id, disk);
    this.#starts += 1;
    const entropy = seededEntropy(this.#seed * 10_000 + this.#starts * 100 + id);
    const opened = await FileLogStore.open(
      { ...FILE_LOG_STORE_DEFAULTS, directory: `log-${id}`, segmentBytes: 64 * 1024 },
      { entropy, disk },
    );
    const machine = new TextMachine();
    const starting = { id, machine, store: opened, disk, roles: [], leading: [], wanted: [], removed: 0, fatal: [] };
    const bootstrap = this.#voters.includes(id) ? { voters: this.#voters, first: headAlone(Buffer.from('[]')) } : null;
    const host = new HostOfMember(starting, overrides);
    const replica = await Replica.start(
      {
        ...REPLICA_DEFAULTS,
        electionTicks: 10,
        heartbeatTicks: 1,
        proposalTimeoutTicks: 400,
        engineReservedBytes: 0,
        id,
        bootstrap,
        ...overrides.options,
      },
      {
        module: this.#module,
        store: overrides.wrapStore ? overrides.wrapStore(opened) : opened,
        transport: this.#transport(id),
        clock: steppingClock(),
        entropy,
        ...host.dependencies(),
        ...overrides.dependencies,
      },
    );
    const member = host.started(replica);
    this.members.set(id, member);
    return member;
  }

  #transport(from: number): PeerTransport {
    const reachable = (to: number): Replica | undefined =>
      this.#cut.has(`${from}>${to}`) ? undefined : this.members.get(to)?.replica;
    return {
      send: (messages) => {
        for (const { to, bytes } of messages) setImmediate(() => reachable(to)?.receive(from, [bytes]));
      },
      sendSnapshot: async ({ to, bytes }, content) => {
        await new Promise((resolve) => setImmediate(resolve));
        const peer = reachable(to);
        if (!peer) throw new Error('unreachable');
        if (this.refuseSnapshot) throw this.refuseSnapshot();
        this.snapshotsTo.push(to);
        peer.receiveSnapshot(from, bytes, content);
      },
    };
  }

  /** Cuts a member off from all others, both ways. */
  isolate(id: number): void {
    for (const other of this.members.keys()) {
      this.#cut.add(`${id}>${other}`);
      this.#cut.add(`${other}>${id}`);
    }
  }

  heal(): void {
    this.#cut.clear();
  }

  /** Ends a member as `kill -9` does: nothing more is written or sent; its disk stays. */
  async crash(id: number): Promise<void> {
    const { replica, store } = this.member(id);
    this.members.delete(id);
    await replica.stop();
    await store.close();
  }

  async stopAll(): Promise<void> {
    for (const id of [...this.members.keys()]) await this.crash(id);
  }

  /** Ticks all members until the condition holds. */
  async until<T>(condition: () => T | undefined | false): Promise<T> {
    for (let ticks = 0; ticks < MAX_TICKS; ticks++) {
      const value = condition();
      if (value !== undefined && value !== false) return value;
      await this.tick();
    }
    throw new Error('the condition never held');
  }

  /** Ticks all members until the call has ended. */
  async settled<T>(call: Promise<T>): Promise<T> {
    let done = false;
    const finish = (): void => {
      done = true;
    };
    call.then(finish, finish);
    await this.until(() => done);
    return call;
  }

  /** Ticks all members until this one runs and has applied so many lines. */
  caughtUp(id: number, lines: readonly string[]): Promise<Member> {
    return this.until(() => {
      const member = this.members.get(id);
      return member && member.machine.lines.length >= lines.length ? member : undefined;
    });
  }

  async tick(): Promise<void> {
    for (const { tick } of this.members.values()) tick();
    for (let turn = 0; turn < TURNS_PER_TICK; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** The one member that leads and is followed by a majority of the running members. */
  leader(): Promise<Member> {
    return this.until(() => {
      const statuses = [...this.members.values()].map(({ replica }) => replica.status());
      return [...this.members.values()].find(
        ({ id, replica }) =>
          replica.status().role === 'leader' &&
          2 * statuses.filter(({ leader, term }) => leader === id && term === replica.status().term).length >
            this.#voters.length,
      );
    });
  }
}
