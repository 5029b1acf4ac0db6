import {
  type CordaKey,
  ECDSA_SECP256K1,
  ECDSA_SECP256R1,
  ED25519,
  parseCordaKey,
} from '@drawbridge/evidence/corda-keys';
import { cordaSigner } from '@drawbridge/evidence/testing/corda-keys';
import { describe, expect, test } from '@jest/globals';
import { cordaSignatureVerifier } from './corda-signatures.ts';

const MESSAGE = Uint8Array.of(1, 2, 3);
const keyOf = (spki: Uint8Array): CordaKey => {
  const key = parseCordaKey(spki);
  if (key === undefined) throw new Error('not a key');
  return key;
};

describe.each([ECDSA_SECP256K1, ECDSA_SECP256R1, ED25519] as const)('scheme %i', (scheme) => {
  const signer = cordaSigner(scheme, 4);
  const verify = cordaSignatureVerifier();

  test('a signature counts for its key and its message', () => {
    const signature = signer.sign(MESSAGE);
    for (let i = 0; i < 2; i++) expect(verify(keyOf(signer.spki), MESSAGE, signature)).toBe(true);
    expect(verify(keyOf(signer.spki), Uint8Array.of(1, 2), signature)).toBe(false);
    expect(verify(keyOf(cordaSigner(scheme, 5).spki), MESSAGE, signature)).toBe(false);
  });

  test('bytes behind a signature make it none', () => {
    const signature = Uint8Array.from([...signer.sign(MESSAGE), 0]);
    expect(verify(keyOf(signer.spki), MESSAGE, signature)).toBe(false);
    expect(verify(keyOf(signer.spki), MESSAGE, new Uint8Array())).toBe(false);
  });
});

test('a point off its curve verifies nothing, and stays refused', () => {
  const { spki, sign } = cordaSigner(ECDSA_SECP256K1, 4);
  const key = keyOf(spki.with(87, (spki[87] ?? 0) ^ 1));
  const verify = cordaSignatureVerifier();
  for (let i = 0; i < 2; i++) expect(verify(key, MESSAGE, sign(MESSAGE))).toBe(false);
});

/** RFC 8032 §5.1.7: S must be below the order, or a second signature could be made of every one. */
test('an Ed25519 signature with S above the order is refused', () => {
  const { spki, sign } = cordaSigner(ED25519, 4);
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const signature = sign(MESSAGE);
  let s = order + [...signature.subarray(32)].reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const other = Uint8Array.from(signature);
  for (let i = 32; i < 64; i++) {
    other[i] = Number(s % 256n);
    s /= 256n;
  }
  expect(cordaSignatureVerifier()(keyOf(spki), MESSAGE, other)).toBe(false);
});
