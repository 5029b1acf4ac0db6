/** Turns of a follower, one after another, with pauses between them that the number of failures in a row decides. */
import type { Logger } from 'pino';

export type TurnLoopOptions = Readonly<{
  turn: () => Promise<void>;
  /** Pause before the next turn, in ms, after so many turns in a row have failed. */
  pauseMs: (failures: number) => number;
  /** What is logged of a turn that failed, beside its code. */
  failed: string;
  log: Pick<Logger, 'warn'>;
}>;

export class TurnLoop {
  readonly #options: TurnLoopOptions;
  #state: 'new' | 'running' | 'stopped' = 'new';
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> | undefined;
  #woken = false;
  #failures = 0;

  constructor(options: TurnLoopOptions) {
    this.#options = options;
  }

  /** Turns that failed one after another: 0 is healthy. */
  get failures(): number {
    return this.#failures;
  }

  start(): void {
    this.#state = 'running';
    this.#schedule(0);
  }

  /** The next turn comes at once, or right after the one that runs. */
  wake(): void {
    if (this.#turn) this.#woken = true;
    else this.#schedule(0);
  }

  /** Resolves when the turn that runs has ended; there is no other. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    clearTimeout(this.#timer);
    await this.#turn;
  }

  #schedule(delayMs: number): void {
    if (this.#state !== 'running') return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#turn = this.#run();
    }, delayMs);
  }

  async #run(): Promise<void> {
    const { turn, pauseMs, failed, log } = this.#options;
    this.#woken = false;
    try {
      await turn();
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
      log.warn({ code, failures: this.#failures }, failed);
    }
    this.#turn = undefined;
    this.#schedule(this.#woken ? 0 : pauseMs(this.#failures));
  }
}
