/**
 * Who is asking. TLS has proven that the peer holds the key of the certificate that it presented; this module finds out
 * whose certificate that is. Chains and names in it mean nothing here: the registration does.
 */
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Participant } from '@drawbridge/governance/registration';
import type { ProblemCode } from '@drawbridge/protocol/api/problem';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { SettlementView } from '../settlement/view.ts';

/** What a TLS peer presented. Times are Unix ms; `fingerprint` is SHA-256 over the DER. */
export type PeerCertificate = Readonly<{ fingerprint: Bytes32; notBeforeMs: number; notAfterMs: number }>;

/** Port: the certificate behind a request, or `undefined` for none. */
export type PeerReader = (request: IncomingMessage) => PeerCertificate | undefined;

/** Reads the certificate once per socket: it cannot change on one (TLS 1.3 without resumption or later handshakes). */
export function tlsPeerReader(): PeerReader {
  const seen = new WeakMap<object, PeerCertificate>();
  return ({ socket }) => {
    const known = seen.get(socket);
    if (known !== undefined) return known;
    if (!(socket instanceof TLSSocket)) return undefined;
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return undefined;
    const peer: PeerCertificate = {
      fingerprint: `0x${certificate.fingerprint256.replaceAll(':', '').toLowerCase()}` as Bytes32,
      notBeforeMs: Date.parse(certificate.validFrom),
      notAfterMs: Date.parse(certificate.validTo),
    };
    seen.set(socket, peer);
    return peer;
  };
}

export type Identified = Readonly<{ caller: Participant }> | Readonly<{ refused: ProblemCode }>;

/** Looks at the registration anew for every request, so that a change counts for sockets that are already open. */
export function identify(
  peer: PeerCertificate | undefined,
  view: Pick<SettlementView, 'participantByCertificate'>,
  nowMs: number,
): Identified {
  if (peer === undefined) return { refused: 'CERTIFICATE_REQUIRED' };
  const caller = view.participantByCertificate(peer.fingerprint);
  if (caller === undefined) return { refused: 'CERTIFICATE_UNKNOWN' };
  // Written so that a time that did not parse (NaN) refuses.
  if (!(nowMs >= peer.notBeforeMs && nowMs <= peer.notAfterMs)) return { refused: 'CERTIFICATE_EXPIRED' };
  return { caller };
}
