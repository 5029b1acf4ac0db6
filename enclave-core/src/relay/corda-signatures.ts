/**
 * Signatures of Corda: Ed25519, and ECDSA of both curves over SHA-256 in DER. `node:crypto` verifies them, but for those on
 * secp256k1 where libsecp256k1 has a binary for this machine: OpenSSL takes several times as long for that curve.
 */
import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto';
import {
  type CordaKey,
  type CordaSignatureVerifier,
  ECDSA_SECP256K1,
  ED25519,
  isStrictSignature,
} from '@drawbridge/evidence/corda-keys';
import type { Sha256 } from '@drawbridge/evidence/sha256';
import type { Hex } from '@drawbridge/protocol/bytes32';
import { WeightedLru } from '../weighted-lru.ts';

/** Imported keys that stay: notaries and vault parties are few and registered. */
const MAX_CACHED_KEYS = 1_024;
/** Of a point, not compressed, at the end of its SubjectPublicKeyInfo. */
const POINT_BYTES = 65;
const SCALAR_BYTES = 32;

/** Whether the key, a point of 65 bytes, signed the digest with r ‖ s, 64 bytes, s high or low. Must not throw. */
export type Secp256k1Verification = (point: Uint8Array, digest: Uint8Array, signature: Uint8Array) => boolean;

/** By libsecp256k1, or `null` where its package has no binary for this machine. */
export async function libsecp256k1Verification(): Promise<Secp256k1Verification | null> {
  try {
    const { default: bindings } = await import('secp256k1/bindings.js');
    return (point, digest, signature) => {
      try {
        // Of the two signatures that differ in the sign of s, the library takes the low one alone. Either says the same.
        return bindings.ecdsaVerify(bindings.signatureNormalize(signature), digest, point);
      } catch {
        // The library throws for scalars and points that are none.
        return false;
      }
    };
  } catch {
    // node-gyp-build says only in words that it found no binary; OpenSSL does the same work.
    return null;
  }
}
const native = await libsecp256k1Verification();

/** SHA-256 by the processor's own instructions: components are kilobytes. */
export const cordaDigest: Sha256 = (bytes) => hash('sha256', bytes, 'buffer');

/** By one key, over what it should have signed, with a signature of the one form of its scheme. */
type Verification = (message: Uint8Array, signature: Uint8Array) => boolean;

/**
 * A key that is no point of its curve, and a signature that has not the one form of its scheme, verify nothing. The form is
 * checked before any library, which may take more than one encoding of DER.
 * @param onSecp256k1 for that curve; `null`: OpenSSL for it too
 */
export function cordaSignatureVerifier(onSecp256k1: Secp256k1Verification | null = native): CordaSignatureVerifier {
  const keys = new WeightedLru<Hex, Verification | null>(MAX_CACHED_KEYS);
  return (key, message, signature) => {
    let verification = keys.get(key.hex);
    if (verification === undefined) {
      verification = verificationBy(key, onSecp256k1);
      keys.put(key.hex, verification);
    }
    if (verification === null || !isStrictSignature(key.scheme, signature)) return false;
    return verification(message, signature);
  };
}

function verificationBy(key: CordaKey, onSecp256k1: Secp256k1Verification | null): Verification | null {
  const imported = importKey(key);
  if (imported === null) return null;
  if (key.scheme === ECDSA_SECP256K1 && onSecp256k1 !== null) {
    const point = key.spki.slice(-POINT_BYTES);
    return (message, signature) => onSecp256k1(point, cordaDigest(message), scalarsOf(signature));
  }
  const digest = key.scheme === ED25519 ? null : 'sha256';
  return (message, signature) => verify(digest, message, imported, signature);
}

function importKey({ spki }: CordaKey): KeyObject | null {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch {
    // OpenSSL names no reason to go by: the point is not on the curve.
    return null;
  }
}

/** r ‖ s of a signature in strict DER: 30 length, 02 length r, 02 length s. A first byte of 0 keeps a number from being negative. */
function scalarsOf(der: Uint8Array): Uint8Array {
  const scalars = new Uint8Array(2 * SCALAR_BYTES);
  const rBytes = der[3] ?? 0;
  const r = der.subarray(4, 4 + rBytes);
  const s = der.subarray(6 + rBytes);
  for (const [at, digits] of [r, s].entries()) {
    const kept = digits.subarray(digits[0] === 0 ? 1 : 0);
    scalars.set(kept, (at + 1) * SCALAR_BYTES - kept.length);
  }
  return scalars;
}
