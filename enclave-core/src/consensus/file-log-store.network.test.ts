import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { killTestEntry } from './testing/kill-test-entry.ts';
import { TemporaryLogs } from './testing/temporary-log.ts';

const KILLS = 10;
const PROGRAM = fileURLToPath(new URL('./testing/append-until-killed.ts', import.meta.url));
const logs = new TemporaryLogs();
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await logs.clean();
});

/** Runs the program until it has made `writes` writes durable, kills it, and gives the last index that it acknowledged. */
async function appendAndKill(
  folder: string,
  seed: number,
  writes: number,
): Promise<{ started: number; durable: number }> {
  const child = spawn(
    process.execPath,
    ['--conditions=drawbridge-source', '--import', 'tsx', PROGRAM, folder, String(seed)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  children.push(child);
  const ended = once(child, 'exit');
  let output = '';
  for await (const chunk of child.stdout) {
    output += String(chunk);
    if (output.split('durable').length > writes) child.kill('SIGKILL');
  }
  await ended;
  const complete = output.slice(0, output.lastIndexOf('\n')).split('\n');
  const number = (word: string): number => Number(complete.findLast((line) => line.startsWith(word))?.split(' ')[1]);
  return { started: number('start'), durable: number('durable') };
}

test('kill -9 at any moment loses nothing that was acknowledged', async () => {
  const folder = logs.folder();
  let acknowledged = 0;
  for (let kill = 1; kill <= KILLS; kill++) {
    const { started, durable } = await appendAndKill(folder, kill, 1 + Math.floor(Math.random() * 200));
    expect(started).toBeGreaterThan(acknowledged);
    acknowledged = durable;
    const store = await logs.open(folder, { segmentBytes: 256 * 1024 });
    const { entries } = await store.load();
    expect(entries.length).toBeGreaterThanOrEqual(acknowledged);
    const wrong = entries.find(
      (entry, at) => entry.index !== at + 1 || Buffer.compare(entry.data, killTestEntry(at + 1).data) !== 0,
    );
    expect(wrong).toBeUndefined();
    await store.close();
  }
}, 120_000);
