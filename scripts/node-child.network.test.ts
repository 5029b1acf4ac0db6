import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';

jest.setTimeout(60_000);

const runner = fileURLToPath(new URL('./run-source.mjs', import.meta.url));
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-scripts-'));
});
afterEach(() => rm(dir, { recursive: true }));

type Runner = { parent: ChildProcess; lines: AsyncIterator<string> };

/** Runs a TypeScript program through run-source.mjs; its standard input is no terminal. */
async function run(program: string, ...args: string[]): Promise<Runner> {
  const file = join(dir, 'program.ts');
  await writeFile(file, program);
  const parent = spawn(process.execPath, [runner, file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  return { parent, lines: createInterface({ input: parent.stdout })[Symbol.asyncIterator]() };
}

test('arguments, types and the exit code pass through', async () => {
  const { parent, lines } = await run(
    'const a: string[] = process.argv.slice(2); console.log(a.join()); process.exit(7);',
    '--x',
    'y z',
  );
  expect(await lines.next()).toMatchObject({ value: '--x,y z' });
  expect(await once(parent, 'exit')).toEqual([7, null]);
});

test.each([
  ['SIGTERM', 'process.on("SIGTERM", () => process.exit(5));', 5],
  ['SIGINT', 'process.on("SIGINT", () => process.exit(6));', 6],
  ['SIGTERM', '', 143],
] as const)('%s reaches the program (%s)', async (signal, handler, code) => {
  const { parent, lines } = await run(`${handler} setInterval(() => {}, 1000); console.log('up')`);
  await lines.next();
  parent.kill(signal);
  expect(await once(parent, 'exit')).toEqual([code, null]);
});

test('the program ends when its parent was killed', async () => {
  const { parent, lines } = await run('setInterval(() => {}, 1000); console.log(process.pid)');
  const pid = Number((await lines.next()).value);
  parent.kill('SIGKILL');
  const end = performance.now() + 10_000;
  while (exists(pid)) {
    expect(performance.now()).toBeLessThan(end);
    await delay(10);
  }
});

test('what the program forks keeps its own channel open', async () => {
  const { parent, lines } = await run(`
    import { fork } from 'node:child_process';
    if (process.argv[2] === 'child') {
      process.on('message', (n: number) => (n < 3 ? process.send?.(n + 1) : process.send?.(n, () => process.exit())));
      process.send?.(0);
    } else {
      const child = fork(process.argv[1] ?? '', ['child']);
      let last = -1;
      child.on('message', (n: number) => (n === last ? console.log('over') : child.send((last = n))));
      child.on('exit', () => console.log('ended'));
    }`);
  expect(await lines.next()).toMatchObject({ value: 'over' });
  expect(await once(parent, 'exit')).toEqual([0, null]);
});

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'ESRCH' });
    return false;
  }
}
