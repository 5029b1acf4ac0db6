/**
 * Group commit: while one write to the log runs, the appends that raft asks for gather, and the next write takes them
 * all. Raft is told in order, and only of what is durable. A commit index alone needs no write of its own.
 */
import type { LogBatch, LogStore } from './ports.ts';
import type { Entry, HardState, RaftSnapshot, Ready } from './raft-types.ts';

/** Puts a snapshot that a leader sent in place: saved, and restored by the state machine. */
export type InstallSnapshot = (snapshot: RaftSnapshot) => Promise<void>;

export type AppendPipelineHost = Readonly<{
  store: LogStore;
  install: InstallSnapshot;
  /** The oldest `count` appends are durable. */
  done: (count: number) => void;
  failed: (error: unknown) => void;
}>;

type Append = Pick<Ready, 'entries' | 'hardState' | 'snapshot' | 'mustSync'>;

export class AppendPipeline {
  readonly #host: AppendPipelineHost;
  readonly #maxWriteBytes: number;
  readonly #queue: Append[] = [];
  #running: Promise<void> | null = null;
  #failed = false;
  /** A newer commit index than the log has; goes with the next write. */
  #riding: HardState | null = null;

  /** @param maxWriteBytes bytes of entries after which a write takes no further append */
  constructor(maxWriteBytes: number, host: AppendPipelineHost) {
    this.#maxWriteBytes = maxWriteBytes;
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

  #begin(work: () => Promise<void>): void {
    if (this.#running || this.#failed) return;
    this.#running = work()
      .catch((error: unknown) => {
        this.#failed = true;
        this.#host.failed(error);
      })
      .finally(() => {
        this.#running = null;
        this.start();
      });
  }

  /** Resolves when no write runs. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const snapshot = this.#queue[0]?.snapshot;
      if (snapshot) await this.#host.install(snapshot);
      const { batch, count, durable } = this.#take();
      if (durable) await this.#write(batch);
      else this.#riding = batch.hardState ?? this.#riding;
      this.#host.done(count);
    }
  }

  async #write(batch: LogBatch): Promise<void> {
    const hardState = batch.hardState ?? this.#riding;
    this.#riding = null;
    await this.#host.store.append({ ...batch, hardState });
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
