/**
 * The BullMQ worker of `instructions.<network>`. Delivery is at least once: BullMQ runs a stalled job twice, and two
 * workers of one network may hold the same instruction; the ledger's ids make the effect happen once. What Redis gets
 * to see of a job's end is a word or a code, never content.
 */
import { setMaxListeners } from 'node:events';
import type { NetworkId } from '@drawbridge/protocol/ids';
import { instructionQueue } from '@drawbridge/protocol/instruction-job';
import { DelayedError, type Job, UnrecoverableError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { ConnectorMetrics } from './connector-metrics.ts';
import type { InstructionRelay, RelayOutcome } from './instruction-relay.ts';
import { applyRetryPolicy, backoffStrategy, type RetryPolicy } from './retry-policy.ts';

export type InstructionWorkerOptions = Readonly<{
  network: NetworkId;
  /** Jobs worked on at once. */
  concurrency: number;
  retry: RetryPolicy;
  /** When a job that was sent and is not final is looked at again. */
  handOverMs: number;
  /** Hand-overs of one job before it counts as failed: a network that stands still. */
  maxHandOvers: number;
  /** BullMQ takes a job from a silent worker after this. */
  lockMs: number;
  /** Key prefix in Redis; BullMQ's own when left out. */
  prefix?: string;
}>;
export type InstructionWorkerDependencies = Readonly<{
  relay: Pick<InstructionRelay, 'attempt'>;
  /** Needs `maxRetriesPerRequest: null`: a worker blocks on it. */
  connection: Redis;
  metrics: Pick<ConnectorMetrics, 'completed' | 'refused' | 'attempt'>;
  log: Logger;
  now: () => number;
  random: () => number;
}>;

/** A job whose worker died so often is poison: it goes to the failed set. */
const MAX_STALLS = 16;
const LISTENERS_PER_JOB = 4;

export class InstructionWorker {
  readonly #options: InstructionWorkerOptions;
  readonly #deps: InstructionWorkerDependencies;
  readonly #stopping = new AbortController();
  #worker: Worker | undefined;

  constructor(options: InstructionWorkerOptions, dependencies: InstructionWorkerDependencies) {
    this.#options = options;
    this.#deps = dependencies;
    // Every job underway listens, some at two places at once.
    setMaxListeners(LISTENERS_PER_JOB * options.concurrency, this.#stopping.signal);
  }

  async start(): Promise<void> {
    const { network, concurrency, retry, lockMs, prefix } = this.#options;
    const { connection, log, metrics, random } = this.#deps;
    const queue = instructionQueue(network);
    const worker = new Worker(queue, (job: Job, token?: string) => this.process(job, token), {
      connection,
      concurrency,
      lockDuration: lockMs,
      stalledInterval: lockMs,
      maxStalledCount: MAX_STALLS,
      settings: { backoffStrategy: backoffStrategy(retry, random) },
      ...(prefix === undefined ? {} : { prefix }),
    });
    worker.on('error', (error: Error & { code?: string }) =>
      log.warn({ queue, code: error.code ?? error.name }, 'worker'),
    );
    worker.on('stalled', () => metrics.attempt('stalled'));
    this.#worker = worker;
    await worker.waitUntilReady();
  }

  /** Takes no new jobs, lets those underway come to a point where nothing is lost, and ends. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#worker?.close();
  }

  /** The processor: maps an outcome onto what BullMQ does with the job. */
  async process(job: Job, token?: string): Promise<{ result: string }> {
    applyRetryPolicy(job, this.#options.retry);
    const outcome = await this.#attempt(job);
    const { metrics, log } = this.#deps;
    switch (outcome.type) {
      case 'done':
        metrics.attempt('completed');
        metrics.completed(outcome.result);
        log.info({ jobId: job.id, result: outcome.result }, 'instruction done');
        return { result: outcome.result };
      case 'handed-over':
        return this.#handOver(job, token);
      case 'later':
        metrics.attempt('failed');
        log.warn({ jobId: job.id, code: outcome.code, attempt: job.attemptsMade + 1 }, 'instruction not done yet');
        throw new RelayError(outcome.code, outcome.words);
      case 'never':
        metrics.attempt('failed');
        metrics.refused(outcome.code);
        log.warn({ jobId: job.id, code: outcome.code }, 'instruction refused');
        throw new UnrecoverableError(`${outcome.code}: ${outcome.words}`);
    }
  }

  async #attempt(job: Job): Promise<RelayOutcome> {
    try {
      return await this.#deps.relay.attempt(job.id ?? '', job.data, this.#stopping.signal);
    } catch (error) {
      // A bug of ours. Its message could hold anything, so that only its name goes further.
      const name = error instanceof Error ? error.name : 'unknown';
      this.#deps.log.error({ jobId: job.id, name, at: ownFrame(error) }, 'relay failed unexpectedly');
      return { type: 'later', code: 'CONNECTOR_FAULT', words: `the connector failed unexpectedly (${name})` };
    }
  }

  async #handOver(job: Job, token?: string): Promise<never> {
    const { handOverMs, maxHandOvers } = this.#options;
    const handOvers = job.attemptsStarted - job.attemptsMade;
    if (handOvers > maxHandOvers && !this.#stopping.signal.aborted) {
      this.#deps.metrics.attempt('failed');
      throw new RelayError('LEDGER_NOT_FINAL', 'the ledger took the instruction and does not make it final');
    }
    this.#deps.metrics.attempt('handed-over');
    await job.moveToDelayed(this.#deps.now() + handOverMs, token);
    throw new DelayedError();
  }
}

/** What stands in the failed set: a code and words. */
export class RelayError extends Error {
  override readonly name = 'RelayError';
  readonly code: string;

  constructor(code: string, words: string) {
    super(`${code}: ${words}`);
    this.code = code;
  }
}

/** The first line of a stack that names a place, without the message. */
function ownFrame(error: unknown): string | undefined {
  const stack = error instanceof Error ? error.stack : undefined;
  return stack
    ?.split('\n')
    .find((line) => /^\s+at /.test(line))
    ?.trim();
}
