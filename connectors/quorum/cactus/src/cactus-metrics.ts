/** Prometheus metrics under Cactus's names, and of this server's own. Labels are operations and codes, nothing else. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Dialect } from './operations.ts';

const BUCKETS = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export class CactusMetrics {
  readonly registry: Registry = new Registry();
  readonly #transactions: Readonly<Record<Dialect, Gauge>>;
  readonly #counts: Record<Dialect, number> = { quorum: 0, besu: 0 };
  readonly #requests: Counter;
  readonly #seconds: Histogram;
  readonly #watchers: Gauge;

  constructor() {
    const registers = [this.registry];
    const total = (name: string) =>
      new Gauge({ name, help: 'Total transactions executed', labelNames: ['type'], registers });
    this.#transactions = { quorum: total('cactus_quorum_total_tx_count'), besu: total('cactus_besu_total_tx_count') };
    this.#requests = new Counter({
      name: 'drawbridge_cactus_requests_total',
      help: 'Requests answered, by operation and code',
      labelNames: ['dialect', 'operation', 'code'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'drawbridge_cactus_request_seconds',
      help: 'Duration of requests',
      labelNames: ['dialect', 'operation'],
      buckets: BUCKETS,
      registers,
    });
    this.#watchers = new Gauge({ name: 'drawbridge_cactus_watchers', help: 'Sockets that watch blocks', registers });
    for (const dialect of ['quorum', 'besu'] as const) this.#show(dialect);
  }

  /** One that the chain took, by whichever operation. */
  transaction(dialect: Dialect): void {
    this.#counts[dialect] += 1;
    this.#show(dialect);
  }

  request(dialect: Dialect, operation: string, code: string, durationMs: number): void {
    this.#requests.inc({ dialect, operation, code });
    this.#seconds.observe({ dialect, operation }, durationMs / 1_000);
  }

  watchers(count: number): void {
    this.#watchers.set(count);
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }

  #show(dialect: Dialect): void {
    this.#transactions[dialect].set({ type: `cactus_${dialect}_total_tx_count` }, this.#counts[dialect]);
  }
}
