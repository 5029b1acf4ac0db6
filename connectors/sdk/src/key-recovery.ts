/**
 * Recovery of a public key over secp256k1: by libsecp256k1 (package `secp256k1`) where that has a binary for this machine, and by
 * `@noble/curves` elsewhere, which takes ten times as long and, before it is compiled, more. Whoever calls has checked r and s.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';

/** 65 bytes with the prefix 4. @param signature r ‖ s, 64 bytes, each from 1 below the order. Throws when there is no such key. */
export type KeyRecovery = (signature: Uint8Array, recovery: number, digest: Uint8Array) => Uint8Array;

const KEY_BYTES = 65;

/** Nothing where the package has no binary. */
export async function nativeRecovery(): Promise<KeyRecovery | undefined> {
  try {
    const { default: bindings } = await import('secp256k1/bindings.js');
    return (signature, recovery, digest) =>
      bindings.ecdsaRecover(signature, recovery, digest, false, new Uint8Array(KEY_BYTES));
  } catch {
    // The package says only in words that it found none; the other library does the same work.
    return undefined;
  }
}

/** On every platform. */
export const portableRecovery: KeyRecovery = (signature, recovery, digest) =>
  secp256k1.Signature.fromBytes(signature, 'compact').addRecoveryBit(recovery).recoverPublicKey(digest).toBytes(false);

export const recoverKey: KeyRecovery = (await nativeRecovery()) ?? portableRecovery;
