/** Who waits for a number that only rises to reach theirs: the applied index, the signed index. Each wait is bounded. */
import type { Timers } from './timers.ts';

type Waiter = Readonly<{ at: number; done: (reached: boolean) => void }>;

export class Waiters {
  readonly #timers: Timers;
  readonly #now: () => number;
  readonly #waiting = new Set<Waiter>();
  #ended = false;

  /** @param now the number as it is */
  constructor(timers: Timers, now: () => number) {
    this.#timers = timers;
    this.#now = now;
  }

  /** True when the number is `at` or above; false when it was not within `timeoutMs`, or never will be. */
  async reach(at: number, timeoutMs: number): Promise<boolean> {
    if (this.#now() >= at) return true;
    if (this.#ended) return false;
    return new Promise((resolve) => {
      const waiter: Waiter = {
        at,
        done: (reached) => {
          this.#waiting.delete(waiter);
          cancel();
          resolve(reached);
        },
      };
      const cancel = this.#timers.after(timeoutMs, () => waiter.done(false));
      this.#waiting.add(waiter);
    });
  }

  /** To be called when the number rose. */
  wake(): void {
    if (this.#waiting.size === 0) return;
    const now = this.#now();
    for (const waiter of this.#waiting) if (waiter.at <= now) waiter.done(true);
  }

  /** Nothing rises any more. */
  end(): void {
    this.#ended = true;
    for (const waiter of this.#waiting) waiter.done(false);
  }
}
