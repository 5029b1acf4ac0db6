/**
 * What a revert of the vault means for a worker. The vault's errors carry amounts and addresses: only their names and
 * our own words go further.
 */
import type { Hex } from '@drawbridge/protocol/bytes32';
import { Interface } from 'ethers';
import { vaultArtifact } from './vault-artifact.ts';

/**
 * `spent`: the id is used up, look it up. `later`: may pass another time; a destination that refuses is of this kind,
 * since only a void ends an instruction. `never`: this instruction cannot pass on this vault.
 */
export type VaultRefusal = Readonly<{ kind: 'spent' | 'expired' | 'later' | 'never'; code: string; words: string }>;

type Meaning = readonly [kind: VaultRefusal['kind'], words: string];

/** By the names of `VaultErrors.sol`; what is not here is the token's own error. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  AlreadySpent: ['spent', 'the instruction was executed or voided before'],
  InstructionExpired: ['expired', 'the instruction came too late'],
  NotInitialized: ['later', 'the vault is not initialized'],
  ReentrantCall: ['later', 'the token called the vault back'],
  VaultPaused: ['later', 'the vault is paused'],
  ReleaseCapExceeded: ['later', "the vault's release cap is used up for now"],
  TokenRefused: ['later', 'the token refuses the payment'],
  TransferNotExact: ['later', 'the token moved another amount than it was told to'],
  WrongEpoch: ['later', "the instruction's epoch is not the vault's"],
  UnknownLock: ['later', 'the lock to refund is not known'],
  MigrationNotApproved: ['later', 'the guardians have not agreed to the successor'],
  InvalidSuccessor: ['later', 'the successor does not fit'],
  VaultClosed: ['never', 'the vault migrated to its successor'],
  KindNotAllowed: ['never', 'the vault does not take this kind of instruction'],
  WrongAsset: ['never', 'the instruction is for another asset'],
  ExpiryNotAllowed: ['never', 'this kind of instruction must not expire'],
  InputsNotEmpty: ['never', 'this ledger has no inputs to consume'],
  ZeroId: ['never', 'the instruction has no id'],
  TrailTooLong: ['never', 'the trail is too long'],
  SignatureMalformed: ['never', 'the signature is malformed'],
  SignatureHighS: ['never', 'the signature is not in its canonical form'],
  WrongSigner: ['never', "the signature is not the vault's authority's"],
  InvalidAmount: ['never', 'the amount is outside the range of amounts'],
  InvalidBeneficiary: ['never', 'the beneficiary cannot be paid on this vault'],
  InvalidSubject: ['never', 'the subject does not fit the kind of instruction'],
  InvalidAuthority: ['never', 'the new authority is the present one'],
  LockAlreadyRefunded: ['never', 'the lock was refunded before'],
  RefundMismatch: ['never', 'the refund does not fit its lock'],
};

const DESTINATION: VaultRefusal = {
  kind: 'later',
  code: 'DESTINATION_REVERTED',
  words: 'the token or the beneficiary refuses the payment',
};

const vault = new Interface(vaultArtifact.abi);

/** @param data ABI-encoded error of a revert. */
export function vaultRefusal(data: Hex): VaultRefusal {
  // By selector alone: what follows it comes from a token that may answer anything.
  const name = data.length >= 10 ? vault.getError(data.slice(0, 10))?.name : undefined;
  const meaning = name === undefined ? undefined : MEANINGS[name];
  if (name === undefined || !meaning) return DESTINATION;
  return { kind: meaning[0], code: `VAULT_${constantCase(name)}`, words: meaning[1] };
}

const constantCase = (name: string): string => name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
