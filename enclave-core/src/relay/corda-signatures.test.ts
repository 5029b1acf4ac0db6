import {
  type CordaKey,
  type CordaSignatureVerifier,
  ECDSA_SECP256K1,
  ECDSA_SECP256R1,
  ED25519,
  parseCordaKey,
} from '@drawbridge/evidence/corda-keys';
import { cordaSigner } from '@drawbridge/evidence/testing/corda-keys';
import { describe, expect, test } from '@jest/globals';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { cordaSignatureVerifier, libsecp256k1Verification } from './corda-signatures.ts';

const MESSAGE = Uint8Array.of(1, 2, 3);
const keyOf = (spki: Uint8Array): CordaKey => {
  const key = parseCordaKey(spki);
  if (key === undefined) throw new Error('not a key');
  return key;
};

const native = await libsecp256k1Verification();
const VERIFIERS: readonly [string, () => CordaSignatureVerifier][] = [
  ['the libraries in use', () => cordaSignatureVerifier()],
  ['OpenSSL alone', () => cordaSignatureVerifier(null)],
];
const SCHEMES = [ECDSA_SECP256K1, ECDSA_SECP256R1, ED25519] as const;

describe.each(VERIFIERS)('by %s', (_, verifier) => {
  describe.each(SCHEMES)('scheme %i', (scheme) => {
    const signer = cordaSigner(scheme, 4);
    const verify = verifier();

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

    test('64 signatures, short scalars among them, count, and none with a bit changed', () => {
      for (let n = 0; n < 64; n++) {
        const message = Uint8Array.of(n);
        const signature = signer.sign(message);
        expect(verify(keyOf(signer.spki), message, signature)).toBe(true);
        const at = 8 + (n % (signature.length - 8));
        expect(verify(keyOf(signer.spki), message, signature.with(at, (signature[at] ?? 0) ^ 1))).toBe(false);
      }
    });
  });

  test('a point off its curve verifies nothing, and stays refused', () => {
    const { spki, sign } = cordaSigner(ECDSA_SECP256K1, 4);
    const key = keyOf(spki.with(87, (spki[87] ?? 0) ^ 1));
    const verify = verifier();
    for (let i = 0; i < 2; i++) expect(verify(key, MESSAGE, sign(MESSAGE))).toBe(false);
  });

  test('Corda makes high s and low s on secp256k1: both count', () => {
    const { spki, sign } = cordaSigner(ECDSA_SECP256K1, 4);
    const { r, s } = secp256k1.Signature.fromBytes(sign(MESSAGE), 'der');
    const { n } = secp256k1.Point.CURVE();
    for (const either of [s, n - s]) {
      const signature = new secp256k1.Signature(r, either).toBytes('der');
      expect(verifier()(keyOf(spki), MESSAGE, signature)).toBe(true);
    }
  });
});

test('libsecp256k1 is what verifies on its curve here', () => {
  expect(native).not.toBeNull();
  let asked = 0;
  const verify = cordaSignatureVerifier((point, digest, signature) => {
    asked += 1;
    return native?.(point, digest, signature) ?? false;
  });
  for (const scheme of SCHEMES) {
    const signer = cordaSigner(scheme, 4);
    expect(verify(keyOf(signer.spki), MESSAGE, signer.sign(MESSAGE))).toBe(true);
  }
  expect(asked).toBe(1);
});

test('libsecp256k1 answers false for scalars and points that are none', () => {
  const { spki } = cordaSigner(ECDSA_SECP256K1, 4);
  expect(native?.(spki.slice(-65), new Uint8Array(32), new Uint8Array(64).fill(0xff))).toBe(false);
  expect(native?.(new Uint8Array(65), new Uint8Array(32), new Uint8Array(64).fill(1))).toBe(false);
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
