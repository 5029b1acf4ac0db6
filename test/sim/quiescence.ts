/**
 * Lets everything that an event set off run to its end before the next event is taken. The code under test uses promises
 * and immediates; both are driven here, and it must use nothing else: a real timer or real I/O would bring real time in.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Turns of the event loop after which something must be going in a circle. */
const MAX_TURNS = 10_000;

/** Node runs all microtasks before it runs an immediate, so when none waits after ours, nothing is left to run. */
const immediatesWait = (): boolean => process.getActiveResourcesInfo().includes('Immediate');

export async function quiescence(): Promise<void> {
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    await nextTurn();
    if (!immediatesWait()) return;
  }
  throw new Error(`something still runs after ${MAX_TURNS} turns of the event loop`);
}

/** File and crypto work of Node's thread pool; in a simulated world there must be none. */
const REAL_WORK = /^(FS|PBKDF2|Scrypt|RandomBytes|HKDF|Sign|KeyPair|Cipher|TCP|GetAddrInfo)/;

/** @throws Error naming what real I/O is under way */
export function assertNothingReal(): void {
  const real = process.getActiveResourcesInfo().filter((name) => REAL_WORK.test(name) && !name.startsWith('TCP'));
  if (real.length > 0) throw new Error(`real work in a simulated world: ${real.join(', ')}`);
}

/**
 * Code under test that yields by the time it took would yield differently in every run: `performance.now` is the world's
 * clock while a world runs. Returns how to put the real one back.
 */
export function replacePerformanceClock(nowMs: () => number): () => void {
  const had = Object.getOwnPropertyDescriptor(performance, 'now');
  Object.defineProperty(performance, 'now', { value: nowMs, configurable: true, writable: true });
  return () => {
    if (had) Object.defineProperty(performance, 'now', had);
    else Reflect.deleteProperty(performance, 'now');
  };
}
