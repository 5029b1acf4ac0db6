/** Replicas in one process over a network and disks in memory, for tests. Ticks are given by hand; nothing sleeps. */
import { Buffer } from 'node:buffer';
import { FILE_LOG_STORE_DEFAULTS, FileLogStore } from '../file-log-store.ts';
import { immediateTurns } from '../node-host.ts';
import type { LogStore, PeerTransport, StateMachine } from '../ports.ts';
import { type Entry, entryType } from '../raft-types.ts';
import { Replica } from '../replica.ts';
import {
  REPLICA_DEFAULTS,
  type ReplicaDependencies,
  type ReplicaOptions,
  type RoleChange,
} from '../replica-options.ts';
import { seededEntropy, steppingClock } from './deterministic-host.ts';
import { MemoryDisk } from './memory-disk.ts';

export const text = (value: string): Uint8Array => Buffer.from(value);

/** Keeps what was applied as text, one line an entry; empty and configuration entries are counted only. */
export class TextMachine implements StateMachine {
  lines: string[] = [];
  others = 0;
  batches = 0;
  restored = 0;
  lastIndex = 0;

  applyBatch(entries: readonly Entry[]): void {
    this.batches += 1;
    for (const { index, type, data } of entries) {
      if (this.lastIndex > 0 && index !== this.lastIndex + 1)
        throw new RangeError(`${index} applied after ${this.lastIndex}`);
      this.lastIndex = index;
      if (type === entryType.normal && data.length > 0) this.lines.push(Buffer.from(data).toString());
      else this.others += 1;
    }
  }

  async snapshot(): Promise<Uint8Array> {
    const state = JSON.stringify(this.lines);
    await Promise.resolve();
    return Buffer.from(state);
  }

  async restore(content: Uint8Array, at: Readonly<{ index: number }>): Promise<void> {
    this.lines = JSON.parse(Buffer.from(content).toString()) as string[];
    this.lastIndex = at.index;
    this.restored += 1;
  }
}

export type Member = {
  readonly id: number;
  readonly replica: Replica;
  readonly machine: TextMachine;
  readonly store: LogStore;
  readonly roles: RoleChange[];
  readonly fatal: unknown[];
  tick: () => void;
};

export type Overrides = Readonly<{
  options?: Partial<ReplicaOptions>;
  dependencies?: Partial<ReplicaDependencies>;
  wrapStore?: (store: LogStore) => LogStore;
}>;

/** Turns of the event loop between two ticks. */
const TURNS_PER_TICK = 8;
const MAX_TICKS = 3000;

export class ReplicaGroup {
  readonly members = new Map<number, Member>();
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
  async start(id: number, { options, dependencies, wrapStore }: Overrides = {}): Promise<Member> {
    const disk = this.#disks.get(id) ?? new MemoryDisk();
    this.#disks.set(id, disk);
    this.#starts += 1;
    const entropy = seededEntropy(this.#seed * 10_000 + this.#starts * 100 + id);
    const opened = await FileLogStore.open(
      { ...FILE_LOG_STORE_DEFAULTS, directory: `log-${id}`, segmentBytes: 64 * 1024 },
      { entropy, disk },
    );
    const store = wrapStore ? wrapStore(opened) : opened;
    const machine = new TextMachine();
    const roles: RoleChange[] = [];
    const fatal: unknown[] = [];
    let tick = (): void => undefined;
    const bootstrap = this.#voters.includes(id) ? { voters: this.#voters, content: Buffer.from('[]') } : null;
    const replica = await Replica.start(
      {
        ...REPLICA_DEFAULTS,
        electionTicks: 10,
        heartbeatTicks: 1,
        proposalTimeoutTicks: 400,
        id,
        bootstrap,
        ...options,
      },
      {
        module: this.#module,
        store,
        transport: this.#transport(id),
        stateMachine: machine,
        clock: steppingClock(),
        entropy,
        ticker: {
          start(onTick) {
            tick = onTick;
            return () => {
              tick = () => undefined;
            };
          },
        },
        scheduler: immediateTurns,
        log: () => undefined,
        onFatal: (error) => fatal.push(error),
        onRoleChange: (change) => roles.push(change),
        onMembersChange: () => undefined,
        ...dependencies,
      },
    );
    const member = { id, replica, machine, store: opened, roles, fatal, tick: () => tick() };
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
