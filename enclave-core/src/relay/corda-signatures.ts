/** Signatures of Corda over `node:crypto`: Ed25519, and ECDSA of both curves over SHA-256 in DER. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import {
  type CordaKey,
  type CordaSignatureVerifier,
  ED25519,
  isStrictSignature,
} from '@drawbridge/evidence/corda-keys';
import type { Hex } from '@drawbridge/protocol/bytes32';
import { WeightedLru } from '../weighted-lru.ts';

/** Imported keys that stay: notaries and vault parties are few and registered. */
const MAX_CACHED_KEYS = 1_024;

/**
 * A key that is no point of its curve, and a signature that has not the one form of its scheme, verify nothing. The form is
 * checked before OpenSSL, which takes more than one encoding of DER.
 */
export function cordaSignatureVerifier(): CordaSignatureVerifier {
  const keys = new WeightedLru<Hex, KeyObject | null>(MAX_CACHED_KEYS);
  return (key, message, signature) => {
    let imported = keys.get(key.hex);
    if (imported === undefined) {
      imported = importKey(key);
      keys.put(key.hex, imported);
    }
    if (imported === null || !isStrictSignature(key.scheme, signature)) return false;
    return verify(key.scheme === ED25519 ? null : 'sha256', message, imported, signature);
  };
}

function importKey({ spki }: CordaKey): KeyObject | null {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch {
    // OpenSSL names no reason to go by: the point is not on the curve.
    return null;
  }
}
