/** Changes of a vault's command: by its authority (rotate, pause, unpause) or by its guardians. The vault's state is consumed. */
import { type Bytes32, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import { cordaClassName } from '@drawbridge/protocol/corda-vault-classes';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { addressWord, type Instruction } from '@drawbridge/protocol/instruction';
import type { StateRef } from '@drawbridge/protocol/state-ref';
import { demandControl } from './corda-vault-control.ts';
import { demandOfVault, demandOutputs, freeOutput, refOf, type VaultFrame } from './corda-vault-frame.ts';
import { demandGuardians } from './corda-vault-guardians.ts';
import { signedInstruction } from './corda-vault-payment.ts';
import { wrong } from './corda-vault-refusal.ts';
import {
  type CordaGuard,
  type CordaVaultControl,
  type CordaVaultState,
  guardOf,
  vaultStateOf,
} from './corda-vault-states.ts';
import { demandTerms } from './corda-vault-terms.ts';

/** `tip`: the vault's state from now on. `id`: zero where guardians acted. */
type OfCommand = Readonly<{
  id: Bytes32;
  consumed: readonly StateRef[];
  tip: Readonly<{ ref: StateRef; control: CordaVaultControl }>;
}>;
export type CordaRotated = OfCommand &
  Readonly<{ type: 'rotated'; authority: Bytes32; epoch: number; byGuardian: boolean }>;
export type CordaPauseChanged = OfCommand & Readonly<{ type: 'pauseChanged'; paused: boolean; byGuardian: boolean }>;
export type CordaGuardianActed = OfCommand & Readonly<{ type: 'guardianProposed' | 'guardianCancelled' }>;
export type CordaCommanded = CordaRotated | CordaPauseChanged | CordaGuardianActed;

/** By the authority. @throws CordaVaultFault for whatever the shape does not allow */
export function readCommand(frame: VaultFrame, kind: 'rotate' | 'pause' | 'unpause'): CordaCommanded {
  const told = signedInstruction(frame);
  const next = nextState(frame);
  const { control } = frame.book.tip;
  if (told.epoch !== control.epoch) wrong('instruction', 'the instruction is of another epoch than the vault');
  const by = { ...control, lastInstruction: told.id };
  if (kind !== 'rotate') {
    const paused = kind === 'pause';
    demandControl(next, { ...by, pausedByAuthority: paused });
    return { type: 'pauseChanged', ...commanded(frame, told.id, next), paused, byGuardian: false };
  }
  const authority = newAuthority(told, control);
  demandControl(next, { ...by, authority, epoch: control.epoch + 1 });
  return rotated(frame, next, false);
}

function newAuthority({ subject }: Instruction, { authority }: CordaVaultControl): EvmAddress {
  const next = `0x${subject.slice(26)}` as EvmAddress;
  if (addressWord(next) !== subject) wrong('control', 'the new authority is no address');
  demandOther(next, authority);
  return next;
}

/** @throws CordaVaultFault control */
function demandOther(next: EvmAddress, authority: EvmAddress): void {
  if (next === NOBODY || next === authority) wrong('control', 'the new authority is no other address');
}
const NOBODY: EvmAddress = `0x${'00'.repeat(20)}` as EvmAddress;

/** By guardians, of whom enough signed. @throws CordaVaultFault for whatever the shape does not allow */
export function readGuard(frame: VaultFrame): CordaCommanded {
  const guard = guardOf(frame.command.data);
  const next = nextState(frame);
  demandGuardians(frame, guard);
  demandControl(next, controlAfter(guard, frame, next));
  const common = commanded(frame, ZERO_BYTES32, next);
  switch (guard.action) {
    case 'pause':
    case 'unpause':
      return { type: 'pauseChanged', ...common, paused: guard.action === 'pause', byGuardian: true };
    case 'propose':
      return { type: 'guardianProposed', ...common };
    case 'cancel':
      return { type: 'guardianCancelled', ...common };
    case 'complete':
      return rotated(frame, next, true);
  }
}

function controlAfter(guard: CordaGuard, { book, window }: VaultFrame, { terms }: CordaVaultState): CordaVaultControl {
  const { proposedAuthority, ...rest } = book.tip.control;
  const proposal = proposedAuthority === undefined ? {} : { proposedAuthority };
  const acted = { ...rest, guardianNonce: rest.guardianNonce + 1n, lastInstruction: ZERO_BYTES32 };
  if (guard.action === 'pause' || guard.action === 'unpause') {
    return { ...acted, ...proposal, pausedByGuardian: guard.action === 'pause' };
  }
  if (guard.action === 'propose') {
    if (proposedAuthority !== undefined) wrong('control', 'a proposal is open');
    demandOther(guard.authority, rest.authority);
    const notBefore = BigInt(window.until.epochSeconds + 1) + terms.guardianDelaySeconds;
    return { ...acted, proposedAuthority: guard.authority, proposalNotBefore: notBefore };
  }
  if (proposedAuthority === undefined) return wrong('control', 'no proposal is open');
  if (guard.action === 'cancel') return { ...acted, proposalNotBefore: 0n };
  if (BigInt(window.from.epochSeconds) < rest.proposalNotBefore) wrong('timeWindow', 'the delay is not over');
  return {
    ...rest,
    authority: proposedAuthority,
    epoch: rest.epoch + 1,
    lastInstruction: ZERO_BYTES32,
    proposalNotBefore: 0n,
  };
}

/** The vault's state that follows the tip, of the same vault on the same terms. */
function nextState(frame: VaultFrame): CordaVaultState {
  const { facts, root, book, inputs } = frame;
  if (facts.references.length > 0) wrong('reference', 'a change of command refers to nothing');
  if (inputs.length !== 1 || inputs[0] !== book.tip.ref) wrong('inputs', 'not the state of the vault is consumed');
  demandOutputs(frame, 1);
  const next = vaultStateOf(freeOutput(frame, 0, cordaClassName('VaultState')).data);
  demandOfVault(next, root);
  demandTerms(next.terms, root);
  return next;
}

const commanded = (frame: VaultFrame, id: Bytes32, { control }: CordaVaultState): OfCommand => ({
  id,
  consumed: frame.inputs,
  tip: { ref: refOf(frame, 0), control },
});

function rotated(frame: VaultFrame, next: CordaVaultState, byGuardian: boolean): CordaRotated {
  const { authority, epoch, lastInstruction } = next.control;
  return {
    type: 'rotated',
    ...commanded(frame, lastInstruction, next),
    authority: addressWord(authority),
    epoch,
    byGuardian,
  };
}
