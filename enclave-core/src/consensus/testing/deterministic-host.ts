/** Clock and entropy that a seed replays, for tests and simulation. */
import type { Clock, Entropy } from '../wasi-shim.ts';

/** xorshift32: good enough to break ties between elections, and nothing else. */
export function seededEntropy(seed: number): Entropy {
  let state = Math.imul(seed + 1, 2654435761) >>> 0 || 1;
  return {
    fill(target) {
      for (let i = 0; i < target.length; i++) {
        state ^= state << 13;
        state >>>= 0;
        state ^= state >>> 17;
        state = (state ^ (state << 5)) >>> 0;
        target[i] = state & 255;
      }
    },
  };
}

/** Advances by 1 µs each time it is read. */
export function steppingClock(): Clock {
  let now = 0n;
  return {
    nowNs() {
      now += 1000n;
      return now;
    },
  };
}
