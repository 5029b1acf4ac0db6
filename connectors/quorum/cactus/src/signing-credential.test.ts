import { generateKeyPairSync } from 'node:crypto';
import { PluginRegistry } from '@hyperledger/cactus-core';
import { PluginKeychainMemory } from '@hyperledger/cactus-plugin-keychain-memory';
import { expect, test } from '@jest/globals';
import { computeAddress, SigningKey } from 'ethers';
import { type CredentialRules, SigningCredentials } from './signing-credential.ts';

const key = new SigningKey(`0x${'42'.repeat(32)}`);
const account = computeAddress(key);
const reference = { type: 'CACTUS_KEYCHAIN_REF', ethAccount: account, keychainEntryKey: 'key', keychainId: 'one' };

function credentials(entries: Readonly<Record<string, string>>, rules: Partial<CredentialRules> = {}, ids = ['one']) {
  const registry = new PluginRegistry({ logLevel: 'silent', plugins: [] });
  for (const keychainId of ids) {
    const backend = new Map(Object.entries(entries));
    registry
      .getPlugins()
      .push(new PluginKeychainMemory({ instanceId: keychainId, keychainId, backend, logLevel: 'silent' }));
  }
  return new SigningCredentials(
    { privateKeyHex: false, nodeKeys: false, reservedAccounts: new Set(), ...rules },
    registry,
  );
}
const stored = { key: key.privateKey };

test('a reference gives the key, as hex with and without 0x and as PEM', async () => {
  expect(await credentials(stored).signer(reference)).toMatchObject({ kind: 'key', address: account });
  expect(await credentials({ key: key.privateKey.slice(2) }).signer(reference)).toMatchObject({ address: account });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  const { d = '' } = privateKey.export({ format: 'jwk' });
  const own = new SigningKey(`0x${Buffer.from(d, 'base64url').toString('hex').padStart(64, '0')}`);
  const pem = privateKey.export({ type: 'sec1', format: 'pem' }).toString();
  const signer = await credentials({ key: pem }).signer({ ...reference, ethAccount: computeAddress(own) });
  expect(signer).toMatchObject({ kind: 'key', address: computeAddress(own) });
});

test('a refused type is named, with what to send instead', async () => {
  for (const type of ['PRIVATE_KEY_HEX', 'GETH_KEYCHAIN_PASSWORD']) {
    const refused = credentials(stored).signer({ type, ethAccount: account, secret: 'x' });
    await expect(refused).rejects.toThrow(new RegExp(`takes no ${type}: .*CACTUS_KEYCHAIN_REF`));
  }
});

test('old clients name the account by its public key', async () => {
  for (const ethAccount of [key.publicKey, key.publicKey.slice(4), key.compressedPublicKey])
    expect(await credentials(stored).signer({ ...reference, ethAccount })).toMatchObject({ address: account });
});

test('a keychain that is not named is the only one there is', async () => {
  const { keychainId: _left, ...unnamed } = reference;
  expect(await credentials(stored).signer(unnamed)).toMatchObject({ address: account });
  await expect(credentials(stored, {}, ['one', 'two']).signer(unnamed)).rejects.toMatchObject({
    code: 'KEYCHAIN_NOT_FOUND',
  });
});

test.each([
  [
    'a key in the request',
    { type: 'PRIVATE_KEY_HEX', ethAccount: account, secret: key.privateKey },
    'CREDENTIAL_REFUSED',
  ],
  [
    'a password of the node',
    { type: 'GETH_KEYCHAIN_PASSWORD', ethAccount: account, secret: 'pw' },
    'CREDENTIAL_REFUSED',
  ],
  ['an account that is not the key’s', { ...reference, ethAccount: `0x${'11'.repeat(20)}` }, 'CREDENTIAL_REFUSED'],
  ['no account', { ...reference, ethAccount: '' }, 'CREDENTIAL_REFUSED'],
  ['another keychain', { ...reference, keychainId: 'two' }, 'KEYCHAIN_NOT_FOUND'],
  ['another entry', { ...reference, keychainEntryKey: 'none' }, 'KEYCHAIN_ENTRY_NOT_FOUND'],
  ['an unknown type', { type: 'OTHER' }, 'CREDENTIAL_REFUSED'],
])('%s is refused', async (_what, credential, code) => {
  await expect(credentials(stored).signer(credential)).rejects.toMatchObject({ code });
});

test('the connector’s own account signs for nobody, whichever way its key comes', async () => {
  const rules = { reservedAccounts: new Set([account]), privateKeyHex: true, nodeKeys: true };
  const own = credentials(stored, rules);
  const code = 'CREDENTIAL_REFUSED';
  await expect(own.signer(reference)).rejects.toMatchObject({ code });
  await expect(own.keyOf(reference)).rejects.toMatchObject({ code });
  const secret = key.privateKey;
  await expect(own.signer({ type: 'PRIVATE_KEY_HEX', ethAccount: account, secret })).rejects.toMatchObject({ code });
  await expect(own.signer({ type: 'GETH_KEYCHAIN_PASSWORD', ethAccount: account, secret: '' })).rejects.toMatchObject({
    code,
  });
});

test('for development the operator may allow both', async () => {
  const open = credentials({}, { privateKeyHex: true, nodeKeys: true });
  const secret = key.privateKey;
  expect(await open.signer({ type: 'PRIVATE_KEY_HEX', ethAccount: account, secret })).toMatchObject({ kind: 'key' });
  expect(await open.signer({ type: 'GETH_KEYCHAIN_PASSWORD', ethAccount: account, secret: 'pw' })).toEqual({
    kind: 'node',
    address: account,
    password: 'pw',
  });
});

test('an entry that is no key is told without its content', async () => {
  const secret = `${key.privateKey}00`;
  for (const entry of [secret, 'not a key', `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`]) {
    const error: unknown = await credentials({ key: entry })
      .signer(reference)
      .catch((refused: unknown) => refused);
    expect(error).toMatchObject({ code: 'KEYCHAIN_ENTRY_UNUSABLE', message: 'the entry is no secp256k1 private key' });
    expect((error as Error).cause).toBeUndefined();
  }
});
