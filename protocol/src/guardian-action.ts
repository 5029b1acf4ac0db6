/**
 * What the guardians of a vault sign: EIP-712 typed data under the vault's domain, the same on every ledger. The nonce counts
 * what they have signed, so that no signature serves twice. Source of the types: `DrawbridgeVault.sol`, `GuardianAction.java`.
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { type Bytes32, fromHex, toBytes32 } from './bytes32.ts';
import type { EvmAddress } from './ids.ts';
import { addressWord, domainSeparator } from './instruction.ts';

/** `authority`: whom a proposal would put in charge. A completion is signed by nobody. */
export type GuardianAction =
  | Readonly<{ action: 'pause' | 'unpause' | 'cancel' }>
  | Readonly<{ action: 'propose'; authority: EvmAddress }>;

const typeHash = (type: string): Uint8Array => keccak_256(utf8ToBytes(type));
const TYPES: Readonly<Record<GuardianAction['action'], Uint8Array>> = {
  pause: typeHash('GuardianPause(uint64 nonce)'),
  unpause: typeHash('GuardianUnpause(uint64 nonce)'),
  propose: typeHash('GuardianReplaceAuthority(address authority,uint64 nonce)'),
  cancel: typeHash('GuardianCancel(uint64 nonce)'),
};
const PREFIX = Uint8Array.of(0x19, 0x01);

/** @param salt of the vault's domain. @param nonce below 2⁶⁴. */
export function guardianDigest(salt: Bytes32, action: GuardianAction, nonce: bigint): Bytes32 {
  const word = new Uint8Array(32);
  new DataView(word.buffer).setBigUint64(24, nonce);
  const subject = action.action === 'propose' ? fromHex(addressWord(action.authority)) : new Uint8Array();
  const struct = keccak_256(concatBytes(TYPES[action.action], subject, word));
  return toBytes32(keccak_256(concatBytes(PREFIX, fromHex(domainSeparator(salt)), struct)));
}
