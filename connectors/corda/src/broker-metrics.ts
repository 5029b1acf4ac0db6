/** What operators watch of the line to an agent, beside the metrics of every connector. Labels are queues, verbs and codes. */
import type { NetworkId } from '@drawbridge/protocol/ids';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Seconds: from a query's milliseconds to a flow's minute. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
/** Codes beyond these are an agent's that we do not know. */
const CODE = /^[A-Z_]{1,40}$/;

export class BrokerMetrics {
  readonly #network: NetworkId;
  readonly #connected: Gauge;
  readonly #published: Counter;
  readonly #rejected: Counter;
  readonly #calls: Counter;
  readonly #callSeconds: Histogram;
  readonly #strayReplies: Counter;
  readonly #agents: Gauge;

  constructor(network: NetworkId, registry: Registry) {
    this.#network = network;
    const metric = (name: string, help: string, ...labels: string[]) => ({
      name: `drawbridge_connector_${name}`,
      help,
      labelNames: ['network', ...labels],
      registers: [registry],
    });
    this.#connected = new Gauge(metric('broker_connected', '1 while messages can come and go'));
    this.#published = new Counter(metric('broker_published_total', 'Messages published: first, or again', 'attempt'));
    this.#rejected = new Counter(metric('broker_rejected_total', 'Messages sent to the dead letters', 'queue', 'code'));
    this.#calls = new Counter(
      metric('agent_calls_total', 'Commands to the agent, by how they ended', 'verb', 'result'),
    );
    this.#callSeconds = new Histogram({
      ...metric('agent_call_seconds', 'From a command to its reply', 'verb'),
      buckets: BUCKETS,
    });
    this.#strayReplies = new Counter(metric('agent_stray_replies_total', 'Replies too late, twice, or of others'));
    this.#agents = new Gauge(metric('agents', 'Agents that were heard of lately, by whether their node is up', 'node'));
  }

  connected(up: boolean): void {
    this.#connected.set({ network: this.#network }, up ? 1 : 0);
  }

  published(attempt: 'first' | 'again'): void {
    this.#published.inc({ network: this.#network, attempt });
  }

  rejected(queue: string, code: string): void {
    this.#rejected.inc({ network: this.#network, queue, code });
  }

  called(verb: string, result: string, durationMs: number): void {
    this.#calls.inc({ network: this.#network, verb, result: CODE.test(result) ? result : 'ok' });
    this.#callSeconds.observe({ network: this.#network, verb }, durationMs / 1_000);
  }

  strayReply(): void {
    this.#strayReplies.inc({ network: this.#network });
  }

  agents(up: number, down: number): void {
    this.#agents.set({ network: this.#network, node: 'up' }, up);
    this.#agents.set({ network: this.#network, node: 'down' }, down);
  }
}
