/**
 * Receipts: proof that a transaction is in the ledger, in the JSON form of CCF's classic receipts, so that its public
 * verifier accepts them. What CCF does not have (`transaction_id`, `platform`, `rollbackProtected`, `claims_proof`) stands
 * beside, and verifiers that do not know it pass over it. Here are form and hashing; signature and certificates are for
 * whoever has a library of them.
 */
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { ProtocolError } from '../protocol-error.ts';
import { MAX_CLAIM_CHARACTERS } from './claim-text.ts';
import { type ClaimsProof, claimsDigestOf, MAX_CLAIM_PROOF_STEPS, type ProofStep } from './claims.ts';
import { DIGEST_BYTES, type Sha256 } from './hash.ts';
import { leafOfDigests } from './ledger-record.ts';
import { foldPath, type PathStep } from './merkle-tree.ts';
import { type NodeId, parseNodeId } from './node-id.ts';
import { MAX_PEM_CHARACTERS, MAX_PLATFORM_CHARACTERS } from './node-row.ts';
import { parseTransactionId, transactionOfEvidence } from './transaction-id.ts';

export type { ClaimsProof, ProofStep } from './claims.ts';

type ReceiptCommon = Readonly<{
  /** PEM of the node that signed. */
  cert: string;
  node_id: NodeId;
  /** Base64 of a DER ECDSA signature over the root, which counts as a digest already computed. */
  signature: string;
  proof: readonly ProofStep[];
  /** PEM of certificates of the service that lead from the pinned one to the one that issued `cert`. Absent: none. */
  service_endorsements?: readonly string[];
  /** `view.seqno` */
  transaction_id: string;
  /** What the signing node runs on, as its certificate says. */
  platform: string;
  /** False: a rollback of the disk by the host would have gone unnoticed, then or since. */
  rollbackProtected: boolean;
  claims_proof?: ClaimsProof;
}>;

export type LeafComponents = Readonly<{ write_set_digest: string; commit_evidence: string; claims_digest: string }>;

/** Of a signature transaction: `leaf` is the root that it signs, `proof` is empty. Of any other: its components. */
export type Receipt = ReceiptCommon & (Readonly<{ leaf_components: LeafComponents }> | Readonly<{ leaf: string }>);

/** Hex in a receipt → the steps that `foldPath` takes. */
export const pathSteps = (proof: readonly ProofStep[]): PathStep[] =>
  proof.map((step) => ('left' in step ? { left: hexToBytes(step.left) } : { right: hexToBytes(step.right) }));

/** The steps of a path as a receipt has them. */
export const proofSteps = (path: readonly PathStep[]): ProofStep[] =>
  path.map((step) => ('left' in step ? { left: bytesToHex(step.left) } : { right: bytesToHex(step.right) }));

/** The leaf that a receipt is about. */
export function receiptLeaf(receipt: Receipt, sha256: Sha256): Uint8Array {
  if ('leaf' in receipt) return hexToBytes(receipt.leaf);
  const { write_set_digest, commit_evidence, claims_digest } = receipt.leaf_components;
  return leafOfDigests(
    {
      writeSetDigest: hexToBytes(write_set_digest),
      commitEvidenceDigest: sha256(utf8ToBytes(commit_evidence)),
      claimsDigest: hexToBytes(claims_digest),
    },
    sha256,
  );
}

/** The root that `signature` must be over. */
export function receiptRoot(receipt: Receipt, sha256: Sha256): Uint8Array {
  return foldPath(receiptLeaf(receipt, sha256), pathSteps(receipt.proof), sha256);
}

/**
 * The 64 bytes whose SHA-256 is the root, for libraries that sign and verify messages and not digests. Undefined where the
 * receipt does not have them: that of a signature transaction.
 */
export function receiptRootPreimage(receipt: Receipt, sha256: Sha256): Uint8Array | undefined {
  const path = pathSteps(receipt.proof);
  const last = path.pop();
  if (last === undefined) return undefined;
  const below = foldPath(receiptLeaf(receipt, sha256), path, sha256);
  const preimage = new Uint8Array(2 * DIGEST_BYTES);
  preimage.set('left' in last ? last.left : below, 0);
  preimage.set('left' in last ? below : last.right, DIGEST_BYTES);
  return preimage;
}

/** Whether `claims_proof`, where there is one, leads to the claims digest of the leaf. */
export function claimsFit(receipt: Receipt, sha256: Sha256): boolean {
  if (receipt.claims_proof === undefined) return true;
  if (!('leaf_components' in receipt)) return false;
  return bytesToHex(claimsDigestOf(receipt.claims_proof, sha256)) === receipt.leaf_components.claims_digest;
}

/** Steps of the longest path: seqnos have at most 53 bits. */
const MAX_PATH_STEPS = 54;
/** Characters of base64 for 112 bytes. */
const MAX_SIGNATURE_CHARACTERS = 152;
const MAX_ENDORSEMENTS = 16;

/**
 * Reads parsed JSON strictly; fields that it does not know are dropped. Form only: nothing is proven by it.
 * @throws ProtocolError `RECEIPT_INVALID` or `ID_INVALID`
 */
export function parseReceipt(value: unknown): Receipt {
  const fields = fieldsOf(value, 'receipt');
  const { leaf, leaf_components, claims_proof, service_endorsements } = fields;
  if ((leaf === undefined) === (leaf_components === undefined)) {
    return refuse('receipt must have either leaf or leaf_components');
  }
  const common = {
    cert: textOf(fields.cert, MAX_PEM_CHARACTERS, 'cert'),
    node_id: parseNodeId(textOf(fields.node_id, 64, 'node_id')),
    signature: base64Of(fields.signature, 'signature'),
    proof: proofOf(fields.proof, MAX_PATH_STEPS, 'proof'),
    transaction_id: transactionIdOf(fields.transaction_id),
    platform: textOf(fields.platform, MAX_PLATFORM_CHARACTERS, 'platform'),
    rollbackProtected: flagOf(fields.rollbackProtected, 'rollbackProtected'),
    ...(service_endorsements !== undefined && {
      service_endorsements: listOf(service_endorsements, MAX_ENDORSEMENTS, 'service_endorsements').map((pem) =>
        textOf(pem, MAX_PEM_CHARACTERS, 'service endorsement'),
      ),
    }),
    ...(claims_proof !== undefined && { claims_proof: parseClaimsProof(claims_proof) }),
  };
  if (leaf === undefined) return { ...common, leaf_components: componentsOf(leaf_components) };
  if (common.proof.length > 0) return refuse('the receipt of a signature has no path');
  if (claims_proof !== undefined) return refuse('a signature makes no claims');
  return { ...common, leaf: hexDigestOf(leaf, 'leaf') };
}

/** @throws ProtocolError `RECEIPT_INVALID` */
export function parseClaimsProof(value: unknown): ClaimsProof {
  const fields = fieldsOf(value, 'claims_proof');
  return {
    claim: textOf(fields.claim, MAX_CLAIM_CHARACTERS, 'claim'),
    salt: hexDigestOf(fields.salt, 'salt'),
    proof: proofOf(fields.proof, MAX_CLAIM_PROOF_STEPS, 'proof of the claim'),
  };
}

function componentsOf(value: unknown): LeafComponents {
  const fields = fieldsOf(value, 'leaf_components');
  const commit_evidence = textOf(fields.commit_evidence, 128, 'commit_evidence');
  transactionOfEvidence(commit_evidence);
  return {
    write_set_digest: hexDigestOf(fields.write_set_digest, 'write_set_digest'),
    commit_evidence,
    claims_digest: hexDigestOf(fields.claims_digest, 'claims_digest'),
  };
}

function refuse(message: string): never {
  throw new ProtocolError('RECEIPT_INVALID', message);
}
const fieldsOf = (value: unknown, what: string): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : refuse(`${what} must be an object`);
const listOf = (value: unknown, most: number, what: string): readonly unknown[] =>
  Array.isArray(value) && value.length <= most ? value : refuse(`${what} must be a list of at most ${most}`);
const textOf = (value: unknown, most: number, what: string): string =>
  typeof value === 'string' && value.length <= most
    ? value
    : refuse(`${what} must be text of at most ${most} characters`);
const flagOf = (value: unknown, what: string): boolean =>
  typeof value === 'boolean' ? value : refuse(`${what} must be true or false`);

function hexDigestOf(value: unknown, what: string): string {
  const text = textOf(value, 2 * DIGEST_BYTES, what);
  return /^[0-9a-f]{64}$/.test(text) ? text : refuse(`${what} must be 64 lower-case hex digits`);
}

function base64Of(value: unknown, what: string): string {
  const text = textOf(value, MAX_SIGNATURE_CHARACTERS, what);
  return /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)
    ? text
    : refuse(`${what} must be base64`);
}

function transactionIdOf(value: unknown): string {
  const text = textOf(value, 40, 'transaction_id');
  return parseTransactionId(text) === undefined ? refuse('transaction_id must be <view>.<seqno>') : text;
}

function proofOf(value: unknown, most: number, what: string): ProofStep[] {
  return listOf(value, most, what).map((step): ProofStep => {
    const { left, right } = fieldsOf(step, what);
    if ((left === undefined) === (right === undefined)) return refuse(`each step of ${what} must have left or right`);
    return left === undefined ? { right: hexDigestOf(right, what) } : { left: hexDigestOf(left, what) };
  });
}
