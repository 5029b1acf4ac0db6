import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readSetup } from './config.ts';

let dir: string;
const address = `0x${'ab'.repeat(20)}`;
const observer = { id: 'one', url: 'https://127.0.0.1:1', publicKey: `0x${'22'.repeat(32)}` };
const config = {
  network: 'alpha',
  chainId: 1,
  genesisHash: `0x${'11'.repeat(32)}`,
  rpcUrl: 'http://127.0.0.1:1',
  redisUrl: 'redis://127.0.0.1:1',
  coreUrl: 'https://127.0.0.1:1',
  stateDir: 'state',
  tls: { keyFile: 'key', certFile: 'cert', serviceCertFile: 'cert' },
  sealingKeyFile: 'key',
  feeKeyFile: 'fee',
  observers: [observer],
  threshold: 1,
  depthBlocks: 3,
  vaults: [{ asset: 'EUR', address }],
};

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-config-'));
  for (const [name, text] of Object.entries({ key: 'pem', cert: 'pem', fee: `0x${'01'.repeat(32)}\n` })) {
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
  expect(setup.limits).toMatchObject({ concurrency: 3, attempts: 12, maxFeeWei: 500_000_000_000n });
  expect(setup.stateDir).toBe(join(dir, 'state'));
  expect(setup.roles).toEqual(new Set(['worker', 'follower']));
  expect(setup.feeKey).toBe(`0x${'01'.repeat(32)}`);
});

test.each([
  ['an unknown field', { colour: 'red' }, /colour/],
  ['a limit outside its range', { limits: { concurrency: 0 } }, /concurrency/],
  ['a depth that nodes keep no state for', { depthBlocks: 200 }, /depthBlocks/],
  ['plain HTTP to the core', { coreUrl: 'http://127.0.0.1:1' }, /coreUrl/],
  ['plain HTTP to one of its nodes', { coreUrl: ['https://127.0.0.1:1', 'http://127.0.0.1:2'] }, /coreUrl/],
  ['a threshold that cannot be reached', { threshold: 2 }, /threshold/],
  ['an observer that counts twice', { observers: [observer, observer] }, /twice/],
  ['two vaults of one asset', { vaults: [config.vaults[0], config.vaults[0]] }, /two vaults/],
])('%s is refused by name', async (_what, overrides, words) => {
  await expect(read(overrides)).rejects.toThrow(words);
});

describe('a network that is believed by proof', () => {
  const absent = { observers: undefined, threshold: undefined };

  test.each([
    ['qbft', 1],
    ['ibft', 1],
    ['ibft2', 1],
    ['clique', 7],
  ])('%s needs no observers, and has a depth of its own', async (rule, depthBlocks) => {
    const setup = await read({ ...absent, depthBlocks: undefined, rule, maxGapBlocks: 4_096 });
    expect(setup).toMatchObject({ consensus: { rule, maxGapBlocks: 4_096 }, depthBlocks, observers: [] });
    expect(await read({ ...absent, rule, maxGapBlocks: 64 })).toMatchObject({ depthBlocks: 3 });
  });

  test.each([
    ['without what the core remembers', { ...absent, rule: 'qbft' }, /maxGapBlocks/],
    ['with observers', { rule: 'qbft', maxGapBlocks: 64 }, /observers/],
    ['that remembers less than its blocks vouch for', { ...absent, rule: 'clique', maxGapBlocks: 5 }, /depthBlocks/],
    ['by a rule that nobody knows', { ...absent, rule: 'raft', maxGapBlocks: 64 }, /rule/],
  ])('%s is refused by name', async (_what, overrides, words) => {
    await expect(read(overrides)).rejects.toThrow(words);
  });

  test.each(['observers', 'threshold', 'depthBlocks'])('observers still need %s', async (field) => {
    await expect(read({ [field]: undefined })).rejects.toThrow(field);
    await expect(read({ maxGapBlocks: 64 })).rejects.toThrow(/maxGapBlocks/);
  });
});

test('observers are the rule where none is named', async () => {
  const setup = await read();
  expect(setup).toMatchObject({ threshold: 1, depthBlocks: 3, observers: [{ id: 'one' }] });
  expect(setup).not.toHaveProperty('consensus');
});

test('keys that others can read are refused', async () => {
  await chmod(join(dir, 'fee'), 0o644);
  await expect(read()).rejects.toMatchObject({ code: 'CONFIG_KEY_EXPOSED' });
});

test('a file that is missing is named', async () => {
  await expect(read({ feeKeyFile: 'elsewhere' })).rejects.toThrow(/elsewhere/);
});

test('Cactus is off unless the file has its section, whose rules hold', async () => {
  expect((await read()).cactus).toBeUndefined();
  expect((await read({ cactus: {} })).cactus).toMatchObject({ host: '127.0.0.1', keychains: [] });
  const keychains = [{ keychainId: 'bank', dir: 'bank-keys' }];
  expect((await read({ cactus: { keychains } })).cactus?.keychains).toEqual([
    { keychainId: 'bank', dir: join(dir, 'bank-keys') },
  ]);
  await expect(read({ cactus: { listen: '0.0.0.0:4000' } })).rejects.toThrow(/beyond loopback/);
});
