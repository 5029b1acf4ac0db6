import { readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const LOCK_POLL_MS = 500;

export class CacheLockError extends Error {
  override readonly name = 'CacheLockError';
  readonly code = 'CACHE_LOCK_HELD' as const;
}

/**
 * Does `work` while no other process does what the same file stands for. Two that find a dead holder at once may both
 * work: so each must work in a folder of its own, and put what it made into place by renaming.
 * @throws CacheLockError when another process holds it for longer than `waitMs`; else what `work` throws.
 */
export async function withCacheLock<T>(file: string, waitMs: number, work: () => Promise<T>): Promise<T> {
  const deadlineMs = performance.now() + waitMs;
  while (!(await takeLock(file))) {
    if (performance.now() > deadlineMs) {
      throw new CacheLockError(`another process holds ${file}; remove it if none is at work`);
    }
    await delay(LOCK_POLL_MS);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function takeLock(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  const holder = Number(await readFile(file, 'utf8').catch(() => ''));
  if (holder > 0 && !isAlive(holder)) await rm(file, { force: true });
  return false;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasCode(error, 'ESRCH');
  }
}

function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
