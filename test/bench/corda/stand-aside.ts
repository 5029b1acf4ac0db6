/**
 * Lets processes of the networks have what is left of the processor. On a machine for each party they would not be in the way of
 * what is ours; on one machine for all, what is ours would wait for them to the end of their turns, and that be counted as ours.
 */
import { readdir, writeFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';

const LOWEST = constants.priority.PRIORITY_LOW;

/** Says whether the system could be told so. What they start later goes with them. */
export async function standAside(pids: readonly number[]): Promise<boolean> {
  const done = await Promise.all(pids.map(one));
  return done.every(Boolean);
}

async function one(pid: number): Promise<boolean> {
  try {
    // Linux ranks threads. It has priorities of sessions as well, which count alone between one session and another, where it has any.
    const threads = await readdir(`/proc/${pid}/task`).catch(() => [String(pid)]);
    for (const thread of threads) setPriority(Number(thread), LOWEST);
    await writeFile(`/proc/${pid}/autogroup`, String(LOWEST)).catch(unlessAbsent);
    return true;
  } catch {
    return false;
  }
}

function unlessAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
