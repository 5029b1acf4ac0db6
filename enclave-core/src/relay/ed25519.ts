/** Ed25519 for evidence, over `node:crypto`. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { SignatureVerifier } from '@drawbridge/evidence/observers';
import { fromHex, type Hex } from '@drawbridge/protocol/bytes32';
import { WeightedLru } from '../weighted-lru.ts';

/** Imported keys that stay; a key costs more to import than a signature to check. */
const MAX_CACHED_KEYS = 1_024;

/** A malformed key or signature verifies nothing. */
export function ed25519Verifier(): SignatureVerifier {
  const keys = new WeightedLru<Hex, KeyObject | null>(MAX_CACHED_KEYS);
  return (publicKey, message, signature) => {
    let key = keys.get(publicKey);
    if (key === undefined) {
      key = importKey(publicKey);
      keys.put(publicKey, key);
    }
    return key !== null && signature.length === 130 && verify(null, message, key, fromHex(signature));
  };
}

function importKey(publicKey: Hex): KeyObject | null {
  if (publicKey.length !== 66) return null;
  const x = Buffer.from(fromHex(publicKey)).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}
