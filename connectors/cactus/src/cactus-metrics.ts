/** Prometheus metrics under Cactus's names, and of this server's own. Labels are operations and codes, nothing else. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

const BUCKETS = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export class CactusMetrics {
  readonly registry: Registry = new Registry();
  readonly #transactions = new Map<string, Gauge>();
  readonly #requests: Counter;
  readonly #seconds: Histogram;

  /** @param dialects what is served, by the words in the names of Cactus's connectors */
  constructor(dialects: readonly string[]) {
    const registers = [this.registry];
    for (const dialect of dialects) {
      const name = `cactus_${dialect}_total_tx_count`;
      const total = new Gauge({ name, help: 'Total transactions executed', labelNames: ['type'], registers });
      total.set({ type: name }, 0);
      this.#transactions.set(dialect, total);
    }
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
  }

  /** One that the ledger took, by whichever operation. */
  transaction(dialect: string): void {
    this.#transactions.get(dialect)?.inc({ type: `cactus_${dialect}_total_tx_count` });
  }

  request(dialect: string, operation: string, code: string, durationMs: number): void {
    this.#requests.inc({ dialect, operation, code });
    this.#seconds.observe({ dialect, operation }, durationMs / 1_000);
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }
}
