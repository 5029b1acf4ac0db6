/** Whether a receipt proves that the ledger vouches for the state at a snapshot mark. */
import { verify, X509Certificate } from 'node:crypto';
import { readEntryFrame } from '@drawbridge/protocol/ledger/entry-frame';
import { type LedgerRecord, leafOf } from '@drawbridge/protocol/ledger/ledger-record';
import type { Receipt } from '@drawbridge/protocol/ledger/receipt';
import { decodeServiceEntry } from '@drawbridge/protocol/ledger/service-entry';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { sha256 } from '../sha256.ts';

/** What of a receipt proves that a record is in a ledger that the service signed. */
export type LedgerProof = Pick<Receipt, 'cert' | 'node_id' | 'proof' | 'signature'>;

export type SnapshotEvidence = Readonly<{
  receipt: LedgerProof;
  /** The record that the receipt is of. */
  evidence: LedgerRecord;
  /** PEM that this node trusts. */
  serviceCertificate: string;
  /** Of the mark. */
  seqno: number;
}>;

/** `digest`: of the state at the mark. `reason`: what is wrong, in words. */
export type ProvenState = Readonly<{ ok: true; digest: Uint8Array } | { ok: false; reason: string }>;

export function verifySnapshotEvidence({
  receipt,
  evidence,
  serviceCertificate,
  seqno,
}: SnapshotEvidence): ProvenState {
  const vouched = vouchedState(evidence);
  if (vouched?.seqno !== seqno) return { ok: false, reason: 'the entry does not vouch for the state there' };
  const reason = refuseReceipt(receipt, leafOf(evidence, sha256), serviceCertificate);
  return reason === undefined ? { ok: true, digest: vouched.digest } : { ok: false, reason };
}

/** Whether an entry of the ledger vouches for this state at a mark. */
export function isSnapshotEvidence(record: LedgerRecord, seqno: number, digest: Uint8Array): boolean {
  const vouched = vouchedState(record);
  return vouched?.seqno === seqno && Buffer.from(digest).equals(vouched.digest);
}

function vouchedState({ kind, data }: LedgerRecord): Readonly<{ seqno: number; digest: Uint8Array }> | undefined {
  if (kind !== 'service') return undefined;
  const entry = decodeServiceEntry(readEntryFrame(data).payload);
  return entry.type === 'snapshotEvidence' ? entry : undefined;
}

function refuseReceipt(receipt: LedgerProof, leaf: Uint8Array, serviceCertificate: string): string | undefined {
  const node = new X509Certificate(receipt.cert);
  const service = new X509Certificate(serviceCertificate);
  if (!node.checkIssued(service) || !node.verify(service.publicKey)) return 'the signer is not endorsed by the service';
  const spki = node.publicKey.export({ type: 'spki', format: 'der' });
  if (bytesToHex(sha256(spki)) !== receipt.node_id) return 'the signer is another than it says';
  // The last step's two sides are what the root is the digest of, and ECDSA signs the digest of a message.
  let digest = leaf;
  let sides: Buffer | undefined;
  for (const step of receipt.proof) {
    sides =
      'left' in step ? Buffer.concat([hexToBytes(step.left), digest]) : Buffer.concat([digest, hexToBytes(step.right)]);
    digest = sha256(sides);
  }
  if (!sides) return 'the receipt has no path';
  const signature = Buffer.from(receipt.signature, 'base64');
  return verify('sha256', sides, node.publicKey, signature) ? undefined : 'the signature is not over this ledger';
}
