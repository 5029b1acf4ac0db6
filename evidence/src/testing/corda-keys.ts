/** Corda's three schemes by `node:crypto` for tests and benchmarks: keys from fixed seeds, and a verifier that keeps keys. */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { fromHex, type Hex, toHex } from '@drawbridge/protocol/bytes32';
import {
  type CordaKey,
  type CordaScheme,
  type CordaSignatureVerifier,
  ECDSA_SECP256K1,
  ECDSA_SECP256R1,
  ED25519,
} from '../corda-keys.ts';

export type CordaSigner = Readonly<{
  spki: Uint8Array;
  scheme: CordaScheme;
  sign: (message: Uint8Array) => Uint8Array;
}>;

/** All before the 32 bytes of the private key: PKCS#8 of Ed25519 (RFC 8410), SEC 1 inside PKCS#8 of the curves (RFC 5915). */
const PRIVATE_PREFIX: Readonly<Record<CordaScheme, Hex>> = {
  [ED25519]: '0x302e020100300506032b657004220420',
  [ECDSA_SECP256K1]: '0x303e020100301006072a8648ce3d020106052b8104000a042730250201010420',
  [ECDSA_SECP256R1]: '0x3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420',
};

/** `seed`: one byte, repeated 32 times, 1 to 127. Signatures of ECDSA differ in every run. */
export function cordaSigner(scheme: CordaScheme, seed: number): CordaSigner {
  const der = Uint8Array.from([...fromHex(PRIVATE_PREFIX[scheme]), ...new Uint8Array(32).fill(seed)]);
  const key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
  const spki = new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }));
  return { spki, scheme, sign: (message) => new Uint8Array(sign(digestOf(scheme), message, key)) };
}

const digestOf = (scheme: CordaScheme): 'sha256' | null => (scheme === ED25519 ? null : 'sha256');

const keys = new Map<Hex, KeyObject | null>();

function imported({ spki, hex }: CordaKey): KeyObject | null {
  const known = keys.get(hex);
  if (known !== undefined) return known;
  let key: KeyObject | null = null;
  try {
    key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch {
    // The point is not on its curve.
  }
  keys.set(hex, key);
  return key;
}

export const cordaVerifier: CordaSignatureVerifier = (key, message, signature) => {
  const object = imported(key);
  return object !== null && verify(digestOf(key.scheme), message, object, signature);
};

export const hexOf = (signer: CordaSigner): Hex => toHex(signer.spki);
