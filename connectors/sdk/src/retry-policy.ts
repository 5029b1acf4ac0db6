/** How often and how far apart a worker tries a job: exponential, with jitter, up to a longest pause. */
import type { Job } from 'bullmq';

export type RetryPolicy = Readonly<{
  /** Attempts of a job that its queue gave no number; 1 is never again. */
  attempts: number;
  firstPauseMs: number;
  longestPauseMs: number;
}>;

export const DEFAULT_RETRY: RetryPolicy = { attempts: 12, firstPauseMs: 1_000, longestPauseMs: 300_000 };

/** Name by which BullMQ asks the worker for the pause. */
const STRATEGY = 'drawbridge';

/** Pause in ms after `attemptsMade` attempts: between half of the exponential one and all of it. `random` is in [0, 1). */
export function pauseMs(policy: RetryPolicy, attemptsMade: number, random: number): number {
  const full = Math.min(policy.firstPauseMs * 2 ** Math.min(attemptsMade - 1, 30), policy.longestPauseMs);
  return Math.round(full * (0.5 + random / 2));
}

/**
 * Makes BullMQ take pauses from the worker's own policy, since its exponential back-off knows no longest pause. The
 * number of attempts stays what the queue said, where it said one.
 */
export function applyRetryPolicy(job: Pick<Job, 'opts'>, policy: RetryPolicy): void {
  if ((job.opts.attempts ?? 1) <= 1) job.opts.attempts = policy.attempts;
  job.opts.backoff = { type: STRATEGY };
}

/** For a BullMQ worker's `settings.backoffStrategy`. */
export function backoffStrategy(policy: RetryPolicy, random: () => number): (attemptsMade: number) => number {
  return (attemptsMade) => pauseMs(policy, attemptsMade, random());
}
