/** The height of the chain, read at a set pace while anybody waits for it; many may wait on one question. */
import { setTimeout as delay } from 'node:timers/promises';

export class HeadWatch {
  readonly #read: () => Promise<number>;
  readonly #pollMs: number;
  #reading: Promise<number> | undefined;

  constructor(read: () => Promise<number>, pollMs: number) {
    this.#read = read;
    this.#pollMs = pollMs;
  }

  /** The height now. Questions of the same moment share one answer. */
  async now(): Promise<number> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** The first height above `height`, or `undefined` at the time or the signal. */
  async above(
    height: number,
    limit: { untilMs: number; now: () => number; signal: AbortSignal },
  ): Promise<number | undefined> {
    for (;;) {
      const head = await this.now();
      if (head > height) return head;
      if (limit.signal.aborted || limit.now() >= limit.untilMs) return undefined;
      await delay(this.#pollMs);
    }
  }
}
