/**
 * Lets processes have what the others leave of the processor. On a machine for each party the networks would not be in the way of
 * what is ours; on one machine for all, what is ours waits for them to the end of their turns.
 */
import { readdir, writeFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

const LOWEST = constants.priority.PRIORITY_LOW;
/** Linux lets who is not root change a session's priority ten times a second (kernel/sched/autogroup.c). */
const AGAIN_MS = 150;
const ATTEMPTS = 10;

/** What they start later goes with them. @throws where the system refuses */
export async function standAside(pids: readonly number[]): Promise<void> {
  for (const pid of pids) {
    await lowerSession(pid);
    for (const thread of await threadsOf(pid)) lowerThread(thread);
  }
}

/** Priorities of processes count within a session alone where Linux ranks sessions (sched(7), "The autogroup feature"). */
async function lowerSession(pid: number): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await writeFile(`/proc/${pid}/autogroup`, String(LOWEST));
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // A kernel that ranks none.
      if (code === 'ENOENT') return;
      if (code !== 'EAGAIN' || attempt === ATTEMPTS) throw error;
      await delay(AGAIN_MS);
    }
  }
}

/** Linux gives each thread a priority of its own; elsewhere a process has one. */
const threadsOf = async (pid: number): Promise<number[]> =>
  (await readdir(`/proc/${pid}/task`).catch(() => [String(pid)])).map(Number);

function lowerThread(thread: number): void {
  try {
    setPriority(thread, LOWEST);
  } catch (error) {
    // Threads end.
    if ((error as { info?: { code?: string } }).info?.code !== 'ESRCH') throw error;
  }
}
