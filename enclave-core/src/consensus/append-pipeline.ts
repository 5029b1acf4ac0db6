/**
 * Group commit: while one write to the log runs, the appends that raft asks for gather, and the next write takes them
 * all. Raft is told in order, and only of what is durable. A commit index alone needs no write of its own. Term and vote
 * that come with a snapshot are durable before it is.
 */
import type { LogBatch, LogStore } from './ports.ts';
import type { Entry, HardState, RaftSnapshot, Ready } from './raft-types.ts';

/** Puts a snapshot that a leader sent in place: taken by the state machine, and saved. */
export type InstallSnapshot = (snapshot: RaftSnapshot) => Promise<void>;

export type AppendPipelineHost = Readonly<{
  store: LogStore;
  install: InstallSnapshot;
  /** The oldest `count` appends are durable. */
  done: (count: number) => void;
  failed: (error: unknown) => void;
}>;

type Append = Pick<Ready, 'entries' | 'hardState' | 'snapshot' | 'mustSync'>;
type CommitWaiter = Readonly<{ index: number; resolve: () => void; reject: (error: unknown) => void }>;

const NOTHING: HardState = { term: 0, vote: 0, commit: 0 };

export class AppendPipeline {
  readonly #host: AppendPipelineHost;
  readonly #maxWriteBytes: number;
  readonly #queue: Append[] = [];
  #running: Promise<void> | null = null;
  #failure: { error: unknown } | null = null;
  /** A newer commit index than the log has; goes with the next write. */
  #riding: HardState | null = null;
  /** As the log has it. */
  #durable: HardState;
  #waiters: CommitWaiter[] = [];

  /**
   * @param maxWriteBytes bytes of entries after which a write takes no further append
   * @param hardState as the log has it
   */
  constructor(maxWriteBytes: number, hardState: HardState | null, host: AppendPipelineHost) {
    this.#maxWriteBytes = maxWriteBytes;
    this.#durable = hardState ?? NOTHING;
    this.#host = host;
  }

  push(append: Append): void {
    this.#queue.push(append);
  }

  /** Starts writing what is queued, unless a write runs already; that one goes on with it. */
  start(): void {
    if (this.#queue.length > 0) this.#begin(() => this.#run());
  }

  /** Writes a commit index that nothing followed. */
  flush(): void {
    if (this.#queue.length === 0 && this.#riding) {
      this.#begin(() => this.#write({ entries: [], hardState: null, installed: null }));
    }
  }

  /** Resolves when the log on disk says that everything up to `index` is committed; raft must have said so before. */
  commitDurable(index: number): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure.error);
    if (this.#durable.commit >= index) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ index, resolve, reject });
      this.flush();
    });
  }

  #begin(work: () => Promise<void>): void {
    if (this.#running || this.#failure) return;
    let ended: () => void = () => undefined;
    // Before the work: what it calls back at once may come here again.
    this.#running = new Promise((resolve) => {
      ended = resolve;
    });
    void work()
      .catch((error: unknown) => {
        this.#failure = { error };
        for (const { reject } of this.#waiters.splice(0)) reject(error);
        this.#host.failed(error);
      })
      .finally(() => {
        this.#running = null;
        ended();
        this.start();
        if (this.#waiters.length > 0) this.flush();
      });
  }

  /** Resolves when no write runs. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const { snapshot, hardState } = this.#queue[0] ?? {};
      if (snapshot) await this.#install(snapshot, hardState ?? this.#durable);
      const { batch, count, durable } = this.#take();
      if (durable) await this.#write(batch);
      else this.#riding = batch.hardState ?? this.#riding;
      this.#host.done(count);
    }
  }

  async #install(snapshot: RaftSnapshot, { term, vote }: HardState): Promise<void> {
    const { commit } = this.#riding ?? this.#durable;
    if (term !== this.#durable.term || vote !== this.#durable.vote) {
      await this.#write({ entries: [], hardState: { term, vote, commit }, installed: null });
    }
    await this.#host.install(snapshot);
  }

  async #write(batch: LogBatch): Promise<void> {
    const hardState = batch.hardState ?? this.#riding;
    this.#riding = null;
    await this.#host.store.append({ ...batch, hardState });
    if (!hardState) return;
    this.#durable = hardState;
    if (this.#waiters.length > 0) this.#answerWaiters(hardState.commit);
  }

  #answerWaiters(commit: number): void {
    const waiters = this.#waiters;
    this.#waiters = waiters.filter(({ index }) => index > commit);
    for (const { index, resolve } of waiters) if (index <= commit) resolve();
  }

  /** The next write: appends from the front of the queue, up to a snapshot that is not at the front. */
  #take(): { batch: LogBatch; count: number; durable: boolean } {
    const entries: Entry[] = [];
    let hardState: HardState | null = null;
    let durable = false;
    let count = 0;
    let bytes = 0;
    const installed = this.#queue[0]?.snapshot ?? null;
    for (const append of this.#queue) {
      if (count > 0 && (append.snapshot || bytes >= this.#maxWriteBytes)) break;
      replaceFrom(entries, append.entries);
      for (const entry of append.entries) bytes += entry.data.length;
      hardState = append.hardState ?? hardState;
      durable ||= append.mustSync || append.entries.length > 0 || append.snapshot !== null;
      count += 1;
    }
    this.#queue.splice(0, count);
    const at = installed && { index: installed.index, term: installed.term };
    return { batch: { entries, hardState, installed: at }, count, durable };
  }
}

/** `next` replaces what `entries` has from its first index on. */
function replaceFrom(entries: Entry[], next: readonly Entry[]): void {
  const [from, first] = [next[0]?.index, entries[0]?.index];
  if (from !== undefined && first !== undefined) entries.length = Math.min(entries.length, Math.max(0, from - first));
  for (const entry of next) entries.push(entry);
}
