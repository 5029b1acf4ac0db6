/** Time that a test moves: timers fire when it is advanced, in order. */
import type { Timers } from '../timers.ts';

type Timer = { readonly atMs: number; readonly call: () => void; cancelled: boolean };

export class ManualTimers implements Timers {
  nowMs = 0;
  #timers: Timer[] = [];

  after(ms: number, call: () => void): () => void {
    const timer: Timer = { atMs: this.nowMs + ms, call, cancelled: false };
    this.#timers.push(timer);
    return () => {
      timer.cancelled = true;
    };
  }

  advance(ms: number): void {
    const until = this.nowMs + ms;
    for (;;) {
      const due = this.#timers.filter(({ cancelled, atMs }) => !cancelled && atMs <= until);
      const next = due.sort((a, b) => a.atMs - b.atMs)[0];
      if (!next) break;
      next.cancelled = true;
      this.nowMs = next.atMs;
      next.call();
    }
    this.#timers = this.#timers.filter(({ cancelled }) => !cancelled);
    this.nowMs = until;
  }
}
