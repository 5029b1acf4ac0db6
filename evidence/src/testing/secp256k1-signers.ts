/** Validators with fixed keys, and recovery of who sealed, by `@noble/curves`, for tests and benchmarks. */
import { toHex } from '@drawbridge/protocol/bytes32';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes } from '@noble/hashes/utils.js';
import type { SealRecovery } from '../sealed-header.ts';

export type Signer = Readonly<{
  address: EvmAddress;
  /** r ‖ s ‖ v over 32 bytes; deterministic (RFC 6979), s low. */
  seal: (digest: Uint8Array) => Uint8Array;
}>;

const addressOf = (publicKey: Uint8Array): EvmAddress =>
  toHex(keccak_256(publicKey.subarray(1)).subarray(12)) as EvmAddress;

const made = new Map<number, Signer>();
/** Who signed what, so that tests which verify one chain again and again recover each seal once. */
const answers = new Map<string, EvmAddress | undefined>();
const questionOf = (digest: Uint8Array, signature: Uint8Array, recovery: number | undefined): string =>
  `${toHex(digest)}${toHex(signature)}${recovery}`;

/** The same key for the same `seed` in every run. */
export function signer(seed: number): Signer {
  const known = made.get(seed);
  if (known !== undefined) return known;
  const key = keccak_256(Uint8Array.of(0x5e, seed >> 8, seed));
  const created: Signer = {
    address: addressOf(secp256k1.getPublicKey(key, false)),
    seal: (digest) => {
      const recovered = secp256k1.sign(digest, key, { prehash: false, format: 'recovered' });
      const signature = recovered.subarray(1);
      answers.set(questionOf(digest, signature, recovered[0]), created.address);
      return concatBytes(signature, recovered.subarray(0, 1));
    },
  };
  made.set(seed, created);
  return created;
}

/** The first `count` signers, seeds from 1. */
export const signers = (count: number): readonly Signer[] => Array.from({ length: count }, (_, i) => signer(i + 1));

function recovered(digest: Uint8Array, signature: Uint8Array, recovery: 0 | 1): EvmAddress | undefined {
  try {
    const point = secp256k1.Signature.fromBytes(signature, 'compact').addRecoveryBit(recovery).recoverPublicKey(digest);
    return addressOf(point.toBytes(false));
  } catch {
    // The library throws for nothing but signatures that no key made.
    return undefined;
  }
}

/** Takes high s and any recovery id by its last bit, so that a verifier that leaves these to its port is found out. */
export const recoverSealer: SealRecovery = (digest, signature, recovery) => {
  const bit = recovery % 2 === 0 ? 0 : 1;
  const question = questionOf(digest, signature, bit);
  if (!answers.has(question)) answers.set(question, recovered(digest, signature, bit));
  return answers.get(question);
};
