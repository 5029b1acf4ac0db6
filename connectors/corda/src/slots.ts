/** A number of places, taken in the order of asking. */
export class Slots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** False when the signal came first. Who got a place gives it back by `release`. */
  async take(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    if (this.#free > 0) {
      this.#free -= 1;
      return true;
    }
    return new Promise((resolve) => {
      const onAbort = (): void => {
        this.#waiting.delete(given);
        resolve(false);
      };
      const given = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve(true);
      };
      this.#waiting.add(given);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  release(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
