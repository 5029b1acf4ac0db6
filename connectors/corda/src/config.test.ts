import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTlsIdentity } from '@drawbridge/devnets/tls-identity';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readSetup } from './config.ts';

let dir: string;
const vault = { asset: 'EUR', address: `0x${'ab'.repeat(32)}` };
const broker = { url: 'amqps://127.0.0.1:5671/%2F', user: 'connector', passwordFile: 'password', caFile: 'broker.pem' };
const config = {
  network: 'corda-1',
  genesisHash: `0x${'11'.repeat(32)}`,
  redisUrl: 'redis://127.0.0.1:1',
  coreUrl: 'https://127.0.0.1:1',
  tls: { keyFile: 'key', certFile: 'cert', serviceCertFile: 'cert' },
  sealingKeyFile: 'key',
  agent: { sealingKeyFile: 'cert' },
  broker,
  vaults: [vault],
};

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-config-'));
  const { certFile } = await createTlsIdentity(dir, 'broker');
  await writeFile(join(dir, 'broker.pem'), await readFile(certFile));
  for (const [name, text] of Object.entries({ key: 'pem', cert: 'pem', password: 'secret\n' })) {
    await writeFile(join(dir, name), text, { mode: 0o600 });
  }
});
afterEach(() => rm(dir, { recursive: true }));

async function read(overrides: object = {}) {
  const file = join(dir, 'config.json');
  await writeFile(file, JSON.stringify({ ...config, ...overrides }));
  return readSetup(file);
}

test('defaults fill what the file leaves out; paths count from the file', async () => {
  const setup = await read({ limits: { concurrency: 3 } });
  expect(setup.limits).toMatchObject({ concurrency: 3, attempts: 12, silenceMs: 60_000 });
  expect(setup.roles).toEqual(new Set(['worker', 'follower']));
  expect(setup.broker).toMatchObject({ user: 'connector', password: 'secret' });
});

test.each([
  ['an unknown field', { colour: 'red' }, /colour/],
  ['a limit outside its range', { limits: { prefetch: 0 } }, /prefetch/],
  ['plain HTTP to the core', { coreUrl: 'http://127.0.0.1:1' }, /coreUrl/],
  ['a broker without TLS', { broker: { ...broker, url: 'amqp://127.0.0.1/' } }, /broker\/url/],
  ['a password in the address', { broker: { ...broker, url: 'amqps://me:secret@127.0.0.1/' } }, /broker\/url/],
  ['a broker of which nothing is pinned', { broker: { ...broker, caFile: 'cert' } }, /no certificate/],
  ['the address of a vault on an EVM chain', { vaults: [{ ...vault, address: `0x${'ab'.repeat(20)}` }] }, /address/],
  ['two vaults of one asset', { vaults: [vault, vault] }, /two vaults/],
  ['pauses that shrink', { limits: { firstReconnectMs: 20_000 } }, /longestReconnectMs/],
])('%s is refused by name', async (_what, overrides, words) => {
  await expect(read(overrides)).rejects.toThrow(words);
});

test.each(['key', 'password'])('%s that others can read is refused', async (name) => {
  await chmod(join(dir, name), 0o644);
  await expect(read()).rejects.toMatchObject({ code: 'CONFIG_KEY_EXPOSED' });
});
