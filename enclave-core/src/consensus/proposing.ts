/** What this node proposes: hands entries and changes of members to raft, and follows them to their answer. */
import { type CommittedAt, ProposalTracker } from './proposal-tracker.ts';
import { type RaftEngine, RaftEngineError } from './raft-engine.ts';
import { type ConfChange, type Entry, entryType, type Ready } from './raft-types.ts';
import { ReplicaError } from './replica-error.ts';
import type { ReplicaOptions } from './replica-options.ts';

export type ProposingHost = Readonly<{
  engine: Pick<RaftEngine, 'propose' | 'proposeConfChange' | 'ready'>;
  /** Why raft does not take a proposal, in terms of who leads. */
  refusal: (message: string, cause: unknown) => ReplicaError;
  /** Does what a Ready asks for. */
  handle: (ready: Ready) => void;
}>;

type Change = Readonly<{
  change: ConfChange;
  resolve: (at: Promise<CommittedAt>) => void;
  reject: (error: unknown) => void;
}>;

export class Proposing {
  readonly #host: ProposingHost;
  readonly #tracker: ProposalTracker;
  readonly #changes: Change[] = [];

  constructor(options: ReplicaOptions, host: ProposingHost) {
    this.#host = host;
    this.#tracker = new ProposalTracker(options);
  }

  get pendingCount(): number {
    return this.#tracker.pendingCount;
  }

  get pendingBytes(): number {
    return this.#tracker.pendingBytes;
  }

  add(data: Uint8Array): Promise<CommittedAt> {
    return this.#tracker.add(data);
  }

  change(change: ConfChange): Promise<CommittedAt> {
    return new Promise((resolve, reject) => this.#changes.push({ change, resolve, reject }));
  }

  /** Hands over what waits. Nothing may be unstable before, so that what the next Ready appends is exactly that. */
  handOver(): void {
    const group = this.#tracker.takeWaiting();
    if (group.length > 0) {
      const refusal = this.#refusalOf(() => this.#host.engine.propose(group.map(({ data }) => data)));
      if (refusal) this.#tracker.refused(group, refusal);
      else this.#take((entries) => this.#tracker.appended(group, entries));
    }
    for (const change of this.#changes.splice(0)) this.#handOverChange(change);
  }

  #handOverChange({ change, resolve, reject }: Change): void {
    const refusal = this.#refusalOf(() => this.#host.engine.proposeConfChange(change));
    if (refusal) {
      reject(refusal);
      return;
    }
    this.#take(([entry]) => {
      if (!entry) throw new RangeError('raft appended nothing for a change of members');
      // Raft turns a change that comes during another into an empty entry.
      if (entry.type === entryType.normal)
        reject(new ReplicaError('PROPOSAL_DROPPED', 'another change of members is under way'));
      else resolve(this.#tracker.follow(entry));
    });
  }

  /** Gives `follow` what raft appended before anything of it can be applied. */
  #take(follow: (entries: readonly Entry[]) => void): void {
    const { engine, handle } = this.#host;
    const first = engine.ready();
    follow(first?.entries ?? []);
    for (let ready = first; ready; ready = engine.ready()) handle(ready);
  }

  #refusalOf(call: () => void): ReplicaError | null {
    try {
      call();
      return null;
    } catch (cause) {
      if (!(cause instanceof RaftEngineError) || (cause.code !== 'PROPOSAL_DROPPED' && cause.code !== 'REFUSED'))
        throw cause;
      return this.#host.refusal(cause.message, cause);
    }
  }

  /** To be called after the state machine has applied the entries. */
  applied(entries: readonly Entry[]): void {
    this.#tracker.applied(entries);
  }

  jumpedTo(index: number): void {
    this.#tracker.jumpedTo(index);
  }

  tick(): void {
    this.#tracker.tick();
  }

  stop(cause?: unknown): void {
    this.#tracker.stop(cause);
    const stopped = new ReplicaError('STOPPED', 'the replica is stopped', null, { cause });
    for (const { reject } of this.#changes.splice(0)) reject(stopped);
  }
}
