/** Time, randomness and turns of a running process. */
import { randomFillSync } from 'node:crypto';
import type { Ticker, TurnScheduler } from './ports.ts';
import type { Clock, Entropy } from './wasi-shim.ts';

export const systemClock: Clock = { nowNs: () => process.hrtime.bigint() };

export const systemEntropy: Entropy = {
  fill(target) {
    randomFillSync(target);
  },
};

/** Ticks that a busy process missed are not made up for. */
export function intervalTicker(tickMs: number): Ticker {
  return {
    start(onTick) {
      const timer = setInterval(onTick, tickMs);
      return () => clearInterval(timer);
    },
  };
}

export const immediateTurns: TurnScheduler = {
  defer(turn) {
    setImmediate(turn);
  },
};
