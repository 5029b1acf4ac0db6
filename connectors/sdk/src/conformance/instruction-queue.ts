/** The hub's side of `instructions.<network>`, for tests: seals, adds, and waits for what becomes of a job. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { NetworkId } from '@drawbridge/protocol/ids';
import {
  encodeInstructionJob,
  type InstructionJob,
  instructionQueue,
  type SealedJobData,
} from '@drawbridge/protocol/instruction-job';
import { type Job, type JobsOptions, Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { BodySealer } from '../sealed-body.ts';

export type JobEnd =
  | Readonly<{ state: 'completed'; result: string }>
  | Readonly<{ state: 'failed'; reason: string; attempts: number }>;

export type InstructionQueueOptions = Readonly<{ network: NetworkId; redisUrl: string; sealingKey: string }>;

export type PreparedJob = Readonly<{ jobId: string; data: SealedJobData }>;

const POLL_MS = 20;

const newJobId = (): string => randomBytes(32).toString('hex');

export class InstructionQueue {
  readonly #network: NetworkId;
  readonly #sealer: BodySealer;
  readonly #redis: Redis;
  readonly #queue: Queue<SealedJobData>;

  private constructor(options: InstructionQueueOptions) {
    this.#network = options.network;
    this.#sealer = new BodySealer(options.sealingKey);
    this.#redis = new Redis(options.redisUrl, { maxRetriesPerRequest: null });
    this.#queue = new Queue(instructionQueue(options.network), { connection: this.#redis });
  }

  static async open(options: InstructionQueueOptions): Promise<InstructionQueue> {
    const queue = new InstructionQueue(options);
    await queue.#queue.waitUntilReady();
    return queue;
  }

  /** Returns the job's id, which is drawn: ids of real jobs are opaque as well. */
  async add(job: InstructionJob, options: { attempts?: number } = {}): Promise<string> {
    return this.addPrepared(this.prepare(job), options);
  }

  async addRaw(data: SealedJobData): Promise<string> {
    return this.addPrepared({ jobId: newJobId(), data });
  }

  prepare(job: InstructionJob): PreparedJob {
    const jobId = newJobId();
    return { jobId, data: this.seal(job, jobId) };
  }

  async addPrepared({ jobId, data }: PreparedJob, { attempts = 12 }: { attempts?: number } = {}): Promise<string> {
    const options: JobsOptions = { jobId, attempts, removeOnFail: false, removeOnComplete: false };
    await this.#queue.add('instruction', data, options);
    return jobId;
  }

  seal(job: InstructionJob, jobId: string): SealedJobData {
    const context = { purpose: 'instruction', network: this.#network, jobId } as const;
    const sealed = this.#sealer.seal(encodeInstructionJob(job), context);
    return { v: 1, sealed: Buffer.from(sealed).toString('base64') };
  }

  async state(jobId: string): Promise<string> {
    return this.#queue.getJobState(jobId);
  }

  async retry(jobId: string): Promise<void> {
    const job = await this.#job(jobId);
    await job.retry('failed', { resetAttemptsMade: true });
  }

  async finished(jobId: string, timeoutMs: number): Promise<JobEnd> {
    let end: JobEnd | undefined;
    await this.until(async () => {
      // State first: what a job came to is written before its state changes.
      const state = await this.state(jobId);
      end = endOf(await this.#job(jobId), state);
      return end !== undefined;
    }, timeoutMs);
    if (!end) throw new Error('the job did not end');
    return end;
  }

  /** @throws Error when the condition does not come about in time. */
  async until(condition: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!(await condition())) {
      if (performance.now() > deadline) throw new Error(`it did not come about within ${timeoutMs} ms`);
      await delay(POLL_MS);
    }
  }

  async clear(): Promise<void> {
    await this.#queue.obliterate({ force: true });
  }

  async close(): Promise<void> {
    await this.#queue.close();
    this.#redis.disconnect();
  }

  async #job(jobId: string): Promise<Job<SealedJobData>> {
    const job = await this.#queue.getJob(jobId);
    if (!job) throw new Error('the job is gone');
    return job;
  }
}

function endOf(job: Job, state: string): JobEnd | undefined {
  if (state === 'completed') return { state, result: (job.returnvalue as { result: string }).result };
  return state === 'failed' ? { state, reason: job.failedReason, attempts: job.attemptsMade } : undefined;
}
