/** Time, turns and randomness of a node, together, so that a simulation can give its own for all of them. */
import { immediateTurns, intervalTicker, systemClock, systemEntropy } from '../consensus/node-host.ts';
import type { Ticker, TurnScheduler } from '../consensus/ports.ts';
import type { Clock, Entropy } from '../consensus/wasi-shim.ts';
import { systemTimers, type Timers } from './timers.ts';

export type NodeHost = Readonly<{
  /** Unix ms; may jump. */
  nowMs: () => number;
  /** Never goes back, ms from any start. */
  monotonicMs: () => number;
  timers: Timers;
  ticker: Ticker;
  scheduler: TurnScheduler;
  clock: Clock;
  entropy: Entropy;
}>;

/** Of one tick of Raft, in ms. */
export const TICK_MS = 50;

export const systemHost = (nowMs: () => number = Date.now, tickMs: number = TICK_MS): NodeHost => ({
  nowMs,
  monotonicMs: () => performance.now(),
  timers: systemTimers,
  ticker: intervalTicker(tickMs),
  scheduler: immediateTurns,
  clock: systemClock,
  entropy: systemEntropy,
});
