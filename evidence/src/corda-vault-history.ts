/**
 * A vault's transactions judged by whoever looks on, without the core's ledger: from the vault's first state, which is registered, along
 * the changes of its command. What the authority of a state signed is what an instruction under that state may say. Pure.
 */
import { fromHex } from '@drawbridge/protocol/bytes32';
import { cordaClassName } from '@drawbridge/protocol/corda-vault-classes';
import { type Instruction, instructionDigest } from '@drawbridge/protocol/instruction';
import { firstControl } from '@drawbridge/protocol/state-event';
import { type StateRef, stateRef } from '@drawbridge/protocol/state-ref';
import { AmqpFault } from './corda-amqp.ts';
import type { CordaFacts } from './corda-notary.ts';
import { type CordaCreated, readVaultCreation } from './corda-vault-creation.ts';
import type { CordaVaultRefusal } from './corda-vault-refusal.ts';
import { type CordaVaultRoot, saltOf } from './corda-vault-root.ts';
import { type CordaVaultControl, instructionOf, signatureOf } from './corda-vault-states.ts';
import { type CordaVaultEvent, readVaultTransaction } from './corda-vault-transaction.ts';
import { recoveredSigner } from './recovered-signer.ts';
import type { SealRecovery } from './sealed-header.ts';

/** States of one vault, the present one and earlier ones, and who commanded it by each. */
export type KnownVaultStates = ReadonlyMap<StateRef, CordaVaultControl>;

/** As it was made. */
export const firstVaultStates = ({ state, authority }: CordaVaultRoot): KnownVaultStates =>
  new Map([[state, firstControl(authority)]]);

/** `states`: those that are known after it. */
type Judged = Readonly<{ ok: true; event: CordaVaultEvent | CordaCreated; states: KnownVaultStates }>;

/**
 * @param facts of `verifyCordaEvidence`, under the network's trust root
 * @returns nothing where the transaction names no state of the vault that is known
 */
export function judgeVaultTransaction(
  facts: CordaFacts,
  root: CordaVaultRoot,
  known: KnownVaultStates,
  recover: SealRecovery,
): Judged | CordaVaultRefusal | undefined {
  if (stateRef(facts.transactionId, 0) === root.state) {
    const created = readVaultCreation(facts, root);
    return created.ok ? { ...created, states: known } : created;
  }
  const named = [...facts.references, ...facts.inputs].map(({ transactionId, index }) =>
    stateRef(transactionId, index),
  );
  const ref = named.find((each) => known.has(each));
  const control = ref && known.get(ref);
  if (ref === undefined || control === undefined) return undefined;
  const signed = signedInstruction(facts, root, control, recover);
  const book = { tip: { ref, control }, wasTip: () => false, instruction: () => signed };
  const read = readVaultTransaction(facts, root, book, recover);
  if (!read.ok) return read;
  const { event } = read;
  const states = 'tip' in event ? new Map([...known, [event.tip.ref, event.tip.control]]) : known;
  return { ok: true, event, states };
}

/** What the transaction was told to do, if the vault's authority signed that. */
function signedInstruction(
  { commands }: CordaFacts,
  root: CordaVaultRoot,
  { authority }: CordaVaultControl,
  recover: SealRecovery,
): Instruction | undefined {
  const command = commands.find(({ data }) => data.type === cordaClassName('Instruct'));
  if (command === undefined) return undefined;
  try {
    const told = instructionOf(command.data);
    const digest = fromHex(instructionDigest(saltOf(root), told));
    return recoveredSigner(signatureOf(command.data), digest, recover) === authority ? told : undefined;
  } catch (error) {
    // What no instruction says is refused by the reader of the transaction, which has words for it.
    if (error instanceof AmqpFault) return undefined;
    throw error;
  }
}
