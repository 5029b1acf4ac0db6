import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { type ManagedProcess, startProcess } from './child-process.ts';
import { sourceProgram } from './source-program.ts';

jest.setTimeout(60_000);

const program = fileURLToPath(new URL('./main.ts', import.meta.url));
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-devnet-'));
});
afterEach(() => rm(dir, { recursive: true }));

function start(...args: string[]): Promise<ManagedProcess> {
  return startProcess({ name: 'devnet', ...sourceProgram(program, args), ready: { line: /"ready":true/ } });
}

test('it tells address and genesis, and goes on with its chain', async () => {
  const accounts = join(dir, 'accounts.json');
  const first = await start('--chain-id', '4001', '--state-dir', dir, '--accounts', accounts);
  expect((await stat(accounts)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(accounts, 'utf8'))).toContainEqual({
    address: expect.stringMatching(/^0x[0-9a-fA-F]{40}$/),
    privateKey: expect.stringMatching(/^0x[0-9a-f]{64}$/),
  });
  const { genesisHash } = JSON.parse(String(first.readyWith)) as { genesisHash: string };
  expect(await first.stop()).toEqual({ code: 0, signal: null });
  const second = await start('--chain-id', '4001', '--state-dir', dir);
  expect(JSON.parse(String(second.readyWith))).toMatchObject({ ready: true, genesisHash });
  await second.stop();
}, 60_000);

test.each([
  [[], /usage: /],
  [['--colour', 'red'], /--colour[\s\S]*usage: /],
  [['--chain-id', 'x', '--state-dir', '.'], /chainId is a whole number/],
])('%j is refused in words', async (args, words) => {
  await expect(start(...args)).rejects.toMatchObject({
    code: 'PROCESS_EXITED_EARLY',
    message: expect.stringMatching(words),
  });
});
