/**
 * Core outbox → BullMQ. The outbox is the truth: a job is added under the id that the core gave it, so adding twice, or
 * by two hubs at once, is adding once. The cursor lives in Redis beside the jobs: when Redis is emptied it goes with
 * them and the pump begins again at the start. A sweep offers the whole outbox from time to time, so that a job that
 * was removed while its instruction is still open comes back, and one whose body somebody changed gets its own again.
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
  pollMs: number;
  /** Least time between the beginnings of two looks, however often `soon` is said. */
  gapMs: number;
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
  #sweptMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #failures = 0;
  #stopped = false;
  /** Said since the last look began. */
  #soon = false;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(options: PumpOptions, dependencies: PumpDependencies) {
    this.#options = options;
    this.#deps = dependencies;
  }

  start(): void {
    this.#schedule(0);
  }

  /** There may be something new: the next look does not wait for the poll. After failures it does, and for longer. */
  soon(): void {
    if (this.#failures > 0) return;
    this.#soon = true;
    if (this.#timer) this.#schedule(this.#gapLeftMs());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** One look at the outbox, page after page until it is empty. Returns how many jobs were offered. */
  async pump(): Promise<number> {
    const { network, pageSize, sweepMs } = this.#options;
    const { core, cursors, now } = this.#deps;
    const sweeping = now() - this.#sweptMs >= sweepMs;
    const stored = await cursors.read(network);
    let cursor = sweeping ? 0 : stored;
    let offered = 0;
    for (;;) {
      const page = await core.outbox(network, cursor, pageSize);
      if (page.items.length === 0) break;
      await this.#offer(page.items, sweeping);
      offered += page.items.length;
      cursor = page.next;
      await cursors.write(network, cursor);
      if (page.items.length < pageSize || this.#stopped) break;
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

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.#turn();
    }, delayMs);
  }

  #gapLeftMs(): number {
    return Math.max(0, this.#lookedMs + this.#options.gapMs - this.#deps.now());
  }

  async #turn(): Promise<void> {
    const { log, metrics } = this.#deps;
    const { network, pollMs } = this.#options;
    this.#soon = false;
    this.#lookedMs = this.#deps.now();
    try {
      await this.pump();
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      metrics.failed(network);
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
      log.warn(
        { queue: instructionQueue(network), code, failures: this.#failures },
        'outbox not pumped; will try again',
      );
    }
    if (this.#soon && this.#failures === 0) this.#schedule(this.#gapLeftMs());
    else this.#schedule(Math.min(pollMs * 2 ** Math.min(this.#failures, 16), Math.max(MAX_PAUSE_MS, pollMs)));
  }
}
