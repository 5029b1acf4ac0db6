/**
 * The way to one peer: a connection, opened when it is first used and replaced when it is lost, old or dead. A prompt lane
 * stays open, carries messages and is told the time; a bulk lane carries large requests and closes when nobody uses it.
 */
import type { TLSSocket } from 'node:tls';
import type { Entropy } from '../consensus/wasi-shim.ts';
import { MessageQueue } from './message-queue.ts';
import { OutgoingConnection } from './outgoing-connection.ts';
import { PeerError } from './peer-error.ts';
import type { RequestMethod } from './peer-frame.ts';
import type { PeerLimits } from './peer-limits.ts';
import type { PeerTimers } from './peer-timers.ts';
import type { DialEvents } from './peer-tls.ts';
import { PendingRequest } from './pending-request.ts';
import { RetryDelay } from './retry-delay.ts';

export type LaneKind = 'prompt' | 'bulk';

export type LaneHost = Readonly<{
  /** Opens a connection with the identity of the moment; the returned function gives up. */
  dial: (events: DialEvents) => () => void;
  timers: PeerTimers;
  entropy: Entropy;
  nowMs: () => number;
  /** The other side took us for a peer; once per connection. */
  connected: () => void;
  /** Messages were or will be lost. */
  lost: (code: string) => void;
}>;

/** Bytes in the socket beyond which messages wait in the queue, where the oldest can still be dropped. */
const MAX_UNSENT_BYTES = 1024 * 1024;

export class OutgoingLane {
  readonly #kind: LaneKind;
  readonly #limits: PeerLimits;
  readonly #host: LaneHost;
  readonly #queue: MessageQueue;
  readonly #retry: RetryDelay;
  /** Requests that wait for the connection under way. */
  readonly #waiting: PendingRequest<RequestMethod>[] = [];
  /** Open connections; those beside the current one are retired and wait for answers. */
  readonly #open = new Set<OutgoingConnection>();
  #current: OutgoingConnection | null = null;
  #cancelDial: (() => void) | null = null;
  #cancelRetry: (() => void) | null = null;
  #waitingBytes = 0;
  #pendingRequests = 0;
  #quietIntervals = 0;
  #heardBefore = 0;
  #overflowed = false;
  #closed = false;

  constructor(kind: LaneKind, limits: PeerLimits, host: LaneHost) {
    this.#kind = kind;
    this.#limits = limits;
    this.#host = host;
    this.#queue = new MessageQueue(limits.maxQueuedBytes);
    this.#retry = new RetryDelay(limits, host.entropy);
    if (kind === 'prompt') this.#dial();
  }

  /** The peer has said something on the current connection. */
  get reachable(): boolean {
    return this.#current !== null && this.#current.heardCount > 0;
  }

  message(bytes: Uint8Array): void {
    const connection = this.#current;
    if (connection && this.#queue.empty && connection.unsentBytes < MAX_UNSENT_BYTES) {
      connection.message(bytes);
      return;
    }
    if (this.#queue.push(bytes) === 0 || this.#overflowed) return;
    this.#overflowed = true;
    this.#host.lost('QUEUE_FULL');
  }

  /** @throws PeerError, by rejection */
  async request(method: RequestMethod, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const { maxPendingRequests, maxQueuedBytes } = this.#limits;
    const unsentBytes = this.#current?.unsentBytes ?? this.#waitingBytes;
    if (this.#pendingRequests >= maxPendingRequests || unsentBytes + body.length > maxQueuedBytes)
      throw new PeerError('OVERLOADED', `${method}: too much waits for this peer`);
    this.#pendingRequests++;
    const request = new PendingRequest({ method, body, timeoutMs }, this.#host.timers, () => {
      this.#pendingRequests--;
    });
    if (this.#current) this.#current.request(request);
    else if (this.#closed || this.#cancelRetry) request.lost('NOT_CONNECTED');
    else {
      this.#waiting.push(request);
      this.#waitingBytes += body.length;
      if (!this.#cancelDial) this.#dial();
    }
    return request.answer;
  }

  /** To be called every clock interval. */
  tick(): void {
    this.#dropLingering();
    const connection = this.#current;
    if (!connection) return;
    if (this.#kind === 'bulk') this.#closeIfIdle(connection);
    else this.#beat(connection);
    if (connection.sentBytes > this.#limits.maxConnectionBytes) this.replace();
  }

  /** Opens a new connection and goes over to it; the old one is used until then. */
  replace(): void {
    if (this.#current && !this.#cancelDial) this.#dial();
  }

  close(code: string): void {
    this.#closed = true;
    this.#cancelDial?.();
    this.#cancelDial = null;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#queue.clear();
    this.#failWaiting(code);
    for (const connection of this.#open) connection.destroy(code);
  }

  #dial(): void {
    this.#cancelDial = this.#host.dial({
      opened: (socket) => this.#opened(socket),
      failed: (code) => {
        this.#cancelDial = null;
        // A replacement that failed: the old one serves on.
        if (this.#current) return;
        this.#lost(code);
      },
    });
  }

  #opened(socket: TLSSocket): void {
    this.#cancelDial = null;
    const connection: OutgoingConnection = new OutgoingConnection(socket, this.#limits, {
      heard: () => this.#heard(connection),
      // The prompt lane hears an answer to each clock; this one may be dead.
      silent: () => this.#kind === 'bulk' && connection.destroy('SILENT'),
      drained: () => this.#drained(connection),
      closed: (code) => this.#closedConnection(connection, code),
    });
    this.#open.add(connection);
    this.#current?.retire();
    this.#current = connection;
    this.#quietIntervals = 0;
    this.#heardBefore = 0;
    if (this.#kind === 'prompt') connection.clock(this.#host.nowMs());
    for (const request of this.#takeWaiting()) if (!request.done) connection.request(request);
    this.#drained(connection);
  }

  #heard(connection: OutgoingConnection): void {
    if (connection !== this.#current || connection.heardCount > 1) return;
    this.#retry.reset();
    this.#host.connected();
  }

  #drained(connection: OutgoingConnection): void {
    if (connection !== this.#current) return;
    while (connection.unsentBytes < MAX_UNSENT_BYTES) {
      const message = this.#queue.shift();
      if (!message) break;
      connection.message(message);
    }
    if (this.#queue.empty) this.#overflowed = false;
  }

  #beat(connection: OutgoingConnection): void {
    this.#quietIntervals = connection.heardCount === this.#heardBefore ? this.#quietIntervals + 1 : 0;
    this.#heardBefore = connection.heardCount;
    if (this.#quietIntervals > this.#limits.maxSilentIntervals) connection.destroy('SILENT');
    else connection.clock(this.#host.nowMs());
  }

  #closeIfIdle(connection: OutgoingConnection): void {
    this.#quietIntervals = this.#pendingRequests === 0 ? this.#quietIntervals + 1 : 0;
    if (this.#quietIntervals < this.#limits.maxIdleIntervals) return;
    this.#current = null;
    connection.retire();
  }

  /** A retired connection whose peer does not close its side. */
  #dropLingering(): void {
    for (const connection of this.#open) {
      if (connection === this.#current || connection.pendingCount > 0) continue;
      if (connection.lingered++ >= this.#limits.maxSilentIntervals) connection.destroy('RETIRED');
    }
  }

  #closedConnection(connection: OutgoingConnection, code: string): void {
    this.#open.delete(connection);
    if (connection !== this.#current) return;
    this.#current = null;
    if (!this.#closed && !this.#cancelDial) this.#lost(code);
  }

  /** Without a connection: what waits for it is lost, and another attempt comes after a pause. */
  #lost(code: string): void {
    this.#queue.clear();
    this.#overflowed = false;
    this.#failWaiting(code);
    this.#cancelRetry = this.#host.timers.after(this.#retry.next(), () => {
      this.#cancelRetry = null;
      if (this.#kind === 'prompt') this.#dial();
    });
    this.#host.lost(code);
  }

  #failWaiting(code: string): void {
    for (const request of this.#takeWaiting()) request.lost(code);
  }

  #takeWaiting(): PendingRequest<RequestMethod>[] {
    this.#waitingBytes = 0;
    return this.#waiting.splice(0);
  }
}
