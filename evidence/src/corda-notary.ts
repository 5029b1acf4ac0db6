/**
 * Rule `corda-notary`: a transaction of a vault was notarised. The id is computed from the components that are shown; the pinned
 * notary signed it and is named in it; where that notary runs no contracts, the vault party signed as well. Then the
 * components are decoded by pinned types, and every output is governed by a registered contract under a registered constraint.
 *
 * The checks run in a fixed order and the first that fails is named. Deny by default: what says what a transaction does must
 * be shown whole, and what is not known is refused. Cost: O(bytes) of hashing and at most two signatures before anything is decoded.
 */
import { type Bytes32, type Hex, toBytes32 } from '@drawbridge/protocol/bytes32';
import {
  type CordaEvidence,
  cordaSubjectDigest,
  decodeCordaEvidence,
  MAX_CORDA_GROUPS,
  MIN_CORDA_GROUPS,
} from '@drawbridge/protocol/corda-evidence';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import {
  FIRST_UNKNOWN_GROUP,
  GROUP,
  groupHashesFault,
  isAbsent,
  type ShownGroup,
  shownGroup,
  transactionId,
} from './corda-components.ts';
import type { CordaOutput, CordaStateRef, CordaTimeWindow } from './corda-facts.ts';
import type { CordaSignatureVerifier } from './corda-keys.ts';
import { type CordaRefusal, refuse } from './corda-refusal.ts';
import { signaturesFault } from './corda-signatures.ts';
import { type CordaCommand, readTransaction, type ShownGroups } from './corda-transaction.ts';
import type { CordaTrustRoot } from './corda-trust-root.ts';
import { type Sha256, sha256 } from './sha256.ts';

/** What is proven of one transaction: everything that it consumes, refers to, makes and commands. */
export type CordaFacts = Readonly<{
  ok: true;
  rule: 'corda-notary';
  transactionId: Bytes32;
  /** Of network and transaction id, whatever was shown and whoever signed. */
  digest: Bytes32;
  inputs: readonly CordaStateRef[];
  references: readonly CordaStateRef[];
  /** By their index: output i is `StateRef(transactionId, i)`. */
  outputs: readonly CordaOutput[];
  commands: readonly CordaCommand[];
  timeWindow?: CordaTimeWindow;
  /** Keys whose signatures were checked: the notary's, then the vault party's. */
  signedBy: readonly Hex[];
}>;

/** What says what a transaction does: each of these is shown whole or is absent. */
const WHOLE_GROUPS = [
  GROUP.inputs,
  GROUP.outputs,
  GROUP.commands,
  GROUP.notary,
  GROUP.timeWindow,
  GROUP.signers,
  GROUP.references,
] as const;

/**
 * Checks one item against one network's trust root. Pure.
 * @param digest SHA-256 of components, where there is a faster one than that of this folder
 */
export function verifyCordaEvidence(
  evidence: CordaEvidence,
  root: CordaTrustRoot,
  verify: CordaSignatureVerifier,
  digest: Sha256 = sha256,
): CordaFacts | CordaRefusal {
  const { version, rule, kind, network, groupHashes, signatures } = evidence;
  if (version !== 1 || rule !== 'corda-notary' || kind !== 'transaction') {
    return refuse('form', 'version, rule or kind is unknown');
  }
  if (network !== root.network) return refuse('network', 'evidence is of another network');
  const shown = shownGroups(evidence, digest);
  if ('ok' in shown) return shown;
  const id = transactionId(groupHashes);
  const unsigned = signaturesFault(signatures, id, root, verify);
  if (unsigned !== undefined) return unsigned;
  const read = readTransaction(shown, root);
  if ('ok' in read) return read;
  const proven = toBytes32(id);
  const signedBy = [root.notary.key.hex];
  if (signatures.length > 1) signedBy.push(root.vaultParty.hex);
  const subject = cordaSubjectDigest({ network, transactionId: proven });
  return { ...read, ok: true, rule, transactionId: proven, digest: subject, signedBy };
}

/** The same for bytes as they came: whatever is not one canonical item fails the check `form`. */
export function verifyCordaEvidenceBytes(
  input: Uint8Array,
  root: CordaTrustRoot,
  verify: CordaSignatureVerifier,
  digest: Sha256 = sha256,
): CordaFacts | CordaRefusal {
  let evidence: CordaEvidence;
  try {
    evidence = decodeCordaEvidence(input);
  } catch (error) {
    if (isProtocolError(error)) return refuse('form', error.message);
    throw error;
  }
  return verifyCordaEvidence(evidence, root, verify, digest);
}

function shownGroups({ groupHashes, groups }: CordaEvidence, digest: Sha256): ShownGroups | CordaRefusal {
  if (groupHashes.length < MIN_CORDA_GROUPS || groupHashes.length > MAX_CORDA_GROUPS) {
    return refuse('groupHashes', 'there are too few or too many group hashes');
  }
  const fault = groupHashesFault(groupHashes);
  if (fault !== undefined) return refuse('groupHashes', fault);
  if (groupHashes.some((hash, at) => at >= FIRST_UNKNOWN_GROUP && !isAbsent(hash))) {
    return refuse('unknownGroup', 'the transaction has a group whose meaning is not known');
  }
  const shown = new Map<number, ShownGroup>();
  let last = -1;
  for (const group of groups) {
    if (group.groupIndex <= last) return refuse('groupOrder', 'groups do not ascend');
    last = group.groupIndex;
    const groupHash = groupHashes[group.groupIndex];
    if (groupHash === undefined) return refuse('components', 'a group has no hash');
    const components = shownGroup(group, groupHash, digest);
    if (typeof components === 'string') return refuse('components', components);
    shown.set(group.groupIndex, components);
  }
  for (const group of WHOLE_GROUPS) {
    if (isAbsent(groupHashes[group])) continue;
    if (shown.get(group)?.complete !== true) return refuse('complete', `group ${group} is not shown whole`);
  }
  return shown;
}
