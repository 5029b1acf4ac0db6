/** What is demanded of every transaction of a vault, and of states of a vault wherever they stand. */

import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { type Hex, toHex } from '@drawbridge/protocol/bytes32';
import {
  CORDA_CASH_CONTRACT,
  CORDA_TOKEN_CONTRACT,
  CORDA_VAULT_CONTRACT,
  type CordaVaultClass,
  cordaClassName,
} from '@drawbridge/protocol/corda-vault-classes';
import type { InstructionId } from '@drawbridge/protocol/ids';
import type { Instruction } from '@drawbridge/protocol/instruction';
import { type StateRef, stateRef } from '@drawbridge/protocol/state-ref';
import { type CordaOutput, type CordaParty, type CordaTimeWindow, cashOf, sameConstraint } from './corda-facts.ts';
import type { CordaFacts } from './corda-notary.ts';
import type { CordaCommand } from './corda-transaction.ts';
import { TYPE } from './corda-types.ts';
import { wrong } from './corda-vault-refusal.ts';
import type { CordaVaultRoot } from './corda-vault-root.ts';
import { type CordaVaultControl, coinStateOf } from './corda-vault-states.ts';
import type { SealRecovery } from './sealed-header.ts';

/** What is known of the vault when a transaction is judged; docs/adr/0018. */
export type CordaVaultBook = Readonly<{
  tip: Readonly<{ ref: StateRef; control: CordaVaultControl }>;
  /** Whether it was the vault's state before the tip. */
  wasTip: (ref: StateRef) => boolean;
  /** What was signed under an id, its epoch the last that it was signed in. */
  instruction: (id: InstructionId) => Instruction | undefined;
}>;

/** `ref`: of the cash, or of the record. */
export type CordaCoin = Readonly<{ ref: StateRef; amountMinor: bigint }>;

const MAX_WINDOW_SECONDS = 600;
const NANOS = 1e9;
const CASH_MOVE = 'net.corda.finance.contracts.asset.Cash$Commands$Move';

/** A transaction of a vault, whatever is known of the vault. */
export type TransactionFrame = Readonly<{
  facts: CordaFacts;
  root: CordaVaultRoot;
  command: CordaCommand;
  window: Required<CordaTimeWindow>;
  /** All that is consumed, as it was named. */
  inputs: readonly StateRef[];
}>;

/** One that is judged by what is known. */
export type VaultFrame = TransactionFrame &
  Readonly<{
    book: CordaVaultBook;
    inputsHash: Bytes32;
    /** Of guardians. */
    recover: SealRecovery;
  }>;

/** @param names of the commands that it may have. @throws CordaVaultFault timeWindow, command, contract, inputs */
export function transactionFrame(
  facts: CordaFacts,
  root: CordaVaultRoot,
  names: readonly CordaVaultClass[],
): TransactionFrame {
  const window = closedWindow(facts.timeWindow);
  const command = commandOf(facts, root, names.map(cordaClassName));
  for (const output of facts.outputs) demandGoverned(output, root);
  const inputs = facts.inputs.map(({ transactionId, index }) => stateRef(transactionId, index));
  if (inputs.length === 0) wrong('inputs', 'nothing is consumed');
  return { facts, root, command, window, inputs };
}

function closedWindow(window: CordaTimeWindow | undefined): Required<CordaTimeWindow> {
  const { from, until } = window ?? {};
  if (from === undefined || until === undefined) return wrong('timeWindow', 'a time window with both ends is needed');
  const length = until.epochSeconds - from.epochSeconds + (until.nanos - from.nanos) / NANOS;
  if (length > MAX_WINDOW_SECONDS) wrong('timeWindow', 'the time window is too long');
  return { from, until };
}

/** The one command of ours; beside it, in escrow, cash may be moved, and nothing else may be commanded. */
function commandOf({ commands }: CordaFacts, { mode }: CordaVaultRoot, allowed: readonly string[]): CordaCommand {
  const command = commands.find(({ data }) => allowed.includes(data.type));
  if (command === undefined) return wrong('command', 'there is no command of the vault');
  const others = commands.filter((other) => other !== command);
  const moves = others.every(({ data }) => mode === 'escrow' && data.type === CASH_MOVE);
  return moves ? command : wrong('command', 'something else is commanded too');
}

const CONTRACTS: ReadonlyMap<string, string> = new Map([
  ...(['VaultState', 'PermitState', 'CoinState', 'LockState'] as const).map((name): [string, string] => [
    cordaClassName(name),
    CORDA_VAULT_CONTRACT,
  ]),
  [cordaClassName('TokenState'), CORDA_TOKEN_CONTRACT],
]);

/** A state of ours is under the contract of its class and under the constraint of this vault. */
function demandGoverned({ data, contract, constraint }: CordaOutput, root: CordaVaultRoot): void {
  const ours = CONTRACTS.get(data.type);
  if (ours === undefined) return;
  if (contract !== ours) wrong('contract', 'a state is under another contract than its own');
  if (!sameConstraint(constraint, root.constraint)) wrong('contract', 'a state is under other code than the vault');
}

/** @throws CordaVaultFault vaultSignature unless the command needs the vault party's key, and that key signed */
export function demandVaultSigned({ facts, root, command }: TransactionFrame): void {
  if (!command.signers.includes(root.party)) wrong('vaultSignature', 'the command does not need the vault party');
  if (!facts.signedBy.includes(root.party)) wrong('vaultSignature', 'the vault party did not sign');
}

/** Whether the tip is referred to; else it is an earlier state of the vault. @throws CordaVaultFault reference */
export function refersToTip({ facts, book }: VaultFrame): boolean {
  const [reference, ...more] = facts.references.map(({ transactionId, index }) => stateRef(transactionId, index));
  if (reference === undefined || more.length > 0) return wrong('reference', 'not one state is referred to');
  if (reference === book.tip.ref) return true;
  return book.wasTip(reference) ? false : wrong('reference', 'what is referred to is not the state of the vault');
}

export function outputAt({ facts }: TransactionFrame, index: number): CordaOutput {
  return facts.outputs[index] ?? wrong('shape', 'an output is missing');
}

/** @throws CordaVaultFault shape */
export function demandOutputs({ facts }: TransactionFrame, count: number): void {
  if (facts.outputs.length !== count) wrong('shape', 'there are more outputs than the command makes, or fewer');
}

/** An output of this class that nothing encumbers. */
export function freeOutput(frame: TransactionFrame, index: number, type: string): CordaOutput {
  const output = outputAt(frame, index);
  if (output.data.type !== type) wrong('shape', 'an output is of another class than stands there');
  if (output.encumbrance !== undefined) wrong('encumbrance', 'an output is encumbered that must be free');
  return output;
}

/** @throws CordaVaultFault vault */
export function demandOfVault(
  state: Readonly<{ vaultId: Bytes32; vaultParty: CordaParty }>,
  { vaultId, party }: CordaVaultRoot,
): void {
  if (state.vaultId !== vaultId) wrong('vault', 'a state is of another vault');
  if (state.vaultParty.key !== party) wrong('vault', 'a state is kept by another party');
}

export const refOf = ({ facts }: TransactionFrame, index: number): StateRef => stateRef(facts.transactionId, index);

/** Cash as the vault takes it: who owns it and how much. @throws CordaVaultFault shape, cash */
export function cashAt(frame: VaultFrame, index: number): Readonly<{ owner: Hex; amountMinor: bigint }> {
  const { data, contract, constraint } = outputAt(frame, index);
  const { cash, currency } = frame.root;
  if (data.type !== TYPE.cash || cash === undefined) return wrong('shape', 'an output is not cash');
  if (contract !== CORDA_CASH_CONTRACT || !sameConstraint(constraint, cash.constraint)) {
    wrong('cash', 'cash is under other code than the vault takes');
  }
  const found = cashOf(data);
  if (found.issuer.key !== cash.issuerKey) wrong('cash', 'cash is of another issuer');
  if (found.issuerReference !== cash.issuerReference) wrong('cash', 'cash has another reference of its issuer');
  if (found.currency !== currency) wrong('cash', 'cash is of another currency');
  return { owner: found.owner.key, amountMinor: found.quantity };
}

/** Cash at `index` and its guard at the next, each encumbered by the other. */
export function coinAt(frame: VaultFrame, index: number): CordaCoin {
  const { owner, amountMinor } = cashAt(frame, index);
  if (owner !== frame.root.party) wrong('cash', 'a coin is not owned by the vault party');
  const guard = outputAt(frame, index + 1);
  if (guard.data.type !== cordaClassName('CoinState')) wrong('shape', 'cash of the vault has no guard');
  if (outputAt(frame, index).encumbrance !== index + 1) wrong('encumbrance', 'cash is not encumbered by its guard');
  if (guard.encumbrance !== index) wrong('encumbrance', 'a guard is not encumbered by its cash');
  const coin = coinStateOf(guard.data);
  demandOfVault(coin, frame.root);
  if (coin.amountMinor !== amountMinor) wrong('amount', 'a guard is of another amount than its cash');
  return { ref: refOf(frame, index), amountMinor };
}

export const hexOrEmpty = (bytes: Hex | undefined): Hex => bytes ?? toHex(new Uint8Array());
