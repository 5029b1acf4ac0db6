/** TLS between nodes: version 1.3 alone, both sides by certificate, no resumption, one application protocol. */
import { constants as cryptoConstants, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, createSecureContext, type SecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { nodeIdOf } from './peer-certificate.ts';
import { codeOf } from './peer-error.ts';
import type { PeerTimers } from './peer-timers.ts';
import type { PeerIdentity } from './peer-types.ts';

export const PEER_PROTOCOL = 'drawbridge-peer/1';

/** A client that resumed a session would not show its certificate again. */
const NO_RESUMPTION = cryptoConstants.SSL_OP_NO_TICKET;

export function tlsOptions({ key, certificate }: PeerIdentity, serviceCertificate: string): SecureContextOptions {
  return {
    key: typeof key === 'string' ? key : key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: certificate,
    ca: serviceCertificate,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ciphers: 'TLS_AES_256_GCM_SHA384',
    secureOptions: NO_RESUMPTION,
  };
}

export function tlsContext(identity: PeerIdentity, serviceCertificate: string): SecureContext {
  return createSecureContext(tlsOptions(identity, serviceCertificate));
}

export function identityNodeId({ certificate }: PeerIdentity): NodeId {
  return nodeIdOf(new X509Certificate(certificate));
}

type HostAndPort = Readonly<{ host: string; port: number }>;

/** Null: not `host:port`. */
export function parseAddress(address: string): HostAndPort | null {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port < 1 || port > 65_535) return null;
  if (match?.[1] !== undefined && isIP(host) !== 6) return null;
  return { host, port };
}

export function formatAddress(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

export type DialOptions = Readonly<{
  address: string;
  /** The key that must answer; null: any that the service endorsed. */
  nodeId: NodeId | null;
  context: SecureContext;
  connectTimeoutMs: number;
}>;

/** Exactly one is called, once, and neither inside `dial`. `opened` must take the socket over before it returns. */
export type DialEvents = Readonly<{ opened: (socket: TLSSocket) => void; failed: (code: string) => void }>;

/** Connects, and checks who answered before a byte is written. The returned function gives up; then no event comes. */
export function dial(options: DialOptions, timers: PeerTimers, events: DialEvents): () => void {
  const target = parseAddress(options.address);
  if (!target) {
    return timers.after(0, () => events.failed('ADDRESS_INVALID'));
  }
  const socket = connect({
    ...target,
    secureContext: options.context,
    ALPNProtocols: [PEER_PROTOCOL],
    // Else the environment of the process could turn the check off.
    rejectUnauthorized: true,
    // Peers are known by key, not by name; nor does the network need to hear a name.
    servername: '',
    checkServerIdentity: () => undefined,
  });
  let settled = false;
  const settle = (): boolean => {
    if (settled) return false;
    settled = true;
    cancelTimer();
    return true;
  };
  const fail = (code: string): void => {
    if (!settle()) return;
    socket.destroy();
    events.failed(code);
  };
  const cancelTimer = timers.after(options.connectTimeoutMs, () => fail('CONNECT_TIMEOUT'));
  // Stays: an error after giving up must not end the process.
  socket.on('error', (error) => fail(codeOf(error)));
  socket.on('close', () => fail('CLOSED'));
  socket.once('secureConnect', () => {
    const fault = answererFault(socket, options.nodeId);
    if (fault) fail(fault);
    else if (settle()) events.opened(socket);
  });
  return () => {
    if (settle()) socket.destroy();
  };
}

function answererFault(socket: TLSSocket, expected: NodeId | null): string | null {
  if (socket.alpnProtocol !== PEER_PROTOCOL) return 'PROTOCOL_OTHER';
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return 'CERTIFICATE_MISSING';
  return expected !== null && nodeIdOf(certificate) !== expected ? 'NODE_ID_OTHER' : null;
}
