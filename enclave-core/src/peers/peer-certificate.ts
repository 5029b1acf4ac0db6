/**
 * Who is at the other end of a TLS connection. TLS proves possession of the certificate's key; what that key may do is
 * decided here, from the pinned service certificate and the directory alone.
 */
import { createHash, type X509Certificate } from 'node:crypto';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { Peer, PeerDirectory } from './peer-types.ts';

export type StrangerCode =
  | 'CERTIFICATE_MISSING'
  | 'CERTIFICATE_NOT_VALID_NOW'
  | 'CERTIFICATE_NOT_OF_SERVICE'
  | 'NOT_A_MEMBER'
  | 'OWN_IDENTITY';

/** A joiner may do nothing but ask to join. */
export type Standing =
  | Readonly<{ role: 'peer'; peer: Peer }>
  | Readonly<{ role: 'joiner'; nodeId: NodeId }>
  | Readonly<{ role: 'stranger'; code: StrangerCode; nodeId: NodeId | null }>;

export type StandingContext = Readonly<{
  serviceCertificate: X509Certificate;
  directory: Pick<PeerDirectory, 'byNodeId' | 'mayJoin'>;
  /** The key of this node: nobody else has it. */
  ownNodeId: NodeId;
  /** Unix ms. */
  nowMs: number;
}>;

export function nodeIdOf(certificate: X509Certificate): NodeId {
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex') as NodeId;
}

export function standingOf(certificate: X509Certificate | undefined, context: StandingContext): Standing {
  if (!certificate) return { role: 'stranger', code: 'CERTIFICATE_MISSING', nodeId: null };
  const nodeId = nodeIdOf(certificate);
  if (!validAt(certificate, context.nowMs)) return { role: 'stranger', code: 'CERTIFICATE_NOT_VALID_NOW', nodeId };
  if (nodeId === context.ownNodeId) return { role: 'stranger', code: 'OWN_IDENTITY', nodeId };
  const endorsed = isEndorsed(certificate, context.serviceCertificate);
  const peer = endorsed ? context.directory.byNodeId(nodeId) : undefined;
  if (peer) return { role: 'peer', peer };
  if (context.directory.mayJoin(nodeId)) return { role: 'joiner', nodeId };
  return { role: 'stranger', code: endorsed ? 'NOT_A_MEMBER' : 'CERTIFICATE_NOT_OF_SERVICE', nodeId };
}

/** Issued in the name of the service and signed by its key. */
function isEndorsed(certificate: X509Certificate, service: X509Certificate): boolean {
  return certificate.checkIssued(service) && certificate.verify(service.publicKey);
}

export function validAt(certificate: X509Certificate, nowMs: number): boolean {
  return Date.parse(certificate.validFrom) <= nowMs && nowMs <= Date.parse(certificate.validTo);
}
