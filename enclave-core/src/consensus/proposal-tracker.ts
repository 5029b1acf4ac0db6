/**
 * Own proposals from the call to the answer: waiting for their turn, then appended under a known index and term, then
 * committed or lost. An entry counts as ours by index and term, never by its content, which may be equal to another's.
 */
import type { Entry } from './raft-types.ts';
import { ReplicaError } from './replica-error.ts';

export type CommittedAt = Readonly<{ index: number; term: number }>;

export type ProposalLimits = Readonly<{
  /** Bytes of one proposal. */
  maxProposalBytes: number;
  /** Bytes of all proposals that have no answer yet. */
  maxPendingBytes: number;
  /** Number of proposals that have no answer yet. */
  maxPendingProposals: number;
  /** Ticks after which a proposal without an answer is `UNCERTAIN`. */
  proposalTimeoutTicks: number;
}>;

type Pending = {
  readonly bytes: number;
  readonly deadline: number;
  term: number;
  readonly resolve: (at: CommittedAt) => void;
  readonly reject: (error: ReplicaError) => void;
};

type Waiting = Readonly<{ data: Uint8Array; pending: Pending }>;

export class ProposalTracker {
  readonly #limits: ProposalLimits;
  #waiting: Waiting[] = [];
  /** By index, in the order in which they were appended. */
  readonly #appended = new Map<number, Pending>();
  #pendingBytes = 0;
  #tick = 0;

  constructor(limits: ProposalLimits) {
    this.#limits = limits;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  get pendingCount(): number {
    return this.#waiting.length + this.#appended.size;
  }

  /** Queues a proposal for the next turn. */
  add(data: Uint8Array): Promise<CommittedAt> {
    if (data.length === 0) throw new TypeError('a proposal has at least one byte: raft itself appends empty entries');
    const { maxProposalBytes, maxPendingBytes, maxPendingProposals } = this.#limits;
    if (data.length > maxProposalBytes) {
      throw new ReplicaError('TOO_LARGE', `a proposal has ${data.length} bytes, at most ${maxProposalBytes} are taken`);
    }
    if (this.#pendingBytes + data.length > maxPendingBytes || this.pendingCount >= maxPendingProposals) {
      throw new ReplicaError(
        'OVERLOADED',
        `${this.pendingCount} proposals of ${this.#pendingBytes} bytes wait for commit`,
      );
    }
    return new Promise((resolve, reject) => {
      const pending = this.#track(data.length, resolve, reject);
      this.#waiting.push({ data, pending });
    });
  }

  #track(bytes: number, resolve: Pending['resolve'], reject: Pending['reject']): Pending {
    this.#pendingBytes += bytes;
    return { bytes, deadline: this.#tick + this.#limits.proposalTimeoutTicks, term: 0, resolve, reject };
  }

  /** What waits, in order; the caller hands it to raft and says the outcome by `appended` or `refused`. */
  takeWaiting(): readonly Waiting[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  /** Raft appended these entries for these proposals. */
  appended(group: readonly Waiting[], entries: readonly Entry[]): void {
    for (const [at, { pending }] of group.entries()) {
      const entry = entries[at];
      if (!entry) throw new RangeError('raft appended fewer entries than were proposed');
      this.#appendedAs(pending, entry);
    }
  }

  /** Follows an entry that was proposed otherwise, such as a change of members. */
  follow(entry: Entry): Promise<CommittedAt> {
    return new Promise((resolve, reject) => this.#appendedAs(this.#track(entry.data.length, resolve, reject), entry));
  }

  #appendedAs(pending: Pending, entry: Entry): void {
    pending.term = entry.term;
    // This node leads again and its log lost the earlier entry: a leader's log has all that was ever committed.
    const earlier = this.#appended.get(entry.index);
    if (earlier) this.#lose(earlier, entry.index);
    this.#appended.set(entry.index, pending);
  }

  refused(group: readonly Waiting[], refusal: ReplicaError): void {
    for (const { pending } of group) this.#reject(pending, refusal);
  }

  /** To be called after the state machine has applied the entries. */
  applied(entries: readonly Entry[]): void {
    if (this.#appended.size === 0) return;
    for (const { index, term } of entries) {
      const pending = this.#appended.get(index);
      if (!pending) continue;
      if (pending.term !== term) {
        this.#lose(pending, index);
        continue;
      }
      this.#appended.delete(index);
      this.#pendingBytes -= pending.bytes;
      pending.resolve({ index, term });
    }
  }

  /** A snapshot replaced the log up to `index`; which of the entries it holds is not known here. */
  jumpedTo(index: number): void {
    for (const [at, pending] of this.#appended) if (at <= index) this.#makeUncertain(pending, at);
  }

  tick(): void {
    this.#tick += 1;
    for (const [at, pending] of this.#appended) {
      if (pending.deadline > this.#tick) return;
      this.#makeUncertain(pending, at);
    }
  }

  stop(cause?: unknown): void {
    this.refused(this.takeWaiting(), new ReplicaError('STOPPED', 'the replica is stopped', null, { cause }));
    for (const [at, pending] of this.#appended) this.#makeUncertain(pending, at, cause);
  }

  #lose(pending: Pending, index: number): void {
    this.#appended.delete(index);
    this.#reject(
      pending,
      new ReplicaError('PROPOSAL_DROPPED', 'another entry was committed in the place of the proposal'),
    );
  }

  #makeUncertain(pending: Pending, index: number, cause?: unknown): void {
    this.#appended.delete(index);
    this.#reject(
      pending,
      new ReplicaError('UNCERTAIN', 'it is not known whether the proposal is committed', null, { cause }),
    );
  }

  #reject(pending: Pending, error: ReplicaError): void {
    this.#pendingBytes -= pending.bytes;
    pending.reject(error);
  }
}
