/** What operators watch of the comparison between the core's books and the node. Labels are assets and codes. */
import type { NetworkId } from '@drawbridge/protocol/ids';
import { Counter, Gauge, type Registry } from 'prom-client';

export class FollowerMetrics {
  readonly #network: NetworkId;
  readonly #owed: Gauge;
  readonly #unexplained: Gauge;
  readonly #compared: Gauge;
  readonly #unprovable: Counter;

  constructor(network: NetworkId, registry: Registry) {
    this.#network = network;
    const metric = (name: string, help: string, label: string) => ({
      name: `drawbridge_connector_${name}`,
      help,
      labelNames: ['network', label],
      registers: [registry],
    });
    this.#owed = new Gauge(metric('owed_transactions', 'Transactions that the core has not booked', 'asset'));
    this.#unexplained = new Gauge(metric('unexplained_states', 'Booked states that the node cannot explain', 'asset'));
    this.#compared = new Gauge(metric('compared_states', 'States in the last comparison, of book and node', 'asset'));
    this.#unprovable = new Counter(
      metric('unprovable_total', 'Transactions for which the agent has no evidence', 'code'),
    );
  }

  compared(asset: string, counts: Readonly<{ owed: number; unexplained: number; compared: number }>): void {
    this.#owed.set({ network: this.#network, asset }, counts.owed);
    this.#unexplained.set({ network: this.#network, asset }, counts.unexplained);
    this.#compared.set({ network: this.#network, asset }, counts.compared);
  }

  unprovable(code: string): void {
    this.#unprovable.inc({ network: this.#network, code });
  }
}
