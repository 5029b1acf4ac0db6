import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { type ManagedProcess, type ProcessOptions, startProcess } from './child-process.ts';
import { sourceProgram } from './source-program.ts';

jest.setTimeout(60_000);

let dir: string;
const started: ManagedProcess[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-child-'));
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((child) => child.kill9()));
  await rm(dir, { recursive: true });
});

/** Starts a one-line Node program; it lives until it is ended. */
async function start(program: string, options: Partial<ProcessOptions> = {}): Promise<ManagedProcess> {
  const child = await startProcess({
    name: 'program',
    command: process.execPath,
    args: ['-e', `setInterval(() => {}, 1000); ${program}`],
    ready: { line: /^ready/ },
    ...options,
  });
  started.push(child);
  return child;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'ESRCH' });
    return false;
  }
}

async function until(condition: () => boolean, deadlineMs = 10_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms`);
    await delay(10);
  }
}

test('a line of output makes it ready, and SIGTERM ends it', async () => {
  const child = await start(`console.log('starting'); console.error('ready at 17')`);
  expect(child.readyWith).toBe('ready at 17');
  expect(child.running()).toBe(true);
  expect(child.recentOutput()).toContain('starting');
  expect(await child.stop()).toEqual({ code: null, signal: 'SIGTERM' });
  expect(child.running()).toBe(false);
  expect(await child.stop()).toEqual({ code: null, signal: 'SIGTERM' });
  expect(exists(child.pid)).toBe(false);
});

test('output after the ready line still reaches the memory and the log file', async () => {
  const logFile = join(dir, 'program.log');
  const child = await start(
    `process.on('SIGTERM', () => { console.log('x'.repeat(200000)); console.log('last words'); process.exit(3) }); console.log('ready')`,
    { logFile },
  );
  expect(await child.stop()).toEqual({ code: 3, signal: null });
  expect(child.recentOutput()).toHaveLength(64 * 1024);
  expect(child.recentOutput()).toContain('last words');
  expect(await readFile(logFile, 'utf8')).toMatch(/^ready\nx{200000}\nlast words\n$/);
  expect((await stat(logFile)).mode & 0o777).toBe(0o600);
});

test('a message makes it ready, and messages go the other way', async () => {
  const child = await start(
    `process.send({ noise: 1 }); process.send({ port: 17 }); process.on('message', (m) => process.exit(m.code))`,
    { ready: { message: (message) => typeof message === 'object' && message !== null && 'port' in message } },
  );
  expect(child.readyWith).toEqual({ port: 17 });
  child.send({ code: 9 });
  expect(await child.exited).toEqual({ code: 9, signal: null });
});

test('a poll makes it ready, exceptions meaning not yet', async () => {
  const answers = [() => Promise.reject(new Error('refused')), async () => false, async () => true];
  const pids: number[] = [];
  const child = await start('', {
    ready: {
      poll: (pid) => {
        pids.push(pid);
        return answers[pids.length - 1]?.() ?? Promise.resolve(false);
      },
    },
  });
  expect(pids).toEqual([child.pid, child.pid, child.pid]);
});

test('what ends before it is ready is reported with its last words', async () => {
  const failing = start(`console.error('port is taken'); process.exit(4)`);
  await expect(failing).rejects.toMatchObject({
    name: 'ProcessError',
    code: 'PROCESS_EXITED_EARLY',
    message: 'program ended (exit code 4) before it was ready; it last said:\nport is taken',
    output: 'port is taken\n',
  });
});

test('what is not ready in time is killed', async () => {
  const pids: number[] = [];
  const poll = async (pid: number) => {
    pids.push(pid);
    return false;
  };
  const slow = start(`process.on('SIGTERM', () => {})`, { ready: { poll }, readyTimeoutMs: 200 });
  await expect(slow).rejects.toMatchObject({ code: 'PROCESS_NOT_READY' });
  expect(exists(pids[0] ?? 0)).toBe(false);
});

test('a program that does not exist is an error in words', async () => {
  const missing = startProcess({ name: 'ghost', command: '/nonexistent/ghost', args: [], ready: { line: /x/ } });
  await expect(missing).rejects.toMatchObject({
    code: 'PROCESS_SPAWN_FAILED',
    message: expect.stringContaining('ghost could not be started as /nonexistent/ghost'),
    cause: { code: 'ENOENT' },
  });
});

test('what ignores SIGTERM is killed after the bound', async () => {
  const child = await start(`process.on('SIGTERM', () => console.log('no')); console.log('ready')`, {
    stopTimeoutMs: 100,
  });
  expect(await child.stop()).toEqual({ code: null, signal: 'SIGKILL' });
  expect(child.recentOutput()).toContain('no');
});

test('a Ctrl-C at the terminal of the parent does not reach it', async () => {
  const child = await start(`console.log('ready')`);
  // A terminal signals a process group: there is one by the child's own number, so it is not in ours.
  expect(exists(-child.pid)).toBe(true);
});

test('kill9 ends also a stopped process', async () => {
  const child = await start(`console.log('ready')`);
  child.signal('SIGSTOP');
  expect(await child.kill9()).toEqual({ code: null, signal: 'SIGKILL' });
});

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'children end with a parent that ends by %s',
  async (signal) => {
    const parentFile = join(dir, 'parent.ts');
    const childProcess = fileURLToPath(new URL('./child-process.ts', import.meta.url));
    const child = (program: string) =>
      `await startProcess({ name: 'c', command: process.execPath, args: ['-e', ${JSON.stringify(program)}], ready: { line: /ready/ } })`;
    await writeFile(
      parentFile,
      `import { startProcess } from ${JSON.stringify(childProcess)};
     async function main() {
       const gentle = ${child(`console.log('ready'); setInterval(() => {}, 1000)`)};
       const stubborn = ${child(`process.on('SIGTERM', () => {}); console.log('ready'); setInterval(() => {}, 1000)`)};
       const gone = ${child(`console.log('ready'); setInterval(() => {}, 1000)`)};
       await gone.stop();
       console.log([gentle.pid, stubborn.pid].join(' '));
     }
     void main();`,
    );
    const { command, args } = sourceProgram(parentFile);
    const parent = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(createInterface({ input: parent.stdout }), 'line');
    const pids = String(line).split(' ').map(Number);
    expect(pids.every(exists)).toBe(true);
    parent.kill(signal);
    await until(() => !pids.some(exists));
  },
  20_000,
);
