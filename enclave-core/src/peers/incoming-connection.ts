/** The side of a connection that accepted it: takes what a peer sends, and answers. */
import type { TLSSocket } from 'node:tls';
import { LIFE_BYTES, type NodeLife } from '@drawbridge/protocol/ledger/node-life';
import { FrameConnection } from './frame-connection.ts';
import type { Standing } from './peer-certificate.ts';
import { codeOf } from './peer-error.ts';
import {
  aliveFrame,
  answerFrame,
  CALL_HEAD_BYTES,
  type FrameBounds,
  type FrameFault,
  frameKind,
  helloFrame,
  methodNumber,
  type RequestMethod,
  readCall,
  readClock,
  readHello,
  readSnapshot,
  SNAPSHOT_HEAD_BYTES,
} from './peer-frame.ts';
import type { PeerLimits } from './peer-limits.ts';
import type { Peer, PeerHandlers, PeerMethod } from './peer-types.ts';

/** Rooms of memory for snapshots, shared by all connections. */
export type SnapshotRoom = { free: number };

export type IncomingHost = Readonly<{
  /** Of this process. */
  life: NodeLife;
  limits: PeerLimits;
  handlers: PeerHandlers;
  snapshots: SnapshotRoom;
  closed: (connection: IncomingConnection, code: string) => void;
}>;

export type KnownStanding = Exclude<Standing, { role: 'stranger' }>;

const EMPTY = new Uint8Array(0);
const ASCII = new TextEncoder();
const METHODS: ReadonlyMap<number, PeerMethod> = new Map([
  [methodNumber.submit, 'submit'],
  [methodNumber.ledger, 'ledger'],
  [methodNumber.receipt, 'receipt'],
]);

export class IncomingConnection {
  /** Unix ms after which its certificate is worth nothing. */
  readonly validToMs: number;
  readonly #host: IncomingHost;
  readonly #frames: FrameConnection;
  #standing: KnownStanding;
  /** Which the other side said it is of; nothing before, when it is not heard. */
  #life: NodeLife | null = null;
  /** Messages of the piece being read. */
  #messages: Uint8Array[] = [];
  #serving = 0;
  #servingLedger = 0;
  #servingBytes = 0;
  #receivingSnapshot = false;
  #quietIntervals = 0;

  constructor(socket: TLSSocket, standing: KnownStanding, host: IncomingHost) {
    this.#standing = standing;
    this.#host = host;
    this.validToMs = Date.parse(socket.getPeerX509Certificate()?.validTo ?? '');
    this.#frames = new FrameConnection(socket, boundsOf(standing.role, host.limits), {
      frame: (kind, body) => this.#frame(kind, body),
      handedOver: () => this.#handOver(),
      drained: () => this.#frames.resume(),
      closed: (code) => this.#closed(code),
    });
    if (standing.role === 'peer') this.#frames.write(helloFrame(host.life));
  }

  get standing(): KnownStanding {
    return this.#standing;
  }

  /** The directory says now who this peer is. */
  recognise(peer: Peer): void {
    this.#standing = { role: 'peer', peer };
    if (this.#life !== null && this.#life !== peer.life) this.destroy('LIFE_OTHER');
  }

  /** To be called every clock interval. */
  tick(): void {
    this.#quietIntervals++;
    const longest = 3 * this.#host.limits.maxIdleIntervals;
    if (this.#quietIntervals > longest && this.#serving === 0) this.destroy('SILENT');
  }

  destroy(code: string): void {
    this.#frames.destroy(code);
  }

  #handOver(): void {
    this.#quietIntervals = 0;
    if (this.#messages.length === 0) return;
    const messages = this.#messages;
    this.#messages = [];
    if (this.#standing.role === 'peer') this.#host.handlers.messages(this.#standing.peer.raftId, messages);
  }

  #frame(kind: number, body: Buffer): FrameFault | 'STOP' | null {
    if (this.#standing.role === 'peer' && (kind === frameKind.hello) !== (this.#life === null))
      return 'FRAME_UNEXPECTED';
    if (kind === frameKind.hello) return this.#hello(body);
    if (kind === frameKind.message) {
      this.#messages.push(body);
      return null;
    }
    if (kind === frameKind.request) return this.#request(body);
    if (kind === frameKind.clock) return this.#clock(body);
    return this.#snapshot(body);
  }

  /** Deny by default: without the life that the ledger has of it, whoever holds the key is no peer. */
  #hello(body: Buffer): FrameFault | 'STOP' | null {
    const life = readHello(body);
    if (life === null) return 'FRAME_MALFORMED';
    if (this.#standing.role !== 'peer' || this.#standing.peer.life !== life) {
      this.destroy('LIFE_OTHER');
      return 'STOP';
    }
    this.#life = life;
    return null;
  }

  #clock(body: Buffer): FrameFault | null {
    const nowMs = readClock(body);
    if (nowMs === null) return 'FRAME_MALFORMED';
    this.#frames.write(aliveFrame);
    if (this.#standing.role === 'peer') this.#host.handlers.clock(this.#standing.peer.raftId, nowMs);
    return null;
  }

  #request(body: Buffer): FrameFault | null {
    const call = readCall(body);
    if (!call) return 'FRAME_MALFORMED';
    const { id, payload } = call;
    if (this.#standing.role === 'joiner') {
      if (call.byte !== methodNumber.join || this.#serving > 0) return 'FRAME_UNEXPECTED';
      const { nodeId } = this.#standing;
      void this.#serve(id, 'join', payload, () => this.#host.handlers.join(nodeId, payload));
      return null;
    }
    return this.#peerRequest(this.#standing.peer, id, METHODS.get(call.byte), payload);
  }

  #peerRequest(peer: Peer, id: number, method: PeerMethod | undefined, payload: Buffer): FrameFault | null {
    const { limits, handlers } = this.#host;
    if (method && payload.length > (method === 'submit' ? limits.maxSubmitBytes : limits.maxQueryBytes))
      return 'FRAME_TOO_LARGE';
    const full =
      this.#serving >= limits.maxServedRequests ||
      this.#servingBytes + payload.length > limits.maxServedBytes ||
      (method === 'ledger' && this.#servingLedger >= limits.maxServedLedgerRequests);
    if (!method) this.#refuse(id, 'METHOD_UNKNOWN');
    else if (full) this.#refuse(id, 'OVERLOADED');
    else void this.#serve(id, method, payload, () => handlers.request(peer, method, payload));
    return null;
  }

  async #serve(
    id: number,
    method: RequestMethod,
    { length }: Uint8Array,
    handle: () => Promise<Uint8Array>,
  ): Promise<void> {
    this.#serving++;
    this.#servingBytes += length;
    if (method === 'ledger') this.#servingLedger++;
    try {
      const answer = await handle();
      if (answer.length > this.#host.limits.maxAnswerBytes) this.#fail(id, 'ANSWER_TOO_LARGE');
      else this.#frames.write(answerFrame(id, 'done', answer));
    } catch (error) {
      this.#fail(id, codeOf(error));
    } finally {
      this.#serving--;
      this.#servingBytes -= length;
      if (method === 'ledger') this.#servingLedger--;
    }
    if (this.#frames.unsentBytes > this.#host.limits.maxUnsentAnswerBytes) this.#frames.pause();
  }

  #fail(id: number, code: string): void {
    this.#frames.write(answerFrame(id, 'failed', ASCII.encode(code)));
  }

  #refuse(id: number, code: string): void {
    this.#frames.write(answerFrame(id, 'refused', ASCII.encode(code)));
  }

  #snapshot(body: Buffer): FrameFault | 'STOP' | null {
    const snapshot = readSnapshot(body);
    if (!snapshot) return 'FRAME_MALFORMED';
    const { limits, snapshots } = this.#host;
    const { id, contentBytes, message } = snapshot;
    if (contentBytes > limits.maxSnapshotBytes || snapshots.free === 0) {
      this.#refuse(id, snapshots.free === 0 ? 'OVERLOADED' : 'TOO_LARGE');
      this.#frames.destroySoon('SNAPSHOT_REFUSED');
      return 'STOP';
    }
    snapshots.free--;
    this.#receivingSnapshot = true;
    if (contentBytes === 0) this.#snapshotReceived(id, message, EMPTY);
    else this.#frames.readRaw(contentBytes, (content) => this.#snapshotReceived(id, message, content));
    return null;
  }

  #snapshotReceived(id: number, message: Uint8Array, content: Uint8Array): void {
    this.#freeSnapshotRoom();
    if (this.#standing.role !== 'peer') return;
    this.#host.handlers.snapshot(this.#standing.peer.raftId, message, content);
    this.#frames.write(answerFrame(id, 'done', EMPTY));
  }

  #freeSnapshotRoom(): void {
    if (!this.#receivingSnapshot) return;
    this.#receivingSnapshot = false;
    this.#host.snapshots.free++;
  }

  #closed(code: string): void {
    this.#freeSnapshotRoom();
    this.#messages = [];
    this.#host.closed(this, code);
  }
}

function boundsOf(role: KnownStanding['role'], limits: PeerLimits): FrameBounds {
  if (role === 'joiner') return new Map([[frameKind.request, CALL_HEAD_BYTES + limits.maxJoinBytes]]);
  return new Map([
    [frameKind.message, limits.maxMessageBytes],
    [frameKind.request, CALL_HEAD_BYTES + Math.max(limits.maxSubmitBytes, limits.maxQueryBytes)],
    [frameKind.clock, 8],
    [frameKind.hello, LIFE_BYTES],
    [frameKind.snapshot, SNAPSHOT_HEAD_BYTES + limits.maxMessageBytes],
  ]);
}
