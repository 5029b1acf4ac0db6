/** The chain's height, asked once for all who wait for it, and only while somebody does. */
import type { EthereumRpc } from './ethereum-rpc.ts';
import { jsonNumber } from './quantities.ts';

export type HeadClockOptions = Readonly<{ pollMs: number }>;
/** `failures` counts the looks in a row that got no answer. */
export type HeadTurn = Readonly<{ height: number }> | Readonly<{ failures: number }>;

export class HeadClock {
  readonly #pollMs: number;
  readonly #rpc: EthereumRpc;
  readonly #listeners = new Set<(turn: HeadTurn) => void>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #height: number | undefined;
  #failures = 0;

  constructor(options: HeadClockOptions, rpc: EthereumRpc) {
    this.#pollMs = options.pollMs;
    this.#rpc = rpc;
  }

  /** @throws CactusError LEDGER_UNAVAILABLE */
  async height(): Promise<number> {
    return jsonNumber(await this.#rpc.ask('eth_blockNumber'), 'block number');
  }

  /** Tells of every change of height, and of failures; the answer ends it. */
  subscribe(listener: (turn: HeadTurn) => void): () => void {
    this.#listeners.add(listener);
    this.#schedule();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  /** Resolves at the next change of height, or `false` after `timeoutMs`. */
  changed(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (outcome: boolean): void => {
        clearTimeout(timer);
        end();
        resolve(outcome);
      };
      const timer = setTimeout(() => finish(false), Math.max(0, timeoutMs));
      const end = this.subscribe((turn) => {
        if ('height' in turn) finish(true);
      });
    });
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#height = undefined;
    this.#failures = 0;
  }

  #schedule(): void {
    if (this.#timer === undefined && !this.#looking && this.#listeners.size > 0)
      this.#timer = setTimeout(() => void this.#look(), this.#pollMs);
  }

  async #look(): Promise<void> {
    this.#timer = undefined;
    this.#looking = true;
    const turn = await this.height().then(
      (height): HeadTurn | undefined => {
        this.#failures = 0;
        if (height === this.#height) return undefined;
        this.#height = height;
        return { height };
      },
      (): HeadTurn => {
        this.#failures += 1;
        return { failures: this.#failures };
      },
    );
    this.#looking = false;
    if (turn) for (const listener of [...this.#listeners]) listener(turn);
    this.#schedule();
  }
}
