/**
 * How a vault came to be, held against its registration: from here on the vault is what governance says. The name follows from the one
 * state that was consumed, which the notary lets be consumed once, whatever that state was. So the seed itself need not be shown.
 */
import { ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import { cordaClassName } from '@drawbridge/protocol/corda-vault-classes';
import { firstControl } from '@drawbridge/protocol/state-event';
import { cordaVaultId, type StateRef } from '@drawbridge/protocol/state-ref';
import { AmqpFault } from './corda-amqp.ts';
import type { CordaFacts } from './corda-notary.ts';
import { demandControl } from './corda-vault-control.ts';
import {
  demandOfVault,
  demandOutputs,
  demandVaultSigned,
  freeOutput,
  refOf,
  type TransactionFrame,
  transactionFrame,
} from './corda-vault-frame.ts';
import { CordaVaultFault, type CordaVaultRefusal, wrong } from './corda-vault-refusal.ts';
import type { CordaVaultRoot } from './corda-vault-root.ts';
import { permitStateOf, vaultStateOf } from './corda-vault-states.ts';
import { demandTerms } from './corda-vault-terms.ts';

/** `consumed`: the seed. */
export type CordaCreated = Readonly<{ type: 'created'; consumed: readonly [StateRef] }>;

/** `facts`: of `verifyCordaEvidence`, under the network's trust root. */
export function readVaultCreation(
  facts: CordaFacts,
  root: CordaVaultRoot,
): Readonly<{ ok: true; event: CordaCreated }> | CordaVaultRefusal {
  try {
    return { ok: true, event: creationOf(transactionFrame(facts, root, ['Create'])) };
  } catch (error) {
    if (error instanceof CordaVaultFault) return error.refusal;
    if (error instanceof AmqpFault) return new CordaVaultFault('state', error.message).refusal;
    throw error;
  }
}

function creationOf(frame: TransactionFrame): CordaCreated {
  const { facts, root, inputs } = frame;
  demandVaultSigned(frame);
  if (refOf(frame, 0) !== root.state) wrong('creation', 'the vault is registered as made by another transaction');
  if (facts.references.length > 0) wrong('reference', 'a creation refers to nothing');
  const [seed, ...more] = inputs;
  if (seed === undefined || more.length > 0) return wrong('inputs', 'not one state is consumed');
  if (cordaVaultId(seed) !== root.vaultId) wrong('vault', 'the vault is named after another state');
  demandOutputs(frame, 1 + root.permitCount);
  const vault = vaultStateOf(freeOutput(frame, 0, cordaClassName('VaultState')).data);
  demandOfVault(vault, root);
  demandTerms(vault.terms, root);
  demandControl(vault, firstControl(root.authority));
  for (let index = 0; index < root.permitCount; index++) demandFirstPermit(frame, index);
  return { type: 'created', consumed: [seed] };
}

/** Of which nothing has passed. */
function demandFirstPermit(frame: TransactionFrame, index: number): void {
  const permit = permitStateOf(freeOutput(frame, 1 + index, cordaClassName('PermitState')).data);
  demandOfVault(permit, frame.root);
  const { bucket, current, previous, oldest, lastInstruction } = permit;
  const passed = [bucket, current, previous, oldest].some((sum) => sum !== 0n);
  if (permit.index !== index) wrong('permit', 'a permit is not the one that stands there');
  if (passed || lastInstruction !== ZERO_BYTES32) wrong('permit', 'a permit was used before the vault was made');
}
