/** How often and how far apart a worker tries a job: exponential, with jitter, up to a longest pause. */
import type { Job } from 'bullmq';

export type RetryPolicy = Readonly<{
  /** Attempts of a job, whatever its queue said; 1 is never again. */
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

/** What a job says of itself in Redis, where anybody who can write there can change it. */
type Claims = Pick<Job, 'opts' | 'attemptsMade' | 'attemptsStarted'>;

/**
 * Makes BullMQ go by the worker's policy: number of attempts, pauses (its exponential back-off knows no longest one), and
 * that what failed stays to be seen. Nothing of that is taken from the job. Its counters are BullMQ's own, and cannot be
 * kept elsewhere; ones that no queue has written make this attempt its last, so that none goes on without end.
 */
export function applyRetryPolicy(job: Claims, policy: RetryPolicy): void {
  const { attemptsMade, attemptsStarted } = job;
  const sound = isCount(attemptsMade) && isCount(attemptsStarted) && attemptsStarted > attemptsMade;
  if (!sound) {
    job.attemptsMade = policy.attempts;
    job.attemptsStarted = Number.MAX_SAFE_INTEGER;
  }
  job.opts = { attempts: policy.attempts, backoff: { type: STRATEGY }, removeOnFail: false, ...keptOf(job.opts) };
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;

/** How many completed jobs stay is the queue's to say: it costs memory of Redis and nothing else. */
const keptOf = ({ removeOnComplete }: Job['opts']): Pick<Job['opts'], 'removeOnComplete'> =>
  removeOnComplete === undefined ? {} : { removeOnComplete };

/** For a BullMQ worker's `settings.backoffStrategy`. */
export function backoffStrategy(policy: RetryPolicy, random: () => number): (attemptsMade: number) => number {
  return (attemptsMade) => pauseMs(policy, attemptsMade, random());
}
