import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { amendmentStatement } from '@drawbridge/protocol/amendment-statement';
import { parseBytes32 } from '@drawbridge/protocol/bytes32';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { signAmendment } from './amendment.ts';
import { verifyEd25519 } from './ed25519.ts';

const AMENDMENT = {
  version: 1,
  serviceId: parseBytes32(`0x${'5e'.repeat(32)}`),
  number: 1,
  actions: [{ type: 'addAsset', asset: { code: 'EUR', scale: 2 } }],
  signatures: [],
};
const pkcs8 = { type: 'pkcs8', format: 'pem' } as const;
const output = { out: () => undefined, err: () => undefined };
let dir: string;
const at = (name: string) => join(dir, name);

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-amendment-'));
  await writeFile(at('1.json'), JSON.stringify(AMENDMENT));
  for (const name of ['a.key', 'b.key']) {
    await writeFile(at(name), generateKeyPairSync('ed25519').privateKey.export(pkcs8), { mode: 0o600 });
  }
});
afterEach(() => rm(dir, { recursive: true }));

type Signed = typeof AMENDMENT & { signatures: { key: `0x${string}`; signature: `0x${string}` }[] };
const read = async () => JSON.parse(await readFile(at('1.json'), 'utf8')) as Signed;

test('two keys sign one after the other, and the content stays', async () => {
  await signAmendment(at('1.json'), at('a.key'), output);
  await signAmendment(at('1.json'), at('b.key'), output);
  const { signatures, ...content } = await read();
  expect({ ...content, signatures: [] }).toEqual(AMENDMENT);
  expect(new Set(signatures.map(({ key }) => key)).size).toBe(2);
  const statement = amendmentStatement(content);
  for (const { key, signature } of signatures) expect(verifyEd25519(key, statement, signature)).toBe(true);
  expect((await readdir(dir)).sort()).toEqual(['1.json', 'a.key', 'b.key']);
});

test('a key signs once', async () => {
  await signAmendment(at('1.json'), at('a.key'), output);
  const refusal = { code: 'REFUSED', exitCode: 1 };
  await expect(signAmendment(at('1.json'), at('a.key'), output)).rejects.toMatchObject(refusal);
});

test('a file that was changed after it was signed is not signed further', async () => {
  await signAmendment(at('1.json'), at('a.key'), output);
  await writeFile(at('1.json'), JSON.stringify({ ...(await read()), number: 2 }));
  await expect(signAmendment(at('1.json'), at('b.key'), output)).rejects.toMatchObject({
    message: expect.stringContaining('not over this content'),
  });
});

test('a key that others may read is refused, and so is one of another kind', async () => {
  await chmod(at('a.key'), 0o644);
  await expect(signAmendment(at('1.json'), at('a.key'), output)).rejects.toMatchObject({
    message: expect.stringContaining('chmod 600'),
  });
  await writeFile(at('b.key'), generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(pkcs8));
  await expect(signAmendment(at('1.json'), at('b.key'), output)).rejects.toMatchObject({ code: 'FILE' });
});

describe('refuses to sign', () => {
  test.each<[string, object]>([
    ['another version', { ...AMENDMENT, version: 2 }],
    ['a number below 1', { ...AMENDMENT, number: 0 }],
    ['no actions', { ...AMENDMENT, actions: [] }],
    ['a short service id', { ...AMENDMENT, serviceId: '0x5e' }],
    ['an unknown field', { ...AMENDMENT, comment: '' }],
    ['signatures that are no list', { ...AMENDMENT, signatures: {} }],
    ['a signature by nobody', { ...AMENDMENT, signatures: [{}] }],
  ])('%s', async (_, amendment) => {
    await writeFile(at('1.json'), JSON.stringify(amendment));
    await expect(signAmendment(at('1.json'), at('a.key'), output)).rejects.toMatchObject({
      message: expect.stringContaining('is no amendment'),
    });
  });
});
