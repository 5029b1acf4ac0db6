/** The example files of `governance/README.md` are what the core takes. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { amendmentBytes, parseAmendment, refuseSignatures } from '@drawbridge/governance/amendment';
import { applyActions } from '@drawbridge/governance/apply-actions';
import { genesisRegistry, parseGenesis } from '@drawbridge/governance/genesis';
import { readFinality } from '@drawbridge/governance/read-registration';
import { readChecked } from '@drawbridge/governance/reading';
import type { Hex } from '@drawbridge/protocol/bytes32';
import { beforeAll, expect, test } from '@jest/globals';

let text: string;
beforeAll(async () => {
  text = await readFile(resolve(import.meta.dirname, '../../governance/README.md'), 'utf8');
});

/** The code block of that name. */
const example = (name: string): string =>
  new RegExp(`\\n\`\`\`json ${name}\\n([^]*?)\\n\`\`\`\\n`).exec(text)?.[1] ?? '';

function read<T>(checked: { ok: true; value: T } | { ok: false; problems: unknown }): T {
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
  return checked.value;
}

test('the genesis file is one, and the amendment after it applies', () => {
  const genesis = read(parseGenesis(example('genesis')));
  const amendment = read(parseAmendment(example('amendment')));
  expect(amendment.serviceId).toBe(genesis.serviceId);
  const registry = read(applyActions(genesisRegistry(genesis), amendment.actions));
  expect([...registry.assets.keys()]).toEqual(['EUR', 'GBP']);
  expect([...registry.exposureCaps.values()].map(({ amountMinor }) => amountMinor)).toEqual([500_000_000n]);
});

test('the finality by consensus is one', () => {
  const finality = read(readChecked(JSON.parse(example('consensus')), readFinality));
  expect(finality).toMatchObject({ rule: 'qbft', maxGapBlocks: 4096 });
});

test('the amendment stands in the normal form that is signed', () => {
  const amendment = read(parseAmendment(example('amendment')));
  const keys = [1, 2].map(() => generateKeyPairSync('ed25519'));
  const hex = (bytes: Buffer): Hex => `0x${bytes.toString('hex')}` as Hex;
  const publicOf = ({ publicKey }: (typeof keys)[number]): Hex =>
    hex(Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'));
  const signatures = keys.map((key) => ({
    key: publicOf(key),
    signature: hex(sign(null, amendmentBytes(amendment), key.privateKey)),
  }));
  expect(refuseSignatures(amendment, signatures, { keys: keys.map(publicOf), threshold: 2 })).toBeUndefined();
  const written = JSON.parse(example('amendment')) as { actions: unknown };
  expect(written.actions).toEqual(amendment.actions.map(({ name, args }) => ({ name, args: plain(args) })));
});

test('every action is described', async () => {
  const source = await readFile(resolve(import.meta.dirname, '../../governance/src/action.ts'), 'utf8');
  const names = Array.from(source.matchAll(/name: '([a-z_]+)'/g), ([, name]) => name);
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) expect(text).toContain(`| \`${name}\` |`);
});

const plain = (args: object): object =>
  Object.fromEntries(
    Object.entries(args).map(([name, value]) => [name, typeof value === 'bigint' ? `${value}` : value]),
  );
