/** Everything that goes to one peer: a prompt lane, a bulk lane, and a connection for a snapshot. */
import { OutgoingLane } from './outgoing-lane.ts';
import { PeerError } from './peer-error.ts';
import type { PeerLimits } from './peer-limits.ts';
import type { DialEvents } from './peer-tls.ts';
import type { Peer, PeerMethod, PeerNetworkDependencies } from './peer-types.ts';
import { type SnapshotSending, sendSnapshot } from './snapshot-sending.ts';

export type RouteHost = Pick<PeerNetworkDependencies, 'timers' | 'entropy' | 'nowMs' | 'log' | 'handlers'> &
  Readonly<{ limits: PeerLimits; dial: (peer: Peer, events: DialEvents) => () => void }>;

export class PeerRoute {
  readonly peer: Peer;
  readonly #host: RouteHost;
  readonly #prompt: OutgoingLane;
  readonly #bulk: OutgoingLane;
  #snapshot: SnapshotSending | null = null;
  /** What the log was told last. */
  #saidReachable: boolean | null = null;
  #closed = false;

  constructor(peer: Peer, host: RouteHost) {
    this.peer = peer;
    this.#host = host;
    const { timers, entropy, nowMs } = host;
    const dial = (events: DialEvents): (() => void) => host.dial(peer, events);
    const shared = { dial, timers, entropy, nowMs };
    this.#bulk = new OutgoingLane('bulk', host.limits, {
      ...shared,
      connected: () => undefined,
      lost: () => undefined,
    });
    this.#prompt = new OutgoingLane('prompt', host.limits, {
      ...shared,
      connected: () => this.#connected(),
      lost: (code) => this.#lost(code),
    });
  }

  get reachable(): boolean {
    return this.#prompt.reachable;
  }

  message(bytes: Uint8Array): void {
    const { limits, log } = this.#host;
    if (bytes.length <= limits.maxMessageBytes) this.#prompt.message(bytes);
    else log.error({ peer: this.peer.raftId, code: 'TOO_LARGE', bytes: bytes.length }, 'message dropped');
  }

  async request(method: PeerMethod, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const { maxSubmitBytes, maxQueryBytes, maxPromptRequestBytes } = this.#host.limits;
    if (body.length > (method === 'submit' ? maxSubmitBytes : maxQueryBytes))
      throw new PeerError('TOO_LARGE', `${method}: ${body.length} bytes`);
    const bulk = method === 'ledger' || body.length > maxPromptRequestBytes;
    return (bulk ? this.#bulk : this.#prompt).request(method, body, timeoutMs);
  }

  async snapshot(message: Uint8Array, content: Uint8Array): Promise<void> {
    const { maxMessageBytes, maxSnapshotBytes } = this.#host.limits;
    if (message.length > maxMessageBytes || content.length > maxSnapshotBytes)
      throw new PeerError('TOO_LARGE', `snapshot: ${message.length} and ${content.length} bytes`);
    if (this.#snapshot) throw new PeerError('OVERLOADED', 'another snapshot is on its way to this peer');
    const { limits, timers, dial } = this.#host;
    const sending = sendSnapshot({ message, content }, { limits, timers, dial: (events) => dial(this.peer, events) });
    this.#snapshot = sending;
    try {
      await sending.delivered;
    } finally {
      this.#snapshot = null;
    }
  }

  /** To be called every clock interval. */
  tick(): void {
    this.#prompt.tick();
    this.#bulk.tick();
  }

  /** Goes over to connections that show the identity of now. */
  replaceConnections(): void {
    this.#prompt.replace();
    this.#bulk.replace();
  }

  close(code: string): void {
    this.#closed = true;
    this.#prompt.close(code);
    this.#bulk.close(code);
    this.#snapshot?.cancel();
  }

  #connected(): void {
    if (this.#saidReachable === true) return;
    this.#saidReachable = true;
    this.#host.log.info({ peer: this.peer.raftId }, 'peer connected');
  }

  #lost(code: string): void {
    if (this.#closed) return;
    this.#host.handlers.unreachable(this.peer.raftId);
    if (this.#saidReachable === false) return;
    this.#saidReachable = false;
    this.#host.log.warn({ peer: this.peer.raftId, code }, 'peer unreachable');
  }
}
