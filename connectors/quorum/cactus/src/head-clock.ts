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

  /** The height that was last seen, while somebody listens. */
  get seen(): number | undefined {
    return this.#height;
  }

  /** Tells what every look saw; the answer ends it. */
  subscribe(listener: (turn: HeadTurn) => void): () => void {
    this.#listeners.add(listener);
    this.#schedule();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  /**
   * Resolves once the height is another than `known`, or `false` after `timeoutMs`. With what `seen` said before asking
   * the node for something, no block that came meanwhile is missed.
   */
  changedSince(known: number | undefined, timeoutMs: number): Promise<boolean> {
    if (this.#height !== undefined && this.#height !== known) return Promise.resolve(true);
    return new Promise((resolve) => {
      const finish = (outcome: boolean): void => {
        clearTimeout(timer);
        end();
        resolve(outcome);
      };
      const timer = setTimeout(() => finish(false), Math.max(0, timeoutMs));
      const end = this.subscribe((turn) => {
        if ('height' in turn && turn.height !== known) finish(true);
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
      (height): HeadTurn => {
        this.#failures = 0;
        this.#height = height;
        return { height };
      },
      (): HeadTurn => {
        this.#failures += 1;
        return { failures: this.#failures };
      },
    );
    this.#looking = false;
    if (this.#listeners.size === 0) this.#stop();
    for (const listener of [...this.#listeners]) listener(turn);
    this.#schedule();
  }
}
