/** The command as a process: its streams and exit codes. */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';

jest.setTimeout(60_000);

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const CREATE = ['service', 'create', '--vaults', 'alpha/EUR'];
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-cli-'));
});
afterEach(() => rm(dir, { recursive: true }));

type Ended = Readonly<{ code: number | null; out: string; err: string }>;

function run(...args: string[]): Promise<Ended> {
  return runHearing(args, () => undefined);
}

const start = (args: readonly string[]): ChildProcessWithoutNullStreams =>
  spawn(process.execPath, ['--conditions=drawbridge-source', '--import', import.meta.resolve('tsx'), MAIN, ...args]);

/** Nobody reads what it says. @returns its exit code */
async function runUnheard(...args: string[]): Promise<number | null> {
  const child = start(args);
  child.stdout.destroy();
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

/** `onOut` sees what it has said so far. */
function runHearing(args: readonly string[], onOut: (out: string, child: ChildProcess) => void): Promise<Ended> {
  const child = start(args);
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    onOut(out, child);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, err }));
  });
}

test('help goes to stdout, errors to stderr', async () => {
  expect(await run('--help')).toMatchObject({ code: 0, out: expect.stringContaining('Usage: drawbridge'), err: '' });
  expect(await run('verify', 'evidence', join(dir, 'none'))).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringMatching(/^drawbridge: .*none cannot be read/),
  });
});

test('evidence that is none is refused with exit code 1', async () => {
  await writeFile(join(dir, 'evidence'), Uint8Array.of(1, 2, 3));
  const genesis = {
    version: 1,
    serviceId: `0x${'11'.repeat(32)}`,
    assets: [],
    participants: [],
    networks: [],
    vaults: [],
  };
  await writeFile(join(dir, 'genesis.json'), JSON.stringify(genesis));
  const args = ['verify', 'evidence', join(dir, 'evidence'), '--genesis', join(dir, 'genesis.json')];
  expect(await run(...args)).toMatchObject({ code: 1, out: expect.stringMatching(/^check +form/m) });
  // Not 0, which would say that it is proven.
  expect(await runUnheard(...args)).toBe(2);
});

test('service runs the program of the core with its arguments', async () => {
  const created = await run(...CREATE, '--dir', join(dir, 'core'), '--development');
  expect(created.code).toBe(0);
  expect(JSON.parse(created.out)).toMatchObject({ authorities: { 'alpha/EUR': expect.stringMatching(/^0x/) } });
  expect(await run('service', 'create', '--development')).toMatchObject({
    code: 1,
    err: expect.stringContaining('is missing'),
  });
  // The loader that these sources need is what the core refuses.
  const refused = await run(...CREATE, '--dir', join(dir, 'other'));
  expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringContaining('ENVIRONMENT_UNSAFE') });
  expect(await run('service', 'create', '--help')).toMatchObject({ code: 0, out: expect.stringContaining('--vaults') });
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s to the command ends the core in good order', async (signal) => {
  const service = join(dir, 'core');
  const { out } = await run(...CREATE, '--dir', service, '--development');
  const key = ed25519PublicKey();
  const genesis = {
    version: 1,
    serviceId: (JSON.parse(out) as { serviceId: string }).serviceId,
    bootstrap: { keys: [key], threshold: 1 },
    assets: [],
    participants: [],
    networks: [],
    vaults: [],
    exposureCaps: [],
  };
  const file = join(dir, 'genesis.json');
  await writeFile(file, JSON.stringify(genesis));
  const args = ['service', 'start', '--dir', service, '--genesis', file, '--listen', '127.0.0.1:0', '--development'];
  const ended = await runHearing(args, (said, child) => {
    if (said.includes('"ready":true')) child.kill(signal);
  });
  expect(ended).toMatchObject({ code: 0, err: expect.stringContaining('stopping') });
});

function ed25519PublicKey(): string {
  const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  return `0x${Buffer.from(x, 'base64url').toString('hex')}`;
}
