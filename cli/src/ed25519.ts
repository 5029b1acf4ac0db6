/** Ed25519 by `node:crypto`: checking signatures of observers, and signing amendments. */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type { SignatureVerifier } from '@drawbridge/evidence/observers';
import { fromHex, type Hex, toHex } from '@drawbridge/protocol/bytes32';
import { CliError } from './cli-error.ts';

/** A malformed key or signature verifies nothing. */
export const verifyEd25519: SignatureVerifier = (publicKey, message, signature) => {
  if (publicKey.length !== 66 || signature.length !== 130) return false;
  const x = Buffer.from(fromHex(publicKey)).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, message, key, fromHex(signature));
};

/** `key` is the public one: 32 bytes. */
export type SignatureByKey = Readonly<{ key: Hex; signature: Hex }>;

/** @throws CliError unless `pem` is an Ed25519 private key (PKCS#8). */
export function signEd25519(pem: string, message: Uint8Array): SignatureByKey {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new CliError('FILE', 'the key file does not hold a private key in PEM', { cause });
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new CliError('FILE', `the key is of type ${key.asymmetricKeyType}; bootstrap keys are Ed25519`);
  }
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return { key: toHex(spki.subarray(-32)), signature: toHex(sign(null, message, key)) };
}
