/** The nodes whose signatures a ledger accepts: those that it admitted itself, with certificates of the pinned service. */
import { verify } from 'node:crypto';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { NodeDescription } from '@drawbridge/protocol/ledger/service-entry';
import type { SignatureEntry } from '@drawbridge/protocol/ledger/signature-entry';
import type { Refusal } from '../refusal.ts';
import { judgeNodeCertificate, type NodeCertificate, type ServiceCertificate } from './certificates.ts';
import { refuseLedger } from './ledger-refusal.ts';

/**
 * Seqnos: `seenAt` of its first admission, `admittedAt` of that which its certificate comes from. `refused`: why its certificate
 * does not count, where it does not.
 */
type Known = Readonly<{ seenAt: number; admittedAt: number; certificate?: NodeCertificate; refused?: string }>;

export class SigningNodes {
  readonly #service: ServiceCertificate;
  readonly #known = new Map<NodeId, Known>();

  constructor(service: ServiceCertificate) {
    this.#service = service;
  }

  /** Nodes that came in. */
  get count(): number {
    return this.#known.size;
  }

  /** Those of the entries below a seqno. */
  countBelow(seqno: number): number {
    return [...this.#known.values()].filter(({ seenAt }) => seenAt < seqno).length;
  }

  /**
   * A node comes in. One whose certificate is not in order is remembered, but may not sign: that the core took it would show
   * elsewhere.
   */
  admit(node: Pick<NodeDescription, 'nodeId' | 'certificate' | 'platform'>, seqno: number): void {
    const known = this.#known.get(node.nodeId);
    const judged = this.#judge(node);
    // A certificate that is not in order takes nothing from one that is.
    if (known?.certificate && !judged.certificate) return;
    const admittedAt = known?.certificate ? known.admittedAt : seqno;
    this.#known.set(node.nodeId, { ...judged, admittedAt, seenAt: known?.seenAt ?? seqno });
  }

  /** A node that came in before has a new certificate. */
  update(node: Pick<NodeDescription, 'nodeId' | 'certificate' | 'platform'>): void {
    const known = this.#known.get(node.nodeId);
    if (known) this.admit(node, known.admittedAt);
  }

  #judge({
    nodeId,
    certificate,
    platform,
  }: Pick<NodeDescription, 'nodeId' | 'certificate' | 'platform'>): Partial<Known> {
    const verdict = judgeNodeCertificate(certificate, this.#service);
    if (!verdict.ok) return { refused: verdict.detail };
    if (verdict.certificate.nodeId !== nodeId) return { refused: 'its certificate is that of another key' };
    if (verdict.certificate.platform !== platform) return { refused: 'its certificate names another platform' };
    return { certificate: verdict.certificate };
  }

  certificateOf(nodeId: NodeId): NodeCertificate | undefined {
    return this.#known.get(nodeId)?.certificate;
  }

  /** Whether `signature` is a word of a node that the tree which it signs admitted. `preimage`: what the root is the hash of. */
  judge(entry: SignatureEntry, preimage: Uint8Array): Refusal | undefined {
    const { nodeId, size, signature } = entry;
    const known = this.#known.get(nodeId);
    if (known === undefined || known.admittedAt >= size) {
      return refuseLedger(
        'signature',
        'SIGNER_UNKNOWN',
        `node ${nodeId} was not admitted by the entries that it signs`,
      );
    }
    if (known.certificate === undefined) {
      return refuseLedger('signature', 'SIGNER_CERTIFICATE', `node ${nodeId} may not sign: ${known.refused}`);
    }
    if (!verify('sha256', preimage, { key: known.certificate.publicKey, dsaEncoding: 'der' }, signature)) {
      return refuseLedger('signature', 'SIGNATURE_INVALID', `node ${nodeId} did not sign this root`);
    }
    return undefined;
  }
}
