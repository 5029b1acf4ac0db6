import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseConfig, readSetup } from './config.ts';

const WORD = `0x${'11'.repeat(32)}`;
const NETWORK = {
  id: 'alpha',
  rpcUrl: 'http://127.0.0.1:8545',
  chainId: 31_337,
  genesisHash: WORD,
  depthBlocks: 3,
  vaults: [`0x${'22'.repeat(20)}`],
};
const CONFIG = {
  id: 'observer-1',
  serviceId: WORD,
  listen: '127.0.0.1:0',
  tls: { keyFile: 'tls.key', certFile: 'tls.pem' },
  attestationKeyFile: 'attestation.key',
  stateDir: 'state',
  networks: [NETWORK],
};

test('defaults are filled in', () => {
  expect(parseConfig(CONFIG)).toMatchObject({ logLevel: 'info', limits: { rpcTimeoutMs: 5_000, concurrency: 64 } });
});

describe('refuses', () => {
  test.each<[string, object]>([
    ['no networks', { ...CONFIG, networks: [] }],
    ['a network twice', { ...CONFIG, networks: [NETWORK, NETWORK] }],
    ['an unknown field', { ...CONFIG, depth: 1 }],
    ['an unknown limit', { ...CONFIG, limits: { rpcTimeout: 1 } }],
    ['depth zero', { ...CONFIG, networks: [{ ...NETWORK, depthBlocks: 0 }] }],
    ['no vault', { ...CONFIG, networks: [{ ...NETWORK, vaults: [] }] }],
    ['a genesis hash of wrong form', { ...CONFIG, networks: [{ ...NETWORK, genesisHash: '0x11' }] }],
    ['no address to listen on', { ...CONFIG, listen: '8443' }],
  ])('%s', (_, config) => {
    expect(() => parseConfig(config)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});

describe('files', () => {
  let dir: string;
  const file = (name: string) => join(dir, name);
  const pkcs8 = { type: 'pkcs8', format: 'pem' } as const;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'drawbridge-observer-'));
    await writeFile(file('config.json'), JSON.stringify(CONFIG));
    await writeFile(file('attestation.key'), generateKeyPairSync('ed25519').privateKey.export(pkcs8), { mode: 0o600 });
    await writeFile(file('tls.key'), 'key', { mode: 0o600 });
    await writeFile(file('tls.pem'), 'certificate');
  });
  afterEach(() => rm(dir, { recursive: true }));

  test('are found beside the configuration, and the state folder is made', async () => {
    const setup = await readSetup(file('config.json'));
    expect(setup).toMatchObject({ tls: { key: 'key' }, signedBlocksFile: file('state/signed-blocks') });
    expect((await stat(file('state'))).isDirectory()).toBe(true);
  });
  test.each(['attestation.key', 'tls.key'])('%s must be readable by its owner only', async (name) => {
    await chmod(file(name), 0o640);
    await expect(readSetup(file('config.json'))).rejects.toMatchObject({ code: 'CONFIG_KEY_EXPOSED' });
  });
  test('a key of another kind is refused', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(file('attestation.key'), privateKey.export(pkcs8));
    await expect(readSetup(file('config.json'))).rejects.toMatchObject({ code: 'CONFIG_FILE' });
    await writeFile(file('attestation.key'), 'no key');
    await expect(readSetup(file('config.json'))).rejects.toMatchObject({ code: 'CONFIG_FILE' });
  });
  test('a file that is missing or no JSON is named', async () => {
    await expect(readSetup(file('none.json'))).rejects.toMatchObject({ message: expect.stringContaining('none.json') });
    await writeFile(file('config.json'), '{');
    await expect(readSetup(file('config.json'))).rejects.toMatchObject({ code: 'CONFIG_FILE' });
    await rm(file('tls.key'));
    await writeFile(file('config.json'), JSON.stringify(CONFIG));
    await expect(readSetup(file('config.json'))).rejects.toMatchObject({ message: expect.stringContaining('tls.key') });
  });
});
