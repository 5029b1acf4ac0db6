/**
 * Who signed a seal: recovery over secp256k1. The curve is libsecp256k1's (package `secp256k1`, with its own binary for the
 * platforms that have enclaves) and `@noble/curves` elsewhere, a tenth as fast; docs/performance.md has the figures. What is
 * accepted is decided here, before either, so that every node finds the same.
 */
import { keccak256 } from '@drawbridge/evidence/keccak';
import type { SealRecovery } from '@drawbridge/evidence/sealed-header';
import { toHex } from '@drawbridge/protocol/bytes32';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { secp256k1 } from '@noble/curves/secp256k1.js';

/** Writes the public key, 65 bytes with the prefix 4, into `output`. Throws when there is none. */
export type KeyRecovery = (signature: Uint8Array, recovery: 0 | 1, digest: Uint8Array, output: Uint8Array) => void;

/** Half the order of the curve, big-endian: the largest s that is low (EIP-2). */
const HALF_ORDER: Uint8Array = Uint8Array.from(
  Buffer.from('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0', 'hex'),
);
/** The order of the curve, big-endian. r and s are below it. */
const ORDER: Uint8Array = Uint8Array.from(
  Buffer.from('fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141', 'hex'),
);

const isZero = (scalar: Uint8Array): boolean => scalar.every((byte) => byte === 0);

/** Libsecp256k1, or `undefined` where its package has no binary for this machine. */
export async function libsecp256k1(): Promise<KeyRecovery | undefined> {
  try {
    const { default: bindings } = await import('secp256k1/bindings.js');
    return (signature, recovery, digest, output) => {
      bindings.ecdsaRecover(signature, recovery, digest, false, output);
    };
  } catch {
    // node-gyp-build says only in words that it found no binary; the other library does the same work.
    return undefined;
  }
}

/** In JavaScript, on every platform. */
export const nobleSecp256k1: KeyRecovery = (signature, recovery, digest, output) => {
  const recovered = secp256k1.Signature.fromBytes(signature, 'compact').addRecoveryBit(recovery);
  output.set(recovered.recoverPublicKey(digest).toBytes(false));
};

/** Refuses all but 32 bytes signed with a recovery bit and r, s of the curve, s low. */
export function addressRecovery(recoverKey: KeyRecovery): SealRecovery {
  const key = new Uint8Array(65);
  return (digest, signature, recovery) => {
    if (digest.length !== 32 || signature.length !== 64 || (recovery !== 0 && recovery !== 1)) return undefined;
    const r = signature.subarray(0, 32);
    const s = signature.subarray(32);
    if (isZero(r) || isZero(s) || Buffer.compare(r, ORDER) >= 0 || Buffer.compare(s, HALF_ORDER) > 0) return undefined;
    try {
      recoverKey(signature, recovery, digest, key);
    } catch {
      // No point of the curve has this r, or the key would be the point at infinity.
      return undefined;
    }
    return toHex(keccak256(key.subarray(1)).subarray(12)) as EvmAddress;
  };
}

const native = await libsecp256k1();

/** Which library recovers in this process. */
export const RECOVERY_LIBRARY: 'libsecp256k1' | '@noble/curves' = native ? 'libsecp256k1' : '@noble/curves';

/** What the core gives its verifiers. */
export const recoverSealer: SealRecovery = addressRecovery(native ?? nobleSecp256k1);
