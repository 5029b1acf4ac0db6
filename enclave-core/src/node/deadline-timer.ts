/**
 * Calls when a deadline of the state falls due, by the time that the next entry of the ledger will bear: a host clock may be
 * ahead of it or behind. Looks again at least every ten seconds, since host clocks jump.
 */
import type { Timers } from './timers.ts';

const MAX_WAIT_MS = 10_000;
/** Pause after a call that failed, as where another node leads, or whose entry was stamped before the deadline. */
const RETRY_MS = 1_000;

export type DeadlineTimerDependencies = Readonly<{
  nextDeadlineMs: () => number | undefined;
  /** Time as the ledger should have it now, Unix ms. */
  clockMs: () => number;
  /** Stamp of the newest entry that is applied, Unix ms; no later entry has an earlier one. */
  stampMs: () => number;
  timers: Timers;
  /** Resolves once its effect is applied; rejects if there will be none. */
  onDue: () => Promise<unknown>;
}>;

export class DeadlineTimer {
  readonly #uses: DeadlineTimerDependencies;
  #cancel: (() => void) | undefined;
  #armedForMs: number | undefined;
  #calling = false;
  #stopped = false;

  constructor(dependencies: DeadlineTimerDependencies) {
    this.#uses = dependencies;
  }

  /** To be called after each change of the state; cheap while the next deadline is the same. */
  rearm(): void {
    if (this.#calling || this.#stopped) return;
    const deadlineMs = this.#uses.nextDeadlineMs();
    if (deadlineMs === this.#armedForMs) return;
    this.#armedForMs = deadlineMs;
    this.#cancel?.();
    if (deadlineMs !== undefined) this.#wait(Math.min(Math.max(0, deadlineMs - this.#nowMs()), MAX_WAIT_MS));
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #wait(ms: number): void {
    this.#cancel?.();
    if (!this.#stopped) this.#cancel = this.#uses.timers.after(ms, () => void this.#fire());
  }

  async #fire(): Promise<void> {
    this.#armedForMs = undefined;
    const deadlineMs = this.#uses.nextDeadlineMs();
    if (deadlineMs === undefined || deadlineMs > this.#nowMs()) return this.rearm();
    this.#calling = true;
    const done = await this.#uses.onDue().then(
      () => true,
      () => false,
    );
    this.#calling = false;
    if (done && !this.#isStillAhead(deadlineMs)) this.rearm();
    else this.#wait(RETRY_MS);
  }

  /** One that the ledger's time has reached is still due only where an entry had no room for all that fell due with it. */
  #isStillAhead(deadlineMs: number): boolean {
    return this.#uses.nextDeadlineMs() === deadlineMs && this.#uses.stampMs() < deadlineMs;
  }

  #nowMs(): number {
    return Math.max(this.#uses.clockMs(), this.#uses.stampMs());
  }
}
