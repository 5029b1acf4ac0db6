/** Bounds on the work that is taken on: requests under way at once, and requests begun in one second. */

export type Admission = Readonly<{
  /** `admitted` must be ended by one `leave`. */
  enter: () => 'admitted' | 'OVERLOADED' | 'TOO_MANY_REQUESTS';
  leave: () => void;
}>;

export function admission(
  limits: Readonly<{ concurrency: number; requestsPerSecond: number }>,
  nowMs: () => number,
): Admission {
  let underWay = 0;
  let tokens = limits.requestsPerSecond;
  let filledMs = nowMs();
  return {
    enter: () => {
      const now = nowMs();
      tokens = Math.min(limits.requestsPerSecond, tokens + ((now - filledMs) * limits.requestsPerSecond) / 1_000);
      filledMs = now;
      if (underWay >= limits.concurrency) return 'OVERLOADED';
      if (tokens < 1) return 'TOO_MANY_REQUESTS';
      tokens -= 1;
      underWay += 1;
      return 'admitted';
    },
    leave: () => {
      underWay -= 1;
    },
  };
}
