/** Takes connections: decides who is at the other end, and closes what has no business here. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { NodeLife } from '@drawbridge/protocol/ledger/node-life';
import { IncomingConnection, type KnownStanding, type SnapshotRoom } from './incoming-connection.ts';
import { standingOf } from './peer-certificate.ts';
import { codeOf } from './peer-error.ts';
import type { PeerLimits } from './peer-limits.ts';
import { formatAddress, identityNodeId, PEER_PROTOCOL, tlsOptions } from './peer-tls.ts';
import type { PeerIdentity, PeerNetworkDependencies, PeerNetworkOptions } from './peer-types.ts';
import { QuietLog } from './quiet-log.ts';

export class PeerAcceptor {
  readonly #limits: PeerLimits;
  readonly #uses: PeerNetworkDependencies;
  readonly #serviceCertificate: string;
  readonly #life: NodeLife;
  readonly #service: X509Certificate;
  readonly #server: Server;
  readonly #log: QuietLog;
  readonly #connections = new Set<IncomingConnection>();
  readonly #snapshots: SnapshotRoom;
  #ownNodeId: NodeId;

  private constructor(options: PeerNetworkOptions, limits: PeerLimits, dependencies: PeerNetworkDependencies) {
    this.#limits = limits;
    this.#uses = dependencies;
    this.#log = new QuietLog(dependencies.log);
    this.#serviceCertificate = options.serviceCertificate;
    this.#life = options.life;
    this.#service = new X509Certificate(options.serviceCertificate);
    this.#ownNodeId = identityNodeId(options.identity);
    this.#snapshots = { free: limits.maxInboundSnapshots };
    this.#server = createServer(
      {
        ...tlsOptions(options.identity, options.serviceCertificate),
        ALPNProtocols: [PEER_PROTOCOL],
        requestCert: true,
        // Joiners have no endorsed certificate yet; who may do what is decided in `standingOf`.
        rejectUnauthorized: false,
        handshakeTimeout: limits.connectTimeoutMs,
      },
      (socket) => this.#accept(socket),
    );
    this.#server.maxConnections = limits.maxConnections;
    this.#server.on('tlsClientError', (error) => this.#log.warn(codeOf(error), {}, 'peer handshake failed'));
    this.#server.on('drop', () => this.#log.warn('CONNECTIONS_FULL', {}, 'peer connection dropped'));
  }

  /** @throws what listening throws, as for an address in use */
  static async listen(
    options: PeerNetworkOptions,
    limits: PeerLimits,
    dependencies: PeerNetworkDependencies,
  ): Promise<PeerAcceptor> {
    const acceptor = new PeerAcceptor(options, limits, dependencies);
    acceptor.#server.listen(options.port, options.host);
    await once(acceptor.#server, 'listening');
    return acceptor;
  }

  /** `host:port` that it listens on. */
  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new TypeError('not listening on a port');
    return formatAddress(address.address, address.port);
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** For handshakes from now on. */
  setIdentity(identity: PeerIdentity): void {
    this.#ownNodeId = identityNodeId(identity);
    this.#server.setSecureContext(tlsOptions(identity, this.#serviceCertificate));
  }

  /** Looks everybody up again. */
  directoryChanged(): void {
    const { directory } = this.#uses;
    for (const connection of this.#connections) {
      const { standing } = connection;
      if (standing.role === 'joiner') {
        // Who was admitted just now still waits for the answer.
        if (!directory.mayJoin(standing.nodeId) && !directory.byNodeId(standing.nodeId))
          connection.destroy('NOT_A_MEMBER');
        continue;
      }
      const peer = directory.byNodeId(standing.peer.nodeId);
      if (peer) connection.recognise(peer);
      else connection.destroy('NOT_A_MEMBER');
    }
  }

  /** To be called every clock interval. */
  tick(): void {
    this.#log.tick();
    const nowMs = this.#uses.nowMs();
    for (const connection of this.#connections) {
      if (connection.validToMs < nowMs) connection.destroy('CERTIFICATE_NOT_VALID_NOW');
      else connection.tick();
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const connection of this.#connections) connection.destroy('CLOSED');
    await closed;
  }

  #accept(socket: TLSSocket): void {
    const standing = standingOf(socket.getPeerX509Certificate(), {
      serviceCertificate: this.#service,
      directory: this.#uses.directory,
      ownNodeId: this.#ownNodeId,
      nowMs: this.#uses.nowMs(),
    });
    if (standing.role === 'stranger') this.#turnAway(socket, standing.code, standing.nodeId);
    else if (socket.alpnProtocol !== PEER_PROTOCOL) this.#turnAway(socket, 'PROTOCOL_OTHER', idOf(standing));
    else if (this.#makeRoom(standing)) this.#admit(socket, standing);
    else this.#turnAway(socket, 'JOINERS_FULL', idOf(standing));
  }

  #makeRoom(standing: KnownStanding): boolean {
    const { maxJoiners, maxConnectionsPerPeer } = this.#limits;
    const alike = [...this.#connections].filter(
      ({ standing: other }) =>
        other.role === standing.role && (other.role === 'joiner' || idOf(other) === idOf(standing)),
    );
    if (standing.role === 'joiner') return alike.length < maxJoiners;
    // A peer that was restarted knows nothing of its old connections.
    if (alike.length >= maxConnectionsPerPeer) alike[0]?.destroy('TOO_MANY_CONNECTIONS');
    return true;
  }

  #admit(socket: TLSSocket, standing: KnownStanding): void {
    let cancelDeadline = (): void => undefined;
    const connection = new IncomingConnection(socket, standing, {
      life: this.#life,
      limits: this.#limits,
      handlers: this.#uses.handlers,
      snapshots: this.#snapshots,
      closed: (closed, code) => {
        cancelDeadline();
        this.#closed(closed, code);
      },
    });
    this.#connections.add(connection);
    if (standing.role === 'peer') return;
    const { timers } = this.#uses;
    cancelDeadline = timers.after(this.#limits.joinTimeoutMs, () => connection.destroy('JOIN_TIMEOUT'));
  }

  #turnAway(socket: TLSSocket, code: string, nodeId: NodeId | null): void {
    socket.on('error', () => undefined);
    socket.destroy();
    this.#log.warn(code, { nodeId }, 'peer connection refused');
  }

  #closed(connection: IncomingConnection, code: string): void {
    this.#connections.delete(connection);
    if (code === 'CLOSED' || code === 'CLOSED_BY_PEER') return;
    this.#log.warn(code, { nodeId: idOf(connection.standing) }, 'peer connection closed');
  }
}

function idOf(standing: KnownStanding): NodeId {
  return standing.role === 'peer' ? standing.peer.nodeId : standing.nodeId;
}
