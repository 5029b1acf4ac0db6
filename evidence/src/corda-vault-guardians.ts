/** Guardians' signatures on what they do to a vault, as the contract demands them (`GuardianAction.java`). */
import { fromHex } from '@drawbridge/protocol/bytes32';
import { guardianDigest } from '@drawbridge/protocol/guardian-action';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import type { VaultFrame } from './corda-vault-frame.ts';
import { wrong } from './corda-vault-refusal.ts';
import { saltOf } from './corda-vault-root.ts';
import type { CordaGuard } from './corda-vault-states.ts';
import { recoveredSigner, SIGNATURE_BYTES } from './recovered-signer.ts';

/**
 * Recovers at most one signature more than there are guardians: a repeated or strange one ends it.
 * @throws CordaVaultFault guardians, unless enough of the vault's guardians signed just this, each once
 */
export function demandGuardians({ root, book, recover }: VaultFrame, guard: CordaGuard): void {
  const bytes = fromHex(guard.signatures);
  if (guard.action === 'complete') {
    if (bytes.length > 0) wrong('guardians', 'a completion carries no signatures');
    return;
  }
  const { addresses, threshold } = root.guardians;
  if (bytes.length < threshold * SIGNATURE_BYTES) wrong('guardians', 'too few guardians signed');
  const digest = fromHex(guardianDigest(saltOf(root), guard, book.tip.control.guardianNonce));
  const signers = new Set<EvmAddress>();
  for (let at = 0; at < bytes.length; at += SIGNATURE_BYTES) {
    const signature = bytes.subarray(at, at + SIGNATURE_BYTES);
    const signer = recoveredSigner(signature, digest, recover) ?? wrong('guardians', 'a signature is malformed');
    if (!addresses.includes(signer)) wrong('guardians', 'a signature is of no guardian');
    if (signers.has(signer)) wrong('guardians', 'a guardian signed twice');
    signers.add(signer);
  }
}
