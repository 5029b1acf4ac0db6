/** Timers that a test advances. */
import type { PeerTimers } from '../peer-timers.ts';

type Timer = { dueMs: number; everyMs: number | null; run: () => void };

export class ManualTimers implements PeerTimers {
  readonly #timers = new Set<Timer>();
  nowMs = 0;

  after(ms: number, run: () => void): () => void {
    return this.#add({ dueMs: this.nowMs + ms, everyMs: null, run });
  }

  every(ms: number, run: () => void): () => void {
    return this.#add({ dueMs: this.nowMs + ms, everyMs: ms, run });
  }

  /** Runs what falls due, in order. */
  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    for (let next = this.#next(endMs); next; next = this.#next(endMs)) {
      this.nowMs = next.dueMs;
      if (next.everyMs === null) this.#timers.delete(next);
      else next.dueMs += next.everyMs;
      next.run();
    }
    this.nowMs = endMs;
  }

  #next(endMs: number): Timer | undefined {
    return [...this.#timers].filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0];
  }

  #add(timer: Timer): () => void {
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }
}
