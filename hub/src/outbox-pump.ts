/**
 * Core outbox → BullMQ. The outbox is the truth: a job is added under the id that the core gave it, so adding twice, or
 * by two hubs at once, is adding once. The cursor lives in Redis beside the jobs: when Redis is emptied it goes with
 * them and the pump begins again at the start. A sweep offers the whole outbox from time to time, so that a job that
 * was removed while its instruction is still open comes back, and one whose body somebody changed gets its own again.
 *
 * One question is always with the core, which answers it when there is something: nobody polls, and nothing waits for a poll.
 */

import type { NetworkId } from '@drawbridge/protocol/ids';
import { instructionQueue, type SealedJobData } from '@drawbridge/protocol/instruction-job';
import type { JobsOptions } from 'bullmq';
import type { Logger } from 'pino';
import type { CoreRelay } from './core-relay.ts';
import type { PumpMetrics } from './metrics.ts';

/** The part of a BullMQ queue that the pump needs. */
export interface InstructionQueue {
  addBulk(jobs: { name: string; data: SealedJobData; opts: JobsOptions }[]): Promise<unknown>;
  remove(jobId: string): Promise<unknown>;
  /** Gives the job this body where it has another; one that failed with the other is tried anew. */
  restore(jobId: string, data: SealedJobData): Promise<unknown>;
}

export interface CursorStore {
  read(network: NetworkId): Promise<number>;
  write(network: NetworkId, cursor: number): Promise<void>;
}

export type PumpOptions = Readonly<{
  network: NetworkId;
  pageSize: number;
  /** How long the core is let wait for instructions; as long an emptied Redis goes unnoticed. */
  waitMs: number;
  /** Pause after a failure, doubled each time; and least time between two questions that were answered with nothing. */
  pauseMs: number;
  sweepMs: number;
  job: JobsOptions;
}>;
export type PumpDependencies = Readonly<{
  core: CoreRelay;
  queue: InstructionQueue;
  cursors: CursorStore;
  metrics: PumpMetrics;
  log: Logger;
  now: () => number;
}>;

/** Longest pause after failures, ms. */
const MAX_PAUSE_MS = 10_000;

export class OutboxPump {
  readonly #options: PumpOptions;
  readonly #deps: PumpDependencies;
  readonly #stopping = new AbortController();
  #sweptMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;

  constructor(options: PumpOptions, dependencies: PumpDependencies) {
    this.#options = options;
    this.#deps = dependencies;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /**
   * One look at the outbox, page after page until it is empty. Returns how many jobs were offered.
   * @param waitMs how long the core may wait for the first of them; a sweep waits for nothing
   */
  async pump(waitMs = 0): Promise<number> {
    const { network, pageSize, sweepMs } = this.#options;
    const { core, cursors, now } = this.#deps;
    const { signal } = this.#stopping;
    const sweeping = now() - this.#sweptMs >= sweepMs;
    const stored = await cursors.read(network);
    let cursor = sweeping ? 0 : stored;
    let offered = 0;
    for (;;) {
      const waits = offered === 0 && !sweeping && waitMs > 0;
      const page = await core.outbox(network, cursor, pageSize, waits ? { waitMs, signal } : { signal });
      if (page.items.length === 0) break;
      await this.#offer(page.items, sweeping);
      offered += page.items.length;
      // Redis was emptied while the core waited: what lies before this page is gone as well.
      if (waits && (await cursors.read(network)) !== cursor) break;
      cursor = page.next;
      await cursors.write(network, cursor);
      if (page.items.length < pageSize || signal.aborted) break;
    }
    if (sweeping) this.#sweptMs = now();
    return offered;
  }

  async #offer(items: Awaited<ReturnType<CoreRelay['outbox']>>['items'], sweeping: boolean): Promise<void> {
    const { queue, metrics } = this.#deps;
    await queue.addBulk(
      items.map(({ jobId, sealed }) => ({
        name: 'instruction',
        data: { v: 1, sealed },
        opts: { ...this.#options.job, jobId },
      })),
    );
    metrics.offered(this.#options.network, items.length);
    for (const jobId of items.flatMap((item) => item.supersedes)) await queue.remove(jobId);
    // Whoever can write to Redis could put another body under a job's id, where adding would find it taken.
    if (sweeping) for (const { jobId, sealed } of items) await queue.restore(jobId, { v: 1, sealed });
  }

  async #run(): Promise<void> {
    const { waitMs, pauseMs, sweepMs } = this.#options;
    const { now } = this.#deps;
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      const beganMs = now();
      const untilSweepMs = Math.max(0, Math.ceil(this.#sweptMs + sweepMs - beganMs));
      const offered = await this.#turn(Math.min(waitMs, untilSweepMs), failures + 1);
      failures = offered === undefined ? failures + 1 : 0;
      // A core that answers with nothing before its time is not asked without a pause.
      const leastMs = offered === 0 ? beganMs + pauseMs - now() : 0;
      const pause = failures > 0 ? Math.min(pauseMs * 2 ** Math.min(failures - 1, 16), MAX_PAUSE_MS) : leastMs;
      if (pause > 0) await pauseUnlessAborted(pause, signal);
    }
  }

  /** Nothing when it failed. */
  async #turn(waitMs: number, failures: number): Promise<number | undefined> {
    const { log, metrics } = this.#deps;
    const { network } = this.#options;
    try {
      return await this.pump(waitMs);
    } catch (error) {
      if (this.#stopping.signal.aborted) return undefined;
      metrics.failed(network);
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
      log.warn({ queue: instructionQueue(network), code, failures }, 'outbox not pumped; will try again');
      return undefined;
    }
  }
}

function pauseUnlessAborted(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener('abort', finish);
    if (signal.aborted) finish();
  });
}
