/**
 * The network between the nodes of a service. Each node opens connections to every other and accepts theirs: what one
 * sends goes over connections that it opened, answers come back on them.
 */
import type { SecureContext } from 'node:tls';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { NodeLife } from '@drawbridge/protocol/ledger/node-life';
import type { PeerTransport } from '../consensus/ports.ts';
import type { RaftMessage } from '../consensus/raft-types.ts';
import { PeerAcceptor } from './peer-acceptor.ts';
import { PeerError } from './peer-error.ts';
import { greet } from './peer-greeting.ts';
import { type PeerLimits, peerLimits } from './peer-limits.ts';
import { PeerRoute, type RouteHost } from './peer-route.ts';
import { type DialEvents, dial, identityNodeId, tlsContext } from './peer-tls.ts';
import type { Peer, PeerIdentity, PeerMethod, PeerNetworkDependencies, PeerNetworkOptions } from './peer-types.ts';

export class PeerNetwork implements PeerTransport {
  /** `host:port` that it listens on. */
  readonly address: string;
  readonly #uses: PeerNetworkDependencies;
  readonly #serviceCertificate: string;
  readonly #acceptor: PeerAcceptor;
  readonly #routes = new Map<number, PeerRoute>();
  readonly #routeHost: RouteHost;
  readonly #stopTicking: () => void;
  readonly #life: NodeLife;
  #context: SecureContext;
  #ownNodeId: NodeId;
  #closed = false;

  private constructor(
    options: PeerNetworkOptions,
    limits: PeerLimits,
    dependencies: PeerNetworkDependencies,
    acceptor: PeerAcceptor,
  ) {
    this.#uses = dependencies;
    this.#serviceCertificate = options.serviceCertificate;
    this.#acceptor = acceptor;
    this.address = acceptor.address;
    this.#context = tlsContext(options.identity, options.serviceCertificate);
    this.#ownNodeId = identityNodeId(options.identity);
    this.#life = options.life;
    this.#routeHost = {
      ...dependencies,
      limits,
      dial: (peer, events) => this.#dial(peer, limits.connectTimeoutMs, events),
    };
    this.#stopTicking = dependencies.timers.every(limits.clockIntervalMs, () => this.#tick());
    this.directoryChanged();
  }

  /**
   * Listens, and connects to all peers of the directory.
   * @throws what listening throws, as for an address in use; `RangeError` for a limit out of range
   */
  static async listen(options: PeerNetworkOptions, dependencies: PeerNetworkDependencies): Promise<PeerNetwork> {
    const limits = peerLimits(options.limits);
    const acceptor = await PeerAcceptor.listen(options, limits, dependencies);
    return new PeerNetwork(options, limits, dependencies, acceptor);
  }

  /** Messages to whom the directory does not know are dropped. All of one turn of the event loop leave in one write per peer. */
  send(messages: readonly RaftMessage[]): void {
    for (const { to, bytes } of messages) this.#routes.get(to)?.message(bytes);
  }

  /**
   * Resolves when the peer's `snapshot` handler has been given both parts.
   * @throws PeerError
   */
  async sendSnapshot(message: RaftMessage, content: Uint8Array): Promise<void> {
    await this.#routeTo(message.to).snapshot(message.bytes, content);
  }

  /**
   * The answer of the peer's `request` handler.
   * @throws PeerError `UNREACHABLE`, `OVERLOADED`, `TOO_LARGE`, `REFUSED`: not executed; `FAILED`, `UNCERTAIN`: perhaps
   */
  async request(
    raftId: number,
    method: PeerMethod,
    body: Uint8Array,
    { timeoutMs }: Readonly<{ timeoutMs: number }>,
  ): Promise<Uint8Array> {
    return this.#routeTo(raftId).request(method, body, timeoutMs);
  }

  /** Whether the peer has answered on the present connection to it. */
  reachable(raftId: number): boolean {
    return this.#routes.get(raftId)?.reachable ?? false;
  }

  /** Connections that others opened to this node. */
  get acceptedConnections(): number {
    return this.#acceptor.connectionCount;
  }

  /** To be called after each change of the directory: closes what is of no member any more, connects to new ones. */
  directoryChanged(): void {
    if (this.#closed) return;
    this.#acceptor.directoryChanged();
    const wanted = new Map<number, Peer>();
    for (const peer of this.#uses.directory.peers()) {
      // Of two rows of one key only the newer is alive.
      const alive = this.#uses.directory.byNodeId(peer.nodeId)?.raftId === peer.raftId;
      if (alive && peer.nodeId !== this.#ownNodeId) wanted.set(peer.raftId, peer);
    }
    for (const [raftId, route] of this.#routes) {
      const peer = wanted.get(raftId);
      if (peer && isSame(peer, route.peer)) continue;
      this.#routes.delete(raftId);
      route.close('NOT_A_MEMBER');
    }
    for (const [raftId, peer] of wanted) {
      if (!this.#routes.has(raftId)) this.#routes.set(raftId, new PeerRoute(peer, this.#routeHost));
    }
  }

  /** Shows another certificate from now on; open connections are replaced by new ones without a gap. */
  setIdentity(identity: PeerIdentity): void {
    this.#context = tlsContext(identity, this.#serviceCertificate);
    this.#ownNodeId = identityNodeId(identity);
    this.#acceptor.setIdentity(identity);
    for (const route of this.#routes.values()) route.replaceConnections();
    this.directoryChanged();
  }

  /** Ends everything; what waits for an answer is `UNCERTAIN`. Resolves when no socket is open. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopTicking();
    for (const route of this.#routes.values()) route.close('CLOSED');
    this.#routes.clear();
    await this.#acceptor.close();
  }

  /** A connection is open once both have said which life they are of. */
  #dial({ address, nodeId, life }: Peer, timeoutMs: number, events: DialEvents): () => void {
    const { timers } = this.#uses;
    let giveUp = dial({ address, nodeId, context: this.#context, connectTimeoutMs: timeoutMs }, timers, {
      opened: (socket) => {
        giveUp = greet(socket, { own: this.#life, expected: life, timeoutMs }, timers, events);
      },
      failed: events.failed,
    });
    return () => giveUp();
  }

  #routeTo(raftId: number): PeerRoute {
    const route = this.#routes.get(raftId);
    if (!route) throw new PeerError('UNREACHABLE', `no peer has the raft id ${raftId}`);
    return route;
  }

  #tick(): void {
    for (const route of this.#routes.values()) route.tick();
    this.#acceptor.tick();
  }
}

const isSame = (one: Peer, other: Peer): boolean =>
  one.nodeId === other.nodeId && one.address === other.address && one.life === other.life;
