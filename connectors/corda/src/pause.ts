import { setTimeout as delay } from 'node:timers/promises';

/** False when the signal came before the time was over. */
export async function pauseUnlessAborted(ms: number, signal: AbortSignal): Promise<boolean> {
  return delay(ms, true, { signal }).catch(() => false);
}
