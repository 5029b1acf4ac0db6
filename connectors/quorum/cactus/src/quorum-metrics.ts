/** Cactus's metrics of the two EVM dialects, and who watches blocks. */
import { CactusMetrics } from '@drawbridge/connector-cactus/cactus-metrics';
import { Gauge } from 'prom-client';

export class QuorumMetrics extends CactusMetrics {
  readonly #watchers: Gauge;

  constructor() {
    super(['quorum', 'besu']);
    const registers = [this.registry];
    this.#watchers = new Gauge({ name: 'drawbridge_cactus_watchers', help: 'Sockets that watch blocks', registers });
  }

  watchers(count: number): void {
    this.#watchers.set(count);
  }
}
