/** Changes of a vault's command: by its authority (rotate, pause, unpause) or by its guardians. The vault's state is consumed. */
import { type Bytes32, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import { cordaClassName } from '@drawbridge/protocol/corda-vault-classes';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { addressWord, type Instruction } from '@drawbridge/protocol/instruction';
import type { StateRef } from '@drawbridge/protocol/state-ref';
import { demandOfVault, demandOutputs, freeOutput, hexOrEmpty, refOf, type VaultFrame } from './corda-vault-frame.ts';
import { signedInstruction } from './corda-vault-payment.ts';
import { wrong } from './corda-vault-refusal.ts';
import {
  type CordaGuard,
  type CordaVaultControl,
  type CordaVaultState,
  guardOf,
  vaultStateOf,
} from './corda-vault-states.ts';

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

/** Of a vault that was just made. */
export const firstControl = (authority: EvmAddress): CordaVaultControl => ({
  authority,
  epoch: 1,
  guardianNonce: 0n,
  lastInstruction: ZERO_BYTES32,
  pausedByAuthority: false,
  pausedByGuardian: false,
  proposalNotBefore: 0n,
});

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
  if (addressWord(next) !== subject || next === authority) wrong('control', 'the new authority is no other address');
  return next;
}

/**
 * By guardians. That k of n signed is the word of the vault party's node or of a validating notary, as all that contracts check:
 * what is checked here is that the state follows from the one before.
 * @throws CordaVaultFault for whatever the shape does not allow
 */
export function readGuard(frame: VaultFrame): CordaCommanded {
  const guard = guardOf(frame.command.data);
  const next = nextState(frame);
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
  if ((guard.action === 'propose') !== (proposedAuthority === undefined)) {
    return wrong('control', 'a proposal is open, or none is');
  }
  if (guard.action === 'cancel') return { ...acted, proposalNotBefore: 0n };
  if (guard.action === 'propose') {
    if (guard.authority === undefined) return wrong('control', 'nobody is proposed');
    const notBefore = BigInt(window.until.epochSeconds + 1) + terms.guardianDelaySeconds;
    return { ...acted, proposedAuthority: guard.authority, proposalNotBefore: notBefore };
  }
  if (proposedAuthority === undefined) return wrong('control', 'nobody is proposed');
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
  const { terms } = next;
  const same =
    terms.asset === root.asset &&
    terms.currency === root.currency &&
    terms.mode === (root.mode === 'escrow' ? 1 : 2) &&
    terms.issuerKey === hexOrEmpty(root.cash?.issuerKey) &&
    terms.issuerReference === hexOrEmpty(root.cash?.issuerReference) &&
    terms.permitCap === root.permitCapMinor &&
    terms.permits === root.permitCount;
  return same ? next : wrong('terms', 'the vault has other terms than are registered');
}

function demandControl({ control }: CordaVaultState, expected: CordaVaultControl): void {
  const same =
    control.authority === expected.authority &&
    control.epoch === expected.epoch &&
    control.guardianNonce === expected.guardianNonce &&
    control.lastInstruction === expected.lastInstruction &&
    control.pausedByAuthority === expected.pausedByAuthority &&
    control.pausedByGuardian === expected.pausedByGuardian &&
    control.proposalNotBefore === expected.proposalNotBefore &&
    control.proposedAuthority === expected.proposedAuthority;
  if (!same) wrong('control', 'the state is not what the command makes of the one before');
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
