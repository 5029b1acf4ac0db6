import { setTimeout as delay } from 'node:timers/promises';

const POLL_INTERVAL_MS = 50;

/** Something that was waited for and did not come about in time; `what` is in the message. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
  readonly code = 'DEADLINE_PASSED' as const;
}

/**
 * Asks every 50 ms until the answer is yes; an exception means "not yet" and is the cause of the error if it stays so.
 * @throws DeadlineError
 */
export async function until(what: string, deadlineMs: number, condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    const met = await condition().catch((error: unknown) => {
      last = error;
      return false;
    });
    if (met) return;
    if (performance.now() > end) throw new DeadlineError(`not within ${deadlineMs} ms: ${what}`, { cause: last });
    await delay(POLL_INTERVAL_MS);
  }
}
