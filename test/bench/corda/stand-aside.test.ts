import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { constants, getPriority } from 'node:os';
import { afterEach, expect, it } from '@jest/globals';
import { standAside } from './stand-aside.ts';

const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

/** A session of its own, as every process of the system has. */
async function started(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1_000); console.log()'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  children.push(child);
  await once(child.stdout, 'data');
  if (child.pid === undefined) throw new Error('it did not start');
  return child.pid;
}

/** Nothing where the kernel ranks no sessions. */
const sessionNice = (pid: number): Promise<string | undefined> =>
  readFile(`/proc/${pid}/autogroup`, 'utf8').then(
    (text) => /nice (-?\d+)/.exec(text)?.[1],
    () => undefined,
  );

it('lowers processes and their sessions, one after another', async () => {
  const pids = [await started(), await started()];
  const ranked = (await sessionNice(pids[0] ?? 0)) !== undefined;
  await standAside(pids);
  for (const pid of pids) {
    expect(getPriority(pid)).toBe(constants.priority.PRIORITY_LOW);
    if (ranked) expect(await sessionNice(pid)).toBe('19');
  }
});

it('passes over a process that has ended', async () => {
  const pid = await started();
  const [child] = children.splice(0);
  child?.kill('SIGKILL');
  if (child) await once(child, 'exit');
  await expect(standAside([pid])).resolves.toBeUndefined();
});
