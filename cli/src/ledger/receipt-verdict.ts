/** What a receipt proves to who has the certificate of the service, or the first check that fails. Asks nobody. */
import { verify } from 'node:crypto';
import { type Claim, parseClaim } from '@drawbridge/protocol/ledger/claim-text';
import {
  claimsFit,
  parseReceipt,
  type Receipt,
  receiptRoot,
  receiptRootPreimage,
} from '@drawbridge/protocol/ledger/receipt';
import {
  formatTransactionId,
  type TransactionId,
  transactionOfEvidence,
} from '@drawbridge/protocol/ledger/transaction-id';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import { p384 } from '@noble/curves/nist.js';
import { type Refusal, refusedBy } from '../refusal.ts';
import { invalidAt, judgeNodeCertificate, type NodeCertificate, type ServiceCertificate } from './certificates.ts';
import { sha256 } from './sha256.ts';

/** In this order. */
export const RECEIPT_CHECKS = [
  'form',
  'certificate',
  'validity',
  'node',
  'platform',
  'transaction',
  'signature',
  'claim',
] as const;
export type ReceiptCheck = (typeof RECEIPT_CHECKS)[number];

export type ReceiptProof = Readonly<{
  ok: true;
  receipt: Receipt;
  node: NodeCertificate;
  root: Uint8Array;
  claim?: Claim;
}>;

export type ReceiptTerms = Readonly<{
  service: ServiceCertificate;
  /** Unix ms at which certificates must be valid. */
  atMs: number;
  /** `view.seqno` that the receipt must prove; undefined: whichever it names. */
  transaction?: string;
}>;

const refuse = (check: ReceiptCheck, code: string, detail: string): Refusal =>
  refusedBy(RECEIPT_CHECKS, { ok: false, check, code, detail });

/** @param value parsed JSON */
export function judgeReceipt(value: unknown, terms: ReceiptTerms): ReceiptProof | Refusal {
  let receipt: Receipt;
  let claim: Claim | undefined;
  try {
    receipt = parseReceipt(value);
    claim = receipt.claims_proof && parseClaim(receipt.claims_proof.claim);
  } catch (error) {
    if (!isProtocolError(error)) throw error;
    return refuse('form', 'FORM_INVALID', error.message);
  }
  const found = judgeNodeCertificate(receipt.cert, terms.service, receipt.service_endorsements);
  if (!found.ok) return refuse('certificate', found.code, found.detail);
  const node = found.certificate;
  const refusal = judgeSigner(receipt, node, terms) ?? judgeContent(receipt, node, terms);
  return refusal ?? { ok: true, receipt, node, root: receiptRoot(receipt, sha256), ...(claim && { claim }) };
}

function judgeSigner(receipt: Receipt, node: NodeCertificate, { atMs }: ReceiptTerms): Refusal | undefined {
  const invalid = invalidAt(node, atMs);
  if (invalid !== undefined) {
    return refuse('validity', 'CERTIFICATE_NOT_VALID', `${invalid}; --at TIME judges as of another time`);
  }
  if (receipt.node_id !== node.nodeId) {
    return refuse('node', 'NODE_ID_MISMATCH', `node_id is not that of the certificate, which is ${node.nodeId}`);
  }
  if (receipt.platform !== node.platform) {
    return refuse('platform', 'PLATFORM_MISMATCH', `the certificate says that the platform is ${node.platform}`);
  }
  if (receipt.rollbackProtected && node.platform === 'virtual') {
    return refuse(
      'platform',
      'ROLLBACK_CLAIMED',
      'platform virtual protects no memory, so nothing protects against rollback',
    );
  }
  return undefined;
}

function judgeContent(receipt: Receipt, node: NodeCertificate, terms: ReceiptTerms): Refusal | undefined {
  const { transaction } = terms;
  if (transaction !== undefined && transaction !== receipt.transaction_id) {
    return refuse(
      'transaction',
      'TRANSACTION_OTHER',
      `the receipt is of ${receipt.transaction_id}, not of ${transaction}`,
    );
  }
  if ('leaf' in receipt) {
    if (transaction !== undefined) {
      const why = 'it is a receipt of a signature: it proves a root, and nothing signed says which transaction that is';
      return refuse('transaction', 'TRANSACTION_UNPROVEN', why);
    }
  } else {
    const proven = formatTransactionId(transactionOfEvidence(receipt.leaf_components.commit_evidence));
    if (proven !== receipt.transaction_id) {
      return refuse('transaction', 'TRANSACTION_MISMATCH', `transaction_id is another than that proven, ${proven}`);
    }
  }
  if (!signedBy(receipt, node)) {
    return refuse('signature', 'SIGNATURE_INVALID', 'the node did not sign the root that leaf and path lead to');
  }
  return claimsFit(receipt, sha256)
    ? undefined
    : refuse('claim', 'CLAIM_MISMATCH', 'the claim does not lead to the claims digest of the entry');
}

/** OpenSSL signs and verifies messages, not digests; where the root is all that is known, @noble/curves verifies the digest. */
function signedBy(receipt: Receipt, { publicKey, point }: NodeCertificate): boolean {
  const signature = Buffer.from(receipt.signature, 'base64');
  const preimage = receiptRootPreimage(receipt, sha256);
  if (preimage !== undefined) return verify('sha256', preimage, { key: publicKey, dsaEncoding: 'der' }, signature);
  try {
    return p384.verify(signature, receiptRoot(receipt, sha256), point, { prehash: false, lowS: false, format: 'der' });
  } catch {
    // Bytes that are no DER of two numbers: a signature of nothing.
    return false;
  }
}

/** Of a receipt whose form was read. For that of a signature the id is what the file says: nothing proves it. */
export function transactionOf(receipt: Receipt): TransactionId {
  const [view, seqno] = receipt.transaction_id.split('.').map(Number);
  return { view: view ?? 0, seqno: seqno ?? 0 };
}
