import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '@drawbridge/connector-sdk/connector-files';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CactusSection, readCactusSetup } from './cactus-config.ts';

let dir: string;
const authentication = { keysFile: 'issuer.pem', issuer: 'i', audience: 'a' };
const tls = { keyFile: 'tls.key', certFile: 'tls.pem' };

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-cactus-config-'));
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(join(dir, 'issuer.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(join(dir, 'private.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(join(dir, 'private.json'), JSON.stringify({ keys: [privateKey.export({ format: 'jwk' })] }));
  await writeFile(join(dir, 'symmetric.json'), JSON.stringify({ keys: [{ kty: 'oct', k: 'c2VjcmV0' }] }));
  await writeFile(join(dir, 'tls.key'), 'key', { mode: 0o600 });
  await writeFile(join(dir, 'tls.pem'), 'cert');
});
afterAll(() => rm(dir, { recursive: true }));

const read = async (section: object) => readCactusSetup(parseConfig(CactusSection, section), (path) => join(dir, path));

test('an empty section listens on loopback, takes no keys from requests and lets nobody sign by the node', async () => {
  const setup = await read({});
  expect(setup).toMatchObject({
    host: '127.0.0.1',
    port: 0,
    developmentOnly: { privateKeyHex: false, nodeKeys: false },
    keychains: [],
  });
  for (const name of ['getAccounts', 'sendSignedTransaction']) expect(setup.rawMethods.has(name)).toBe(false);
});

test.each([
  ['without authentication and TLS', {}],
  ['without TLS', { authentication }],
  ['without authentication', { tls }],
])('beyond loopback it does not listen %s', async (_how, section) => {
  await expect(read({ listen: '0.0.0.0:8080', ...section })).rejects.toThrow(/beyond loopback/);
});

test('beyond loopback it listens with both', async () => {
  await expect(read({ listen: '0.0.0.0:8080', authentication, tls })).resolves.toMatchObject({
    host: '0.0.0.0',
    port: 8080,
  });
});

test.each(['private.pem', 'private.json', 'symmetric.json'])(
  'keys of tokens that can sign are refused: %s',
  async (keysFile) => {
    await expect(read({ authentication: { ...authentication, keysFile } })).rejects.toThrow(/public keys only/);
  },
);

test.each([
  ['a method that signs', { rawMethods: ['sendTransaction'] }, /rawMethods/],
  ['an algorithm without a key pair', { authentication: { ...authentication, algorithms: ['HS256'] } }, /algorithms/],
  ['an unknown field', { colour: 'red' }, /colour/],
  ['two keychains of one id', { keychains: ['a', 'b'].map((name) => ({ keychainId: 'x', dir: name })) }, /twice/],
  [
    'a default above the bound',
    { limits: { receiptTimeoutMs: 2_000, longestReceiptTimeoutMs: 1_000 } },
    /receiptTimeoutMs/,
  ],
])('%s is refused by name', async (_what, section, words) => {
  await expect(read(section)).rejects.toThrow(words);
});
