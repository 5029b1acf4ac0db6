/** What operators watch, in Prometheus form. Labels are queue names and results; never a party, an id or an amount. */
import type { NetworkId } from '@drawbridge/protocol/ids';
import type { Queue } from 'bullmq';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface PumpMetrics {
  offered(network: NetworkId, count: number): void;
  failed(network: NetworkId): void;
}
export interface CourierMetrics {
  /** `ageMs`: from the job's creation to the core's answer. */
  answered(network: NetworkId, result: string, ageMs: number): void;
}

const STATES = ['waiting', 'active', 'delayed', 'completed', 'failed', 'prioritized'] as const;
/** Seconds: from our own milliseconds to a network's minutes. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export class HubMetrics implements PumpMetrics, CourierMetrics {
  readonly registry: Registry = new Registry();
  readonly #offered: Counter;
  readonly #pumpFailures: Counter;
  readonly #answers: Counter;
  readonly #stageSeconds: Histogram;
  readonly #attempts: Counter;
  readonly #depth: Gauge;
  readonly #oldestSeconds: Gauge;

  constructor() {
    const registers = [this.registry];
    const metric = (name: string, help: string, labelNames: string[]) => ({ name, help, labelNames, registers });
    collectDefaultMetrics({ register: this.registry, prefix: 'drawbridge_hub_' });
    this.#offered = new Counter(
      metric('drawbridge_instructions_offered_total', 'Instructions taken from the outbox and offered to the queue', [
        'network',
      ]),
    );
    this.#pumpFailures = new Counter(
      metric('drawbridge_outbox_failures_total', 'Looks at the outbox that failed', ['network']),
    );
    this.#answers = new Counter(
      metric('drawbridge_evidence_answers_total', "The core's answers to evidence", ['network', 'result']),
    );
    this.#stageSeconds = new Histogram({
      ...metric('drawbridge_stage_seconds', 'Time from a job being queued to the end of a stage', ['queue', 'stage']),
      buckets: BUCKETS,
    });
    this.#attempts = new Counter(
      metric('drawbridge_job_attempts_total', 'Attempts at jobs, by outcome', ['queue', 'outcome']),
    );
    this.#depth = new Gauge(metric('drawbridge_queue_depth', 'Jobs by state', ['queue', 'state']));
    this.#oldestSeconds = new Gauge(
      metric('drawbridge_queue_oldest_seconds', 'Age of the oldest job that is not done', ['queue']),
    );
  }

  offered(network: NetworkId, count: number): void {
    this.#offered.inc({ network }, count);
  }

  failed(network: NetworkId): void {
    this.#pumpFailures.inc({ network });
  }

  answered(network: NetworkId, result: string, ageMs: number): void {
    this.#answers.inc({ network, result });
    this.stage(`evidence.${network}`, result, ageMs);
  }

  stage(queue: string, stage: string, ageMs: number): void {
    this.#stageSeconds.observe({ queue, stage }, Math.max(0, ageMs) / 1_000);
  }

  attempt(queue: string, outcome: 'completed' | 'failed' | 'stalled'): void {
    this.#attempts.inc({ queue, outcome });
  }

  /** Reads depth and age from the queues; called when somebody scrapes. */
  async sample(queues: readonly Queue[], nowMs: number): Promise<void> {
    await Promise.all(
      queues.map(async (queue) => {
        const counts = await queue.getJobCounts(...STATES);
        for (const state of STATES) this.#depth.set({ queue: queue.name, state }, counts[state] ?? 0);
        // The oldest of each list is at its far end; the failed set waits for an operator, so it counts as not done.
        const oldest = await queue.getJobs(['waiting', 'active', 'delayed', 'failed'], 0, 0, true);
        const since = Math.min(...oldest.map((job) => job?.timestamp ?? nowMs), nowMs);
        this.#oldestSeconds.set({ queue: queue.name }, (nowMs - since) / 1_000);
      }),
    );
  }
}
