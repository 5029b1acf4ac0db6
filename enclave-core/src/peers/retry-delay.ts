/** Pauses between attempts: doubled after each failure up to a bound, and spread by half so that nodes do not attempt together. */
import type { Entropy } from '../consensus/wasi-shim.ts';
import type { PeerLimits } from './peer-limits.ts';

export class RetryDelay {
  readonly #limits: Pick<PeerLimits, 'minRetryMs' | 'maxRetryMs'>;
  readonly #entropy: Entropy;
  #nextMs: number;

  constructor(limits: Pick<PeerLimits, 'minRetryMs' | 'maxRetryMs'>, entropy: Entropy) {
    this.#limits = limits;
    this.#entropy = entropy;
    this.#nextMs = limits.minRetryMs;
  }

  /** From half of the pause that is due to one and a half of it. */
  next(): number {
    const draw = new Uint8Array(2);
    this.#entropy.fill(draw);
    const fraction = ((draw[0] ?? 0) * 256 + (draw[1] ?? 0)) / 65_536;
    const delayMs = this.#nextMs * (0.5 + fraction);
    this.#nextMs = Math.min(2 * this.#nextMs, this.#limits.maxRetryMs);
    return delayMs;
  }

  reset(): void {
    this.#nextMs = this.#limits.minRetryMs;
  }
}
