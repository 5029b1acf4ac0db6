/**
 * Who signed a transaction. A notary signs the root of a partial Merkle tree over its batch, whose leaf is SHA-256 of the
 * transaction's id, also when it is alone in it; a party signs the id itself. The tree keeps them apart: the same key that
 * signs as a party of a transaction has not notarised it.
 */
import type { CordaSignature } from '@drawbridge/protocol/corda-evidence';
import { type CordaKey, type CordaSignatureVerifier, isStrictSignature } from './corda-keys.ts';
import { readTree, sameBytes } from './corda-merkle.ts';
import { type CordaRefusal, refuse } from './corda-refusal.ts';
import { signableBytes } from './corda-signable.ts';
import type { CordaTrustRoot } from './corda-trust-root.ts';
import { sha256 } from './sha256.ts';

/** The hash that a notary signed for a transaction, or `undefined` where the tree is not of a batch with it alone shown. */
export function notarisedHash(signature: CordaSignature, transactionId: Uint8Array): Uint8Array | undefined {
  if (signature.batchTree === undefined) return undefined;
  const { root, included } = readTree(signature.batchTree);
  const [leaf, ...more] = included;
  if (leaf === undefined || more.length > 0) return undefined;
  return sameBytes(leaf.hash, sha256(transactionId)) ? root : undefined;
}

/** The hash that a party signed for a transaction, or `undefined` where it claims a batch. */
export const partyHash = ({ batchTree }: CordaSignature, transactionId: Uint8Array): Uint8Array | undefined =>
  batchTree === undefined ? transactionId : undefined;

/** Whether `hash` is what `signature` is over, by the key that it should be of. */
export function isSigned(
  signature: CordaSignature,
  key: CordaKey,
  hash: Uint8Array,
  verify: CordaSignatureVerifier,
): boolean {
  return verify(key, signableBytes(hash, signature), signature.signature);
}

type Signer = Readonly<{ key: CordaKey; signature: CordaSignature; hash: Uint8Array }>;

/** Why the signatures do not make a transaction final, or `undefined`. */
export function signaturesFault(
  signatures: readonly CordaSignature[],
  transactionId: Uint8Array,
  root: CordaTrustRoot,
  verify: CordaSignatureVerifier,
): CordaRefusal | undefined {
  const signers = signersOf(signatures, transactionId, root);
  if ('ok' in signers) return signers;
  return signers.every(({ key, signature, hash }) => isSigned(signature, key, hash, verify))
    ? undefined
    : refuse('signatures', 'a signature is not of its key over this transaction');
}

function signersOf(
  signatures: readonly CordaSignature[],
  transactionId: Uint8Array,
  { notary, vaultParty }: CordaTrustRoot,
): readonly Signer[] | CordaRefusal {
  const byNotary = signatures.filter(({ key }) => sameBytes(key, notary.key.spki));
  const byVault = signatures.filter(({ key }) => sameBytes(key, vaultParty.spki));
  if (byNotary.length + byVault.length !== signatures.length) {
    return refuse('knownSigners', 'a signature is of neither the notary nor the vault party');
  }
  if (byNotary.length > 1 || byVault.length > 1) return refuse('distinctSigners', 'somebody signed twice');
  const [notarys] = byNotary;
  const [vaults] = byVault;
  if (notarys === undefined) return refuse('notarySignature', 'the notary did not sign');
  if (vaults === undefined && !notary.validating) {
    return refuse('vaultSignature', 'the notary runs no contracts, and the vault party did not sign');
  }
  const formed = formFault(notarys, notary.key) ?? (vaults === undefined ? undefined : formFault(vaults, vaultParty));
  if (formed !== undefined) return formed;
  const batchRoot = notarisedHash(notarys, transactionId);
  if (batchRoot === undefined) return refuse('batch', 'the notary signed no batch that shows this transaction alone');
  const signers: Signer[] = [{ key: notary.key, signature: notarys, hash: batchRoot }];
  if (vaults === undefined) return signers;
  const hash = partyHash(vaults, transactionId);
  if (hash === undefined) return refuse('batch', 'the vault party signed a batch');
  return [...signers, { key: vaultParty, signature: vaults, hash }];
}

function formFault(signature: CordaSignature, key: CordaKey): CordaRefusal | undefined {
  if (signature.scheme !== key.scheme) return refuse('scheme', 'a signature is of another scheme than its key');
  if (!isStrictSignature(key.scheme, signature.signature)) {
    return refuse('signatureForm', 'a signature does not have the form of its scheme');
  }
  return undefined;
}
