import { fromHex, toHex } from '@drawbridge/protocol/bytes32';
import { describe, expect, test } from '@jest/globals';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { concatBytes } from '@noble/hashes/utils.js';
import {
  type CordaKey,
  ECDSA_SECP256K1,
  ECDSA_SECP256R1,
  ED25519,
  isStrictSignature,
  parseCordaKey,
} from './corda-keys.ts';
import { cordaSigner, cordaVerifier } from './testing/corda-keys.ts';

const SCHEMES = [ECDSA_SECP256K1, ECDSA_SECP256R1, ED25519] as const;
const CURVES = [ECDSA_SECP256K1, ECDSA_SECP256R1] as const;

describe.each(SCHEMES)('scheme %i', (scheme) => {
  const signer = cordaSigner(scheme, 5);
  const message = Uint8Array.of(1, 2, 3);

  test('a key is read, and its signature is', () => {
    const key = parseCordaKey(signer.spki);
    expect(key).toEqual({ scheme, spki: signer.spki, hex: toHex(signer.spki) });
    const signature = signer.sign(message);
    expect(isStrictSignature(scheme, signature)).toBe(true);
    expect(cordaVerifier(key as CordaKey, message, signature)).toBe(true);
    expect(cordaVerifier(key as CordaKey, Uint8Array.of(1), signature)).toBe(false);
  });

  test('a key in another encoding is none', () => {
    const { spki } = signer;
    expect(parseCordaKey(spki.subarray(1))).toBeUndefined();
    expect(parseCordaKey(spki.subarray(0, spki.length - 1))).toBeUndefined();
    expect(parseCordaKey(concatBytes(spki, Uint8Array.of(0)))).toBeUndefined();
    const prefix = scheme === ED25519 ? 12 : spki.length - 64;
    for (let at = 0; at < prefix; at++) expect(parseCordaKey(spki.with(at, (spki[at] ?? 0) ^ 1))).toBeUndefined();
  });
});

test('compressed points and other schemes are no keys', () => {
  const compressed = '0x3036301006072a8648ce3d020106052b8104000a032200';
  expect(parseCordaKey(fromHex(`${compressed}02${'11'.repeat(32)}`))).toBeUndefined();
  const rsa = fromHex(`0x30820122300d06092a864886f70d01010105000382010f00${'11'.repeat(270)}`);
  expect(parseCordaKey(rsa)).toBeUndefined();
});

test('a point off its curve verifies nothing', () => {
  const { spki, sign } = cordaSigner(ECDSA_SECP256R1, 5);
  const key = parseCordaKey(spki.with(90, (spki[90] ?? 0) ^ 1));
  expect(key).toBeDefined();
  expect(cordaVerifier(key as CordaKey, Uint8Array.of(1), sign(Uint8Array.of(1)))).toBe(false);
});

test('Ed25519 signatures have 64 bytes', () => {
  for (const length of [0, 63, 65]) expect(isStrictSignature(ED25519, new Uint8Array(length))).toBe(false);
  expect(isStrictSignature(ED25519, new Uint8Array(64))).toBe(true);
});

const integer = (hex: string): Uint8Array => {
  const content = fromHex(hex);
  return concatBytes(Uint8Array.of(2, content.length), content);
};
const der = (r: string, s: string): Uint8Array => {
  const body = concatBytes(integer(r), integer(s));
  return concatBytes(Uint8Array.of(0x30, body.length), body);
};
const ORDERS = {
  [ECDSA_SECP256K1]: 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141',
  [ECDSA_SECP256R1]: 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
};

describe.each(CURVES)('strict DER of scheme %i', (scheme) => {
  const order = ORDERS[scheme];
  const last = order.replace(/41$/, '40').replace(/51$/, '50');
  const long = '0x7f'.padEnd(66, '1');

  test.each([
    ['the smallest numbers', der('0x01', '0x01')],
    ['the largest', der(`0x00${last}`, `0x00${last}`)],
    ['32 bytes', der(long, long)],
    ['a number that needs its zero', der('0x0080', '0x7f')],
  ])('%s are taken', (_, bytes) => {
    expect(isStrictSignature(scheme, bytes)).toBe(true);
  });

  test.each([
    ['nothing', new Uint8Array()],
    ['no sequence', der('0x01', '0x01').with(0, 0x31)],
    ['a sequence that is longer than the bytes', der('0x01', '0x01').with(1, 7)],
    ['a sequence with a byte behind it', concatBytes(der('0x01', '0x01'), Uint8Array.of(0))],
    ['a third integer', fromHex('0x3009020101020101020101')],
    ['a byte within the sequence', fromHex('0x300702010102010100')],
    ['a long form of the length', fromHex('0x308106020101020101')],
    ['no integer for r', fromHex('0x3006030101020101')],
    ['no integer for s', fromHex('0x3006020101030101')],
    ['r alone', fromHex('0x3003020101')],
    ['s without its length', fromHex('0x300402010102')],
    ['s beyond the end', fromHex('0x3006020101020201')],
    ['an empty r', fromHex('0x30050200020101')],
    ['an empty s', fromHex('0x30050201010200')],
    ['r of 0', der('0x00', '0x01')],
    ['s of 0', der('0x01', '0x00')],
    ['a negative r', der('0x80', '0x01')],
    ['a negative s', der('0x01', '0xff')],
    ['r with a zero too many', der('0x007f', '0x01')],
    ['s with a zero too many', der('0x01', '0x007f')],
    ['two zeros', der('0x000080', '0x01')],
    ['r of the order', der(`0x00${order}`, '0x01')],
    ['s of the order', der('0x01', `0x00${order}`)],
    ['r above the order', der(`0x00${'ff'.repeat(32)}`, '0x01')],
    ['r of 33 bytes', der(`0x01${'00'.repeat(32)}`, '0x01')],
    ['more than any signature has', concatBytes(Uint8Array.of(0x30, 71), new Uint8Array(71).fill(2))],
    ['73 bytes', der(`0x00${'ff'.repeat(33)}`, `0x00${'ff'.repeat(31)}`)],
  ])('%s are refused', (_, bytes) => {
    expect(isStrictSignature(scheme, bytes)).toBe(false);
  });
});

test('a high s is taken: Corda makes them', () => {
  const { spki, sign } = cordaSigner(ECDSA_SECP256K1, 5);
  const key = parseCordaKey(spki) as CordaKey;
  const message = Uint8Array.of(9);
  const { r, s } = secp256k1.Signature.fromBytes(sign(message), 'der');
  const other = new secp256k1.Signature(r, secp256k1.Point.Fn.ORDER - s).toBytes('der');
  expect(isStrictSignature(ECDSA_SECP256K1, other)).toBe(true);
  expect(cordaVerifier(key, message, other)).toBe(true);
});
