/** Who signed a seal, by `@noble/curves`. A few seals a second are enough here; the core has a faster library. */
import { keccak256 } from '@drawbridge/evidence/keccak';
import type { SealRecovery } from '@drawbridge/evidence/sealed-header';
import { toHex } from '@drawbridge/protocol/bytes32';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { secp256k1 } from '@noble/curves/secp256k1.js';

/** Low s only: the other one would be a second seal of the same signer, made by anybody. */
export const recoverSealer: SealRecovery = (digest, signature, recovery) => {
  if (digest.length !== 32 || (recovery !== 0 && recovery !== 1)) return undefined;
  try {
    const made = secp256k1.Signature.fromBytes(signature, 'compact');
    if (made.hasHighS()) return undefined;
    const key = made.addRecoveryBit(recovery).recoverPublicKey(digest).toBytes(false);
    return toHex(keccak256(key.subarray(1)).subarray(12)) as EvmAddress;
  } catch {
    // The library throws for nothing but signatures that no key made.
    return undefined;
  }
};
