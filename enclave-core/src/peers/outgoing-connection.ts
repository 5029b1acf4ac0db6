/** The side of a connection that opened it: sends messages, times, requests and snapshots, and takes answers. */
import type { TLSSocket } from 'node:tls';
import { FrameConnection } from './frame-connection.ts';
import {
  answerStatus,
  CALL_HEAD_BYTES,
  clockFrame,
  type FrameFault,
  frameKind,
  messageFrame,
  type RequestMethod,
  readCall,
  requestFrame,
  snapshotFrame,
} from './peer-frame.ts';
import type { PeerLimits } from './peer-limits.ts';
import type { PendingRequest } from './pending-request.ts';

export type OutgoingEvents = Readonly<{
  /** The other side said something: it took us for a peer. */
  heard: () => void;
  /** A request timed out and nothing at all was heard since it was sent. */
  silent: () => void;
  drained: () => void;
  closed: (code: string) => void;
}>;

/** Codes of failures that a peer may name; anything else is shown as `UNKNOWN`. */
const CODE = /^[A-Z][A-Z0-9_]{0,63}$/;
const MAX_ID = 2 ** 32 - 1;

export class OutgoingConnection {
  readonly #frames: FrameConnection;
  readonly #events: OutgoingEvents;
  readonly #pending = new Map<number, PendingRequest>();
  #nextId = 0;
  #retired = false;
  /** Pieces received so far; tells silence from life. */
  heardCount = 0;
  /** Intervals since it was retired and has nothing to wait for. */
  lingered = 0;

  constructor(socket: TLSSocket, limits: Pick<PeerLimits, 'maxAnswerBytes'>, events: OutgoingEvents) {
    this.#events = events;
    const bounds = new Map([
      [frameKind.answer, CALL_HEAD_BYTES + limits.maxAnswerBytes],
      [frameKind.alive, 0],
    ]);
    this.#frames = new FrameConnection(socket, bounds, {
      frame: (kind, body) => (kind === frameKind.answer ? this.#answered(body) : null),
      handedOver: () => {
        this.heardCount++;
        events.heard();
      },
      drained: events.drained,
      closed: (code) => this.#closed(code),
    });
  }

  get unsentBytes(): number {
    return this.#frames.unsentBytes;
  }

  get sentBytes(): number {
    return this.#frames.sentBytes;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  message(bytes: Uint8Array): void {
    this.#frames.write(messageFrame(bytes));
  }

  clock(nowMs: number): void {
    this.#frames.write(clockFrame(nowMs));
  }

  request(request: PendingRequest<RequestMethod>): void {
    const id = this.#enter(request);
    const heardBefore = this.heardCount;
    const payload = request.send(() => {
      this.#forget(id);
      if (this.heardCount === heardBefore) this.#events.silent();
    });
    this.#frames.write(requestFrame(id, request.method, payload));
  }

  /** Announces a snapshot, whose content is to follow by `writeContent`; nothing else may be sent meanwhile. */
  announceSnapshot(request: PendingRequest<'snapshot'>, contentBytes: number): void {
    const id = this.#enter(request);
    this.#frames.write(
      snapshotFrame(
        id,
        contentBytes,
        request.send(() => this.#forget(id)),
      ),
    );
  }

  /** Resolves when the piece has left this process; false: the connection is closed. */
  async writeContent(piece: Uint8Array): Promise<boolean> {
    return this.#frames.writeRaw(piece);
  }

  /** Sends nothing new and closes after the last answer. */
  retire(): void {
    this.#retired = true;
    this.#endIfRetired();
  }

  destroy(code: string): void {
    this.#frames.destroy(code);
  }

  #enter(request: PendingRequest): number {
    while (this.#pending.has(this.#nextId)) this.#nextId = this.#nextId === MAX_ID ? 0 : this.#nextId + 1;
    const id = this.#nextId;
    this.#nextId = id === MAX_ID ? 0 : id + 1;
    this.#pending.set(id, request);
    return id;
  }

  #forget(id: number): void {
    this.#pending.delete(id);
    this.#endIfRetired();
  }

  #answered(body: Buffer): FrameFault | null {
    const answer = readCall(body);
    if (!answer) return 'FRAME_MALFORMED';
    const request = this.#pending.get(answer.id);
    // It timed out before.
    if (!request) return null;
    if (answer.byte === answerStatus.done) request.resolve(answer.payload);
    else {
      const code = answer.payload.toString('latin1', 0, 64);
      const status = answer.byte === answerStatus.refused ? 'REFUSED' : 'FAILED';
      request.refuse(status, CODE.test(code) ? code : 'UNKNOWN');
    }
    this.#forget(answer.id);
    return null;
  }

  #endIfRetired(): void {
    if (this.#retired && this.#pending.size === 0) this.#frames.end('RETIRED');
  }

  #closed(code: string): void {
    for (const request of this.#pending.values()) request.lost(code);
    this.#pending.clear();
    this.#events.closed(code);
  }
}
