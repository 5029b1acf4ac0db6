/**
 * Linearisable reads: raft confirms with a quorum that a commit index is not older than the call, and the read may go
 * on when that index is applied. Reads of one turn share one confirmation. A confirmation that gets lost is asked again.
 */
import { Buffer } from 'node:buffer';
import type { ReadState } from './raft-types.ts';
import { ReplicaError } from './replica-error.ts';
import type { Entropy } from './wasi-shim.ts';

export type ReadLimits = Readonly<{
  /** Ticks between two attempts. */
  readRetryTicks: number;
  /** Ticks after which a read is `UNAVAILABLE`. */
  readTimeoutTicks: number;
  /** Number of reads without an answer. */
  maxPendingReads: number;
}>;

type Reader = Readonly<{ resolve: (index: number) => void; reject: (error: ReplicaError) => void }>;
type Request = Readonly<{ context: Buffer; readers: readonly Reader[]; startedAt: number }>;

type Confirmed = Readonly<{ index: number; readers: readonly Reader[]; startedAt: number }>;

/** Bytes that no other node and no earlier start of this one uses: a leader tells reads apart by their context only. */
export function originOfReads(id: number, entropy: Entropy): Uint8Array {
  const origin = Buffer.alloc(16);
  entropy.fill(origin);
  origin.writeBigUInt64LE(BigInt(id));
  return origin;
}

export class ReadBarrier {
  readonly #limits: ReadLimits;
  readonly #origin: Buffer;
  #sequence = 0;
  #tick = 0;
  #waiting: Reader[] = [];
  /** Confirmed, and not applied here yet. */
  #unapplied: Confirmed[] = [];
  #appliedIndex = 0;
  readonly #asked = new Map<string, Request>();
  #count = 0;

  /** @param origin see `originOfReads` */
  constructor(limits: ReadLimits, origin: Uint8Array) {
    this.#limits = limits;
    this.#origin = Buffer.from(origin);
  }

  add(): Promise<number> {
    if (this.#count >= this.#limits.maxPendingReads) {
      throw new ReplicaError('OVERLOADED', `${this.#count} reads wait for confirmation`);
    }
    this.#count += 1;
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Contexts to ask raft for now. */
  takeNew(): Uint8Array[] {
    if (this.#waiting.length === 0) return [];
    const context = Buffer.alloc(this.#origin.length + 8);
    this.#origin.copy(context);
    this.#sequence += 1;
    context.writeBigUInt64LE(BigInt(this.#sequence), this.#origin.length);
    this.#asked.set(context.toString('latin1'), { context, readers: this.#waiting, startedAt: this.#tick });
    this.#waiting = [];
    return [context];
  }

  /** Contexts to ask again. */
  tick(): Uint8Array[] {
    this.#tick += 1;
    const again: Uint8Array[] = [];
    for (const [key, request] of this.#asked) {
      const age = this.#tick - request.startedAt;
      if (age >= this.#limits.readTimeoutTicks) {
        this.#asked.delete(key);
        this.#reject(request.readers, new ReplicaError('UNAVAILABLE', 'no leader confirmed the read in time'));
      } else if (age % this.#limits.readRetryTicks === 0) {
        again.push(request.context);
      }
    }
    if (this.#unapplied.length > 0) this.#giveUpUnapplied();
    return again;
  }

  /** This node is far behind, or installs a snapshot: others can answer meanwhile. */
  #giveUpUnapplied(): void {
    const isLate = ({ startedAt }: Confirmed): boolean => this.#tick - startedAt >= this.#limits.readTimeoutTicks;
    for (const { readers } of this.#unapplied.filter(isLate)) {
      this.#reject(readers, new ReplicaError('UNAVAILABLE', 'what the read needs was not applied here in time'));
    }
    this.#unapplied = this.#unapplied.filter((read) => !isLate(read));
  }

  confirmed(states: readonly ReadState[]): void {
    for (const { index, context } of states) {
      const key = Buffer.from(context).toString('latin1');
      const request = this.#asked.get(key);
      if (!request) continue;
      this.#asked.delete(key);
      this.#unapplied.push({ index, readers: request.readers, startedAt: request.startedAt });
    }
    this.applied(this.#appliedIndex);
  }

  applied(index: number): void {
    this.#appliedIndex = index;
    if (this.#unapplied.length === 0) return;
    const ready = this.#unapplied.filter((read) => read.index <= index);
    this.#unapplied = this.#unapplied.filter((read) => read.index > index);
    for (const read of ready) {
      this.#count -= read.readers.length;
      for (const reader of read.readers) reader.resolve(read.index);
    }
  }

  stop(): void {
    const error = new ReplicaError('STOPPED', 'the replica is stopped');
    const asked = [...this.#asked.values(), ...this.#unapplied].flatMap(({ readers }) => readers);
    this.#asked.clear();
    this.#unapplied = [];
    this.#reject([...asked, ...this.#waiting.splice(0)], error);
  }

  #reject(readers: readonly Reader[], error: ReplicaError): void {
    this.#count -= readers.length;
    for (const reader of readers) reader.reject(error);
  }
}
