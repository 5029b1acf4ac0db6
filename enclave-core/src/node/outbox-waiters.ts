/** Who waits for a network's outbox to grow by what may leave. Networks are those that are registered. */
import type { NetworkId } from '@drawbridge/protocol/ids';
import type { Timers } from './timers.ts';
import { Waiters } from './waiters.ts';

export class OutboxWaiters {
  readonly #timers: Timers;
  readonly #end: (network: NetworkId) => number;
  readonly #byNetwork = new Map<NetworkId, Waiters>();
  #ended = false;

  /** @param end place up to which instructions may leave, as it is */
  constructor(timers: Timers, end: (network: NetworkId) => number) {
    this.#timers = timers;
    this.#end = end;
  }

  /** True when the outbox goes beyond `end`; false when it did not within `waitMs`. */
  async above(network: NetworkId, end: number, waitMs: number): Promise<boolean> {
    if (this.#ended) return this.#end(network) > end;
    const waiters = this.#byNetwork.get(network) ?? new Waiters(this.#timers, () => this.#end(network));
    this.#byNetwork.set(network, waiters);
    return waiters.reach(end + 1, waitMs);
  }

  /** To be called when more may leave. */
  wake(): void {
    for (const waiters of this.#byNetwork.values()) waiters.wake();
  }

  /** Nobody waits any longer, nor will. */
  end(): void {
    this.#ended = true;
    for (const waiters of this.#byNetwork.values()) waiters.end();
  }
}
