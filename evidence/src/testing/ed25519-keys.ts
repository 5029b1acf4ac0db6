/** Ed25519 by `node:crypto` for tests and benchmarks: keys from fixed seeds, so that every run is the same. */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { fromHex, type Hex, toHex } from '@drawbridge/protocol/bytes32';
import type { SignatureVerifier } from '../observers.ts';
import type { SigningObserver } from './observed-lock.ts';

/** PKCS#8 around a raw seed (RFC 8410). */
const PKCS8_PREFIX = fromHex('302e020100300506032b657004220420');
const keys = new Map<Hex, KeyObject>();

/** `seed`: one byte, repeated 32 times. */
export function signingObserver(seed: number): SigningObserver {
  const der = Uint8Array.from([...PKCS8_PREFIX, ...new Uint8Array(32).fill(seed)]);
  const key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return { publicKey: toHex(spki.subarray(-32)), sign: (message) => toHex(sign(null, message, key)) };
}

/** Keys are kept after their first use, as a core does: observers are few and registered. */
export const verifier: SignatureVerifier = (publicKey, message, signature) => {
  const key = keys.get(publicKey) ?? publicKeyOf(publicKey);
  keys.set(publicKey, key);
  return verify(null, message, key, fromHex(signature));
};

function publicKeyOf(raw: Hex): KeyObject {
  const x = Buffer.from(fromHex(raw)).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}
