/**
 * `evidence.<network>` in BullMQ. A job keeps its id for ever, and BullMQ ignores an id that it has, whatever became of
 * that job. So a re-offer looks at the job first:
 *
 *   gone (Redis emptied, removed by an operator)  → added again
 *   waiting, delayed, active                      → left alone
 *   completed a while ago, and the core still does not know the event → removed and added again
 *   failed                                        → stays where operators see it, with its last error; after
 *                                                   `retryFailedAfterMs` it gets fresh evidence and another go in place
 *
 * Two followers may do all this at once: the worst is an item that reaches the core twice, which calls it a duplicate.
 */
import type { NetworkId } from '@drawbridge/protocol/ids';
import { evidenceQueue, type SealedJobData } from '@drawbridge/protocol/instruction-job';
import { type Job, type JobsOptions, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { RetryPolicy } from './retry-policy.ts';
import { BodySealer } from './sealed-body.ts';
import type { EvidenceOffer, EvidenceOutbox } from './vault-event-source.ts';

export type EvidenceOutboxOptions = Readonly<{
  network: NetworkId;
  retry: RetryPolicy;
  /** Completed jobs kept for operators to look at. */
  keepCompleted: number;
  /** A completed job that the core did not take is offered again after this. */
  retryCompletedAfterMs: number;
  retryFailedAfterMs: number;
  prefix?: string;
}>;
export type EvidenceOutboxDependencies = Readonly<{ connection: Redis; log: Logger; now: () => number }>;

export class BullmqEvidenceOutbox implements EvidenceOutbox {
  readonly #options: EvidenceOutboxOptions;
  readonly #deps: EvidenceOutboxDependencies;
  readonly #queue: Queue<SealedJobData>;
  #key: Readonly<{ pem: string; sealer: BodySealer }> | undefined;

  constructor(options: EvidenceOutboxOptions, dependencies: EvidenceOutboxDependencies) {
    this.#options = options;
    this.#deps = dependencies;
    const { prefix } = options;
    const { connection, log } = dependencies;
    this.#queue = new Queue(evidenceQueue(options.network), {
      connection,
      ...(prefix === undefined ? {} : { prefix }),
    });
    this.#queue.on('error', (error: Error & { code?: string }) =>
      log.warn({ queue: this.#queue.name, code: error.code ?? error.name }, 'evidence queue'),
    );
  }

  /** @throws SealedBodyError `SEALED_KEY_INVALID` */
  sealTo(publicKeyPem: string): void {
    if (this.#key?.pem !== publicKeyPem) this.#key = { pem: publicKeyPem, sealer: new BodySealer(publicKeyPem) };
  }

  async offer(items: readonly EvidenceOffer[]): Promise<void> {
    if (items.length === 0) return;
    await this.#queue.addBulk(
      items.map((item) => ({
        name: 'evidence',
        data: this.#seal(item),
        opts: { ...this.#jobOptions(), jobId: item.jobId },
      })),
    );
  }

  async reoffer(items: readonly EvidenceOffer[]): Promise<void> {
    const absent: EvidenceOffer[] = [];
    for (const item of items) {
      const job = await this.#queue.getJob(item.jobId);
      if (!job || (await this.#removeStale(job))) absent.push(item);
      else await this.#retryFailed(job, item);
    }
    await this.offer(absent);
  }

  /** Whether `reoffer` would leave the item alone: then its evidence need not be made again. */
  async isUnderway(jobId: string): Promise<boolean> {
    const job = await this.#queue.getJob(jobId);
    if (!job) return false;
    const state = await job.getState();
    const since = this.#deps.now() - (job.finishedOn ?? 0);
    if (state === 'completed') return since < this.#options.retryCompletedAfterMs;
    if (state === 'failed') return since < this.#options.retryFailedAfterMs;
    return true;
  }

  /** Whether the core took the item, or had it. False also where a job is no longer kept. */
  async isCompleted(jobId: string): Promise<boolean> {
    return (await this.#queue.getJobState(jobId)) === 'completed';
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }

  async #removeStale(job: Job): Promise<boolean> {
    const due = (job.finishedOn ?? 0) + this.#options.retryCompletedAfterMs <= this.#deps.now();
    if (!due || !(await job.isCompleted())) return false;
    await job.remove();
    return true;
  }

  async #retryFailed(job: Job, item: EvidenceOffer): Promise<void> {
    const due = (job.finishedOn ?? 0) + this.#options.retryFailedAfterMs <= this.#deps.now();
    if (!due || !(await job.isFailed())) return;
    this.#deps.log.info({ jobId: job.id }, 'failed evidence is offered again');
    await job.updateData(this.#seal(item));
    await job.retry('failed', { resetAttemptsMade: true });
  }

  #jobOptions(): JobsOptions {
    const { retry, keepCompleted } = this.#options;
    return {
      attempts: retry.attempts,
      backoff: { type: 'exponential', delay: retry.firstPauseMs, jitter: 0.5 },
      removeOnComplete: { count: keepCompleted },
      removeOnFail: false,
    };
  }

  #seal(item: EvidenceOffer): SealedJobData {
    if (!this.#key) throw new TypeError('sealTo comes before offer');
    const context = { purpose: 'evidence', network: this.#options.network, jobId: item.jobId } as const;
    return { v: 1, sealed: Buffer.from(this.#key.sealer.seal(item.bytes, context)).toString('base64') };
  }
}
