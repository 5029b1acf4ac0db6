import { toHex } from '@drawbridge/protocol/bytes32';
import { describe, expect, test } from '@jest/globals';
import { ed25519 } from '@noble/curves/ed25519.js';
import {
  type Amendment,
  amendmentBytes,
  formatAmendment,
  parseAmendment,
  refuseSignatures,
  type Signature,
} from './amendment.ts';
import type { BootstrapKeys } from './registration.ts';
import { type Json, publicKey, seed, word } from './testing/sample-genesis.ts';

const FILE: Json = {
  version: 1,
  serviceId: word('service'),
  number: 1,
  actions: [
    { name: 'set_exposure_cap', args: { network: 'alpha', asset: 'EUR', amountMinor: '9007199254740993' } },
    { name: 'close_amendments', args: {} },
  ],
  signatures: [],
};
const NAMES = ['key 1', 'key 2', 'key 3'];
const bootstrap = { keys: NAMES.map(publicKey), threshold: 2 } as BootstrapKeys;

function amendment(): Amendment {
  const parsed = parseAmendment(JSON.stringify(FILE));
  if (!parsed.ok) throw new Error('the file is right');
  return parsed.value;
}
const sign = (content: Amendment, name: string): Signature => ({
  key: publicKey(name) as Signature['key'],
  signature: toHex(ed25519.sign(amendmentBytes(content), seed(name))),
});

describe('an amendment file', () => {
  test('comes back as it was written, signatures included', () => {
    const content = amendment();
    const signed = { ...content, signatures: [sign(content, 'key 1')] };
    expect(parseAmendment(formatAmendment(signed))).toEqual({ ok: true, value: signed });
  });

  test.each<readonly [string, Json, string]>([
    ['another version', { version: 2 }, 'version'],
    ['number 0', { number: 0 }, 'number'],
    ['no actions', { actions: [] }, 'actions'],
    ['an action that is none', { actions: [{ name: 'x', args: {} }] }, 'actions[0].name'],
    ['a short signature', { signatures: [{ key: publicKey('key 1'), signature: '0x12' }] }, 'signatures[0].signature'],
    ['a key that is none', { signatures: [{ key: '0x12', signature: `0x${'11'.repeat(64)}` }] }, 'signatures[0].key'],
    ['a field more', { comment: 'x' }, 'comment'],
  ])('with %s is refused', (_, change, path) => {
    const parsed = parseAmendment(JSON.stringify({ ...FILE, ...change }));
    expect(parsed.ok ? [] : parsed.problems.map((problem) => problem.path)).toContain(path);
  });
});

describe('signatures', () => {
  const content = amendment();

  test('of k distinct bootstrap keys carry it', () => {
    expect(refuseSignatures(content, [sign(content, 'key 3'), sign(content, 'key 1')], bootstrap)).toBeUndefined();
    expect(
      refuseSignatures(
        content,
        NAMES.map((name) => sign(content, name)),
        bootstrap,
      ),
    ).toBeUndefined();
  });

  const one = sign(content, 'key 1');
  const two = sign(content, 'key 2');
  test.each<readonly [string, readonly Signature[]]>([
    ['none', []],
    ['too few', [one]],
    ['one key twice', [one, one]],
    ['a good set with one of them again', [one, one, two]],
    ['a key that genesis does not name', [one, sign(content, 'stranger')]],
    ['a good set and a stranger', [one, two, sign(content, 'stranger')]],
    ['another key’s signature', [one, { ...two, key: publicKey('key 3') as Signature['key'] }]],
    ['a bit turned', [one, { ...two, signature: `${two.signature.slice(0, -2)}00` as Signature['signature'] }]],
  ])('%s do not', (_, signatures) => {
    expect(refuseSignatures(content, signatures, bootstrap)).toEqual(expect.any(String));
  });

  test('more than are read are not verified', () => {
    expect(refuseSignatures(content, Array(33).fill(one), bootstrap)).toMatch('at most 32');
  });

  test.each<readonly [string, Partial<Amendment>]>([
    ['service', { serviceId: word('other') as Amendment['serviceId'] }],
    ['number', { number: 2 }],
    ['actions', { actions: content.actions.slice(1) }],
    ['order of actions', { actions: [...content.actions].reverse() }],
  ])('are bound to the %s', (_, change) => {
    expect(refuseSignatures({ ...content, ...change }, [one, two], bootstrap)).toBe('a signature does not verify');
  });

  test('are over the same bytes whatever the order of fields in the file', () => {
    const turned = {
      ...FILE,
      actions: [
        { args: { amountMinor: '9007199254740993', asset: 'EUR', network: 'alpha' }, name: 'set_exposure_cap' },
        { args: {}, name: 'close_amendments' },
      ],
    };
    const parsed = parseAmendment(JSON.stringify(turned));
    expect(parsed.ok && amendmentBytes(parsed.value)).toEqual(amendmentBytes(content));
  });
});
