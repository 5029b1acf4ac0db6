/**
 * From what is proven of one transaction to what happened at a vault: everything that docs/adr/0016 says the verifier must
 * demand. Pure. What the core knows and this does not (which instruction holds which states, amounts of coins) is the ledger's
 * to compare: `consumed` and what was made are handed on for that.
 */
import { cordaClassName } from '@drawbridge/protocol/corda-vault-classes';
import { inputsHash } from '@drawbridge/protocol/state-ref';
import { AmqpFault } from './corda-amqp.ts';
import type { CordaFacts } from './corda-notary.ts';
import { type CordaCommanded, readCommand, readGuard } from './corda-vault-command.ts';
import { type CordaVaultBook, transactionFrame, type VaultFrame } from './corda-vault-frame.ts';
import { type CordaLocked, readLock } from './corda-vault-lock.ts';
import { type CordaExecuted, type CordaVoided, readPayment } from './corda-vault-payment.ts';
import { CordaVaultFault, type CordaVaultRefusal } from './corda-vault-refusal.ts';
import type { CordaVaultRoot } from './corda-vault-root.ts';
import { instructionOf } from './corda-vault-states.ts';
import type { SealRecovery } from './sealed-header.ts';

export type CordaVaultEvent = CordaLocked | CordaExecuted | CordaVoided | CordaCommanded;

/**
 * Of a vault whose creation is known (`corda-vault-creation.ts`).
 * @param facts of `verifyCordaEvidence`, under the network's trust root
 * @param recover who signed, for guardians
 */
export function readVaultTransaction(
  facts: CordaFacts,
  root: CordaVaultRoot,
  book: CordaVaultBook,
  recover: SealRecovery,
): Readonly<{ ok: true; event: CordaVaultEvent }> | CordaVaultRefusal {
  try {
    const frame = transactionFrame(facts, root, ['Instruct', 'Guard', 'Lock']);
    return { ok: true, event: eventOf({ ...frame, book, inputsHash: inputsHash(frame.inputs), recover }) };
  } catch (error) {
    if (error instanceof CordaVaultFault) return error.refusal;
    if (error instanceof AmqpFault) return new CordaVaultFault('state', error.message).refusal;
    throw error;
  }
}

function eventOf(frame: VaultFrame): CordaVaultEvent {
  const { type } = frame.command.data;
  if (type === cordaClassName('Lock')) return readLock(frame);
  if (type === cordaClassName('Guard')) return readGuard(frame);
  const { kind } = instructionOf(frame.command.data);
  return kind === 'rotate' || kind === 'pause' || kind === 'unpause' ? readCommand(frame, kind) : readPayment(frame);
}
