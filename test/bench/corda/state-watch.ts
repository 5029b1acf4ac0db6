/** When a bank's own event stream told it of each state of its payments. */
import type { DrawbridgeClient } from '@drawbridge/client/bank-client';
import type { TransferStateName } from '@drawbridge/protocol/api/transfer';
import type { TransferId } from '@drawbridge/protocol/ids';

/** A payment that ends in one of these will not settle. */
const FAILED: ReadonlySet<TransferStateName> = new Set<TransferStateName>([
  'REJECTED',
  'EXPIRED',
  'CANCELLED',
  'RETURNED',
  'REFUNDED',
]);

export class StateWatch {
  readonly #now: () => number;
  /** By payment: Unix ms at which each state was first heard of. */
  readonly #seen = new Map<TransferId, Map<TransferStateName, number>>();
  readonly #closing = new AbortController();
  readonly #following: Promise<void>;
  #wake: () => void = () => undefined;
  #ended: Error | undefined;

  constructor(client: Pick<DrawbridgeClient, 'followEvents'>, now: () => number) {
    this.#now = now;
    this.#following = this.#follow(client).catch((error: unknown) => {
      this.#ended = error instanceof Error ? error : new Error(String(error));
      this.#wake();
    });
  }

  /** Unix ms of the state, as soon as it is heard of. Throws for a payment that ended otherwise, and after `patienceMs`. */
  async heard(id: TransferId, state: TransferStateName, patienceMs: number): Promise<number> {
    const late = AbortSignal.timeout(patienceMs);
    late.addEventListener('abort', () => this.#wake(), { once: true });
    for (;;) {
      const states = this.#seen.get(id);
      const at = states?.get(state);
      if (at !== undefined) return at;
      const failed = [...(states?.keys() ?? [])].find((name) => FAILED.has(name));
      if (failed !== undefined) throw new Error(`a payment ended ${failed}`);
      if (this.#ended) throw new Error('the event stream ended', { cause: this.#ended });
      if (late.aborted) throw new Error(`a payment was not ${state} after ${patienceMs} ms`);
      await new Promise<void>((resolve) => {
        const others = this.#wake;
        this.#wake = () => {
          others();
          resolve();
        };
      });
    }
  }

  async stop(): Promise<void> {
    this.#closing.abort();
    await this.#following;
  }

  async #follow(client: Pick<DrawbridgeClient, 'followEvents'>): Promise<void> {
    for await (const { transfer } of client.followEvents({ after: 0, signal: this.#closing.signal })) {
      if (!transfer) continue;
      const states = this.#seen.get(transfer.id) ?? new Map<TransferStateName, number>();
      this.#seen.set(transfer.id, states);
      if (!states.has(transfer.state)) states.set(transfer.state, this.#now());
      const wake = this.#wake;
      this.#wake = () => undefined;
      wake();
    }
  }
}
