import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { AccessTokens, requireScope } from './access-token.ts';
import type { TokenRules } from './api-server-config.ts';

const NOW_MS = 1_800_000_000_000;
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const rules: TokenRules = {
  keys: pem,
  issuer: 'https://issuer.test',
  audience: 'drawbridge',
  algorithms: ['ES256'],
  clockToleranceSeconds: 5,
  readScope: 'read:ledger',
  writeScope: 'write:ledger',
};
const tokens = new AccessTokens(rules, () => NOW_MS);

type Claims = Readonly<{ issuer?: string; audience?: string; endS?: number | null; scope?: unknown }>;

function sign(claims: Claims = {}, key: KeyObject = pair.privateKey): Promise<string> {
  const { issuer = rules.issuer, audience = rules.audience, endS = 60, scope = 'read:ledger' } = claims;
  const jwt = new SignJWT({ scope }).setProtectedHeader({ alg: 'ES256' }).setIssuer(issuer).setAudience(audience);
  if (endS !== null) jwt.setExpirationTime(NOW_MS / 1_000 + endS);
  return jwt.sign(key);
}
const bearer = async (token: Promise<string>) => tokens.bearer(`Bearer ${await token}`);
const unauthorized = { code: 'UNAUTHORIZED', message: 'a valid bearer token is needed' };

test('a token gives its scopes, as text or as a list', async () => {
  expect([...(await bearer(sign({ scope: 'a b' }))).scopes]).toEqual(['a', 'b']);
  expect([...(await bearer(sign({ scope: ['c', 4] }))).scopes]).toEqual(['c']);
  expect([...(await bearer(sign({ scope: 7 }))).scopes]).toEqual([]);
});

test('a key set serves as well as one key', async () => {
  const keys = JSON.stringify({ keys: [{ ...pair.publicKey.export({ format: 'jwk' }), alg: 'ES256' }] });
  const set = new AccessTokens({ ...rules, keys }, () => NOW_MS);
  expect([...(await set.bearer(`Bearer ${await sign()}`)).scopes]).toEqual(['read:ledger']);
  await expect(set.bearer(`Bearer ${await sign({}, stranger.privateKey)}`)).rejects.toMatchObject(unauthorized);
});

describe('refused without a reason', () => {
  test.each<readonly [string, () => Promise<string>]>([
    ['another signer', () => sign({}, stranger.privateKey)],
    ['another issuer', () => sign({ issuer: 'https://elsewhere.test' })],
    ['another audience', () => sign({ audience: 'somebody' })],
    ['an ended one', () => sign({ endS: -6 })],
    ['one that never ends', () => sign({ endS: null })],
  ])('%s', async (_what, make) => {
    await expect(bearer(make())).rejects.toMatchObject(unauthorized);
  });

  test('the public key used as a shared secret, and no signature at all', async () => {
    const [, payload] = (await sign()).split('.');
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const hmac = `${encode({ alg: 'HS256' })}.${payload}`;
    const forged = `${hmac}.${createHmac('sha256', pem).update(hmac).digest('base64url')}`;
    await expect(bearer(Promise.resolve(forged))).rejects.toMatchObject(unauthorized);
    await expect(bearer(Promise.resolve(`${encode({ alg: 'none' })}.${payload}.`))).rejects.toMatchObject(unauthorized);
  });

  test('an algorithm that is not configured', async () => {
    const other = new AccessTokens({ ...rules, algorithms: ['RS256'] }, () => NOW_MS);
    await expect(other.bearer(`Bearer ${await sign()}`)).rejects.toMatchObject(unauthorized);
  });

  test.each([undefined, '', 'Basic abc', 'Bearer', 'Bearer a b', `Bearer ${'a'.repeat(9_000)}`])(
    'the header %p',
    async (header) => {
      await expect(tokens.bearer(header)).rejects.toMatchObject(unauthorized);
    },
  );
});

test('a scope that the token lacks is refused; an empty name is any token’s', () => {
  const own = { scopes: new Set(['read:metrics']) };
  expect(() => requireScope(own, tokens.nameOf('write'))).toThrow(/lacks the scope/);
  expect(() => requireScope(own, tokens.nameOf('document'))).toThrow(/lacks the scope/);
  expect(() => requireScope(own, tokens.nameOf('metrics'))).not.toThrow();
  expect(() => requireScope(own, '')).not.toThrow();
});
