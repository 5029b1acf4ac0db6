/** Release, issue, refund and void as they happened: docs/adr/0016 has the shapes. */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { cordaClassName, MAX_CORDA_COINS } from '@drawbridge/protocol/corda-vault-classes';
import type { Instruction } from '@drawbridge/protocol/instruction';
import { accountWord, type StateRef } from '@drawbridge/protocol/state-ref';
import {
  type CordaCoin,
  cashAt,
  coinAt,
  demandOfVault,
  demandOutputs,
  demandVaultSigned,
  freeOutput,
  refersToTip,
  refOf,
  type VaultFrame,
} from './corda-vault-frame.ts';
import { wrong } from './corda-vault-refusal.ts';
import { instructionOf, permitStateOf, tokenStateOf } from './corda-vault-states.ts';

/** `consumed`: ascending as the transaction names them. `permit`: as it was made again. */
type OfPayment = Readonly<{
  id: Bytes32;
  subject: Bytes32;
  epoch: number;
  trail: Instruction['trail'];
  consumed: readonly StateRef[];
  permit: Readonly<{ index: number; ref: StateRef }>;
}>;
/** `coin`: change. */
export type CordaExecuted = OfPayment &
  Readonly<{
    type: 'executed';
    kind: 'release' | 'issue' | 'refund';
    beneficiary: Bytes32;
    amountMinor: bigint;
    coin?: CordaCoin;
  }>;
/** `coins`: the consumed ones made again, in the order of their refs. */
export type CordaVoided = OfPayment & Readonly<{ type: 'voided'; coins: readonly CordaCoin[] }>;

/** The command's instruction, equal to what was signed, over what is consumed. @throws CordaVaultFault */
export function signedInstruction(frame: VaultFrame): Instruction {
  demandVaultSigned(frame);
  const told = instructionOf(frame.command.data);
  const { root, book, window } = frame;
  if (told.inputs !== frame.inputsHash) wrong('inputs', 'the instruction names other states than are consumed');
  const signed = book.instruction(told.id) ?? wrong('instruction', 'no such instruction was signed');
  if (!sameInstruction(told, signed)) wrong('instruction', 'the instruction says something else than was signed');
  if (told.epoch > signed.epoch) wrong('instruction', 'the instruction is of an epoch in which it was not signed');
  if (told.asset !== root.asset) wrong('instruction', 'the instruction is over another asset');
  const { epochSeconds, nanos } = window.until;
  const last = nanos === 0 ? epochSeconds : epochSeconds + 1;
  if (told.notAfterSeconds !== 0 && last > told.notAfterSeconds) wrong('timeWindow', 'the instruction had expired');
  return told;
}

/** All fields but the asset, which is the vault's, and the epoch: an instruction is signed again after a rotation. */
const sameInstruction = (a: Instruction, b: Instruction): boolean =>
  a.id === b.id &&
  a.kind === b.kind &&
  a.subject === b.subject &&
  a.amountMinor === b.amountMinor &&
  a.beneficiary === b.beneficiary &&
  a.inputs === b.inputs &&
  a.notAfterSeconds === b.notAfterSeconds &&
  a.trail === b.trail;

/** @throws CordaVaultFault for whatever the shape does not allow */
export function readPayment(frame: VaultFrame): CordaExecuted | CordaVoided {
  const told = signedInstruction(frame);
  const { book, root } = frame;
  if (refersToTip(frame)) {
    if (told.epoch !== book.tip.control.epoch)
      wrong('instruction', 'the instruction is of another epoch than the vault');
    const waits = told.kind === 'release' || told.kind === 'issue';
    if (waits && isPaused(frame)) wrong('paused', 'releases and issues stand still');
  }
  const permit = permitAt(frame, told);
  const { id, subject, epoch, trail } = told;
  const common: OfPayment = { id, subject, epoch, trail, consumed: frame.inputs, permit };
  if (told.kind === 'void') return { type: 'voided', ...common, coins: coinsAgain(frame) };
  const { kind, beneficiary, amountMinor } = told;
  if (kind !== 'refund' && kind !== (root.mode === 'escrow' ? 'release' : 'issue')) {
    return wrong('command', 'this vault does not take this kind');
  }
  const coin = root.mode === 'escrow' ? payCash(frame, told) : issueToken(frame, told);
  return { type: 'executed', ...common, kind, beneficiary, amountMinor, ...(coin === undefined ? {} : { coin }) };
}

export const isPaused = ({ book: { tip } }: VaultFrame): boolean =>
  tip.control.pausedByAuthority || tip.control.pausedByGuardian;

/** The permit at output 0, which says what was done and how much of its cap has passed: so no payment is above the cap. */
function permitAt(frame: VaultFrame, { id, kind, amountMinor }: Instruction): OfPayment['permit'] {
  const permit = permitStateOf(freeOutput(frame, 0, cordaClassName('PermitState')).data);
  demandOfVault(permit, frame.root);
  const { index, current, previous, oldest } = permit;
  if (permit.lastInstruction !== id) wrong('permit', 'the permit was made by another instruction');
  if (index < 0 || index >= frame.root.permitCount) wrong('permit', 'the vault has no such permit');
  if (current + previous + oldest > frame.root.permitCapMinor) wrong('permit', 'more passed the permit than its cap');
  if (kind !== 'void' && current < amountMinor) wrong('permit', 'the permit does not count the payment');
  return { index, ref: refOf(frame, 0) };
}

/** How many coins are consumed beside `others`. */
function coinsConsumed({ inputs }: VaultFrame, others: number): number {
  const coins = (inputs.length - others) / 2;
  const possible = Number.isInteger(coins) && coins >= 1 && coins <= MAX_CORDA_COINS;
  return possible ? coins : wrong('inputs', 'what is consumed is not a permit with coins');
}

function payCash(frame: VaultFrame, { kind, beneficiary, amountMinor }: Instruction): CordaCoin | undefined {
  coinsConsumed(frame, kind === 'refund' ? 2 : 1);
  const change = frame.facts.outputs.length > 2;
  demandOutputs(frame, change ? 4 : 2);
  const paid = cashAt(frame, 1);
  freeOutput(frame, 1, frame.facts.outputs[1]?.data.type ?? '');
  demandPayee(frame, paid.owner, beneficiary);
  if (paid.amountMinor !== amountMinor) wrong('amount', 'another amount is paid than was instructed');
  return change ? coinAt(frame, 2) : undefined;
}

function issueToken(frame: VaultFrame, { kind, beneficiary, amountMinor }: Instruction): undefined {
  if (frame.inputs.length !== (kind === 'refund' ? 2 : 1)) wrong('inputs', 'something else is consumed than a permit');
  demandOutputs(frame, 2);
  const token = tokenStateOf(freeOutput(frame, 1, cordaClassName('TokenState')).data);
  if (token.vaultId !== frame.root.vaultId) wrong('vault', 'a token is of another vault');
  if (token.currency !== frame.root.currency) wrong('amount', 'a token has another name');
  demandPayee(frame, token.owner.key, beneficiary);
  if (token.amountMinor !== amountMinor) wrong('amount', 'another amount is issued than was instructed');
  return undefined;
}

function demandPayee({ root }: VaultFrame, owner: CordaExecuted['trail'], beneficiary: Bytes32): void {
  if (accountWord(owner) !== beneficiary) wrong('beneficiary', 'another is paid than was instructed');
  if (owner === root.party) wrong('beneficiary', 'the vault is paid by itself');
}

function coinsAgain(frame: VaultFrame): readonly CordaCoin[] {
  if (frame.root.mode === 'issue') {
    if (frame.inputs.length !== 1) wrong('inputs', 'the void of an issue consumes a permit alone');
    demandOutputs(frame, 1);
    return [];
  }
  const count = coinsConsumed(frame, 1);
  demandOutputs(frame, 1 + 2 * count);
  return Array.from({ length: count }, (_, i) => coinAt(frame, 1 + 2 * i));
}
