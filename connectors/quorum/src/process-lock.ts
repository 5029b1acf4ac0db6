/** A file that one process at a time holds. It names the holder's pid, so that what a crash left does not bar the way. */
import { open, readFile, rm } from 'node:fs/promises';
import { resolve } from 'node:path';

/** Another process holds the lock. */
export class ProcessLockError extends Error {
  override readonly name = 'ProcessLockError';
  readonly code = 'STATE_IN_USE' as const;
}

/** Those of this very process: in containers a new process often has the pid of the one that crashed. */
const heldHere = new Set<string>();

/** @returns how to give it back. @throws ProcessLockError */
export async function lockFile(file: string): Promise<() => Promise<void>> {
  const path = resolve(file);
  for (let attempt = 0; attempt < 2; attempt += 1) {
    if (heldHere.has(path)) break;
    try {
      const handle = await open(path, 'wx', 0o600);
      await handle.writeFile(String(process.pid));
      await handle.close();
      heldHere.add(path);
      return async () => {
        heldHere.delete(path);
        await rm(path, { force: true });
      };
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const holder = Number(await readFile(path, 'utf8').catch(() => ''));
    if (holder !== process.pid && isAlive(holder)) break;
    await rm(path, { force: true });
  }
  throw new ProcessLockError(`${path} is held by another connector: each needs a state folder of its own`);
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
