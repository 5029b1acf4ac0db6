/**
 * What travels between nodes inside TLS: `u32 length ‖ u8 kind ‖ body`, big-endian, `length` counting the body.
 *
 * | kind | body | direction |
 * |---|---|---|
 * | message 1 | raftpb.Message | to the accepting side |
 * | request 2 | u32 id ‖ u8 method ‖ payload | to the accepting side |
 * | answer 3 | u32 id ‖ u8 status ‖ payload, or the code of a failure in ASCII | back |
 * | clock 4 | u64 Unix ms | to the accepting side |
 * | alive 5 | nothing; follows each clock | back |
 * | snapshot 6 | u32 id ‖ u64 n ‖ raftpb.Message; n bytes of content follow the frame | to the accepting side |
 * | hello 7 | the 16 bytes of the sender's life; first on each connection of peers, and once | both |
 */
import { Buffer } from 'node:buffer';
import { LIFE_BYTES, type NodeLife } from '@drawbridge/protocol/ledger/node-life';

export const frameKind = { message: 1, request: 2, answer: 3, clock: 4, alive: 5, snapshot: 6, hello: 7 } as const;
export type FrameKind = (typeof frameKind)[keyof typeof frameKind];

export const methodNumber = { submit: 1, ledger: 2, receipt: 3, join: 4 } as const;
export type RequestMethod = keyof typeof methodNumber;

export const answerStatus = { done: 0, failed: 1, refused: 2 } as const;

/** Largest body that a side takes of each kind; kinds that are absent close the connection. */
export type FrameBounds = ReadonlyMap<number, number>;

export type FrameFault = 'FRAME_TOO_LARGE' | 'FRAME_UNEXPECTED' | 'FRAME_MALFORMED';

const PREFIX_BYTES = 5;
/** Bytes of a whole hello. */
export const HELLO_BYTES: number = PREFIX_BYTES + LIFE_BYTES;
/** Bytes before the payload of a request or an answer. */
export const CALL_HEAD_BYTES = 5;
export const SNAPSHOT_HEAD_BYTES = 12;
const CLOCK_BYTES = 8;
const TWO_32 = 2 ** 32;

/** The body is `head ‖ payload`. */
export type OutgoingFrame = Readonly<{ kind: FrameKind; head: Uint8Array | null; payload: Uint8Array }>;

const NOTHING = new Uint8Array(0);

export function messageFrame(message: Uint8Array): OutgoingFrame {
  return { kind: frameKind.message, head: null, payload: message };
}

export function requestFrame(id: number, method: RequestMethod, payload: Uint8Array): OutgoingFrame {
  return { kind: frameKind.request, head: callHead(id, methodNumber[method]), payload };
}

export function answerFrame(id: number, status: keyof typeof answerStatus, payload: Uint8Array): OutgoingFrame {
  return { kind: frameKind.answer, head: callHead(id, answerStatus[status]), payload };
}

export function clockFrame(nowMs: number): OutgoingFrame {
  const body = Buffer.allocUnsafe(CLOCK_BYTES);
  writeU64(body, nowMs, 0);
  return { kind: frameKind.clock, head: null, payload: body };
}

export function helloFrame(life: NodeLife): OutgoingFrame {
  return { kind: frameKind.hello, head: null, payload: Buffer.from(life, 'hex') };
}

/** Whose process it is; null when malformed. */
export function readHello(body: Buffer): NodeLife | null {
  return body.length === LIFE_BYTES ? (body.toString('hex') as NodeLife) : null;
}

export const aliveFrame: OutgoingFrame = { kind: frameKind.alive, head: null, payload: NOTHING };

export function snapshotFrame(id: number, contentBytes: number, message: Uint8Array): OutgoingFrame {
  const head = Buffer.allocUnsafe(SNAPSHOT_HEAD_BYTES);
  head.writeUInt32BE(id, 0);
  writeU64(head, contentBytes, 4);
  return { kind: frameKind.snapshot, head, payload: message };
}

function callHead(id: number, byte: number): Buffer {
  const head = Buffer.allocUnsafe(CALL_HEAD_BYTES);
  head.writeUInt32BE(id, 0);
  head[4] = byte;
  return head;
}

function writeU64(target: Buffer, value: number, at: number): void {
  target.writeUInt32BE(Math.floor(value / TWO_32), at);
  target.writeUInt32BE(value % TWO_32, at + 4);
}

/** Bytes of a frame on the wire. */
export function frameBytes(frame: OutgoingFrame): number {
  return PREFIX_BYTES + (frame.head?.length ?? 0) + frame.payload.length;
}

/** Writes all frames one after the other from the start of `joined`, which is as long as their `frameBytes` together. */
export function joinFrames(frames: readonly OutgoingFrame[], joined: Buffer): Buffer {
  let at = 0;
  for (const { kind, head, payload } of frames) {
    at = joined.writeUInt32BE((head?.length ?? 0) + payload.length, at);
    joined[at++] = kind;
    if (head) {
      joined.set(head, at);
      at += head.length;
    }
    joined.set(payload, at);
    at += payload.length;
  }
  return joined;
}

/** `byte`: method or status. Null: too short. */
export type CallBody = Readonly<{ id: number; byte: number; payload: Buffer }>;

export function readCall(body: Buffer): CallBody | null {
  if (body.length < CALL_HEAD_BYTES) return null;
  return { id: body.readUInt32BE(0), byte: body.readUInt8(4), payload: body.subarray(CALL_HEAD_BYTES) };
}

/** Unix ms; null when malformed. */
export function readClock(body: Buffer): number | null {
  return body.length === CLOCK_BYTES ? readU64(body, 0) : null;
}

export type SnapshotBody = Readonly<{ id: number; contentBytes: number; message: Buffer }>;

export function readSnapshot(body: Buffer): SnapshotBody | null {
  if (body.length < SNAPSHOT_HEAD_BYTES) return null;
  const contentBytes = readU64(body, 4);
  if (contentBytes === null) return null;
  return { id: body.readUInt32BE(0), contentBytes, message: body.subarray(SNAPSHOT_HEAD_BYTES) };
}

/** Null above 2^53 - 1. */
function readU64(body: Buffer, at: number): number | null {
  const value = body.readUInt32BE(at) * TWO_32 + body.readUInt32BE(at + 4);
  return Number.isSafeInteger(value) ? value : null;
}

/** Takes a frame; a fault, or `STOP` for a connection that is closed, ends the reading. */
export type FrameSink = (kind: number, body: Buffer) => FrameFault | 'STOP' | null;

/**
 * Cuts a byte stream into frames. A body that came in one piece is a view of it; no other is copied twice. Memory: one
 * frame of at most its kind's bound.
 */
export class FrameReader {
  readonly #bounds: FrameBounds;
  readonly #sink: FrameSink;
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  #prefixBytes = 0;
  #kind = 0;
  /** The body being filled; null between frames. */
  #body: Buffer | null = null;
  #filled = 0;
  #rawDone: ((content: Buffer) => void) | null = null;

  constructor(bounds: FrameBounds, sink: FrameSink) {
    this.#bounds = bounds;
    this.#sink = sink;
  }

  /** Null: go on with the next piece. */
  push(piece: Buffer): FrameFault | 'STOP' | null {
    for (let at = 0; at < piece.length; ) {
      if (this.#body) {
        const copied = piece.copy(this.#body, this.#filled, at);
        this.#filled += copied;
        at += copied;
        if (this.#filled < this.#body.length) return null;
        const fault = this.#complete(this.#body);
        if (fault) return fault;
        continue;
      }
      const taken = Math.min(PREFIX_BYTES - this.#prefixBytes, piece.length - at);
      piece.copy(this.#prefix, this.#prefixBytes, at, at + taken);
      this.#prefixBytes += taken;
      at += taken;
      if (this.#prefixBytes < PREFIX_BYTES) return null;
      this.#prefixBytes = 0;
      const length = this.#prefix.readUInt32BE(0);
      this.#kind = this.#prefix.readUInt8(4);
      const bound = this.#bounds.get(this.#kind);
      if (bound === undefined) return 'FRAME_UNEXPECTED';
      if (length > bound) return 'FRAME_TOO_LARGE';
      if (length <= piece.length - at) {
        const fault = this.#sink(this.#kind, piece.subarray(at, at + length));
        if (fault) return fault;
        at += length;
      } else {
        this.#body = Buffer.allocUnsafe(length);
        this.#filled = 0;
      }
    }
    return null;
  }

  /** To be called by the sink: the `bytes` (> 0) that follow are no frame but content. */
  readRaw(bytes: number, done: (content: Buffer) => void): void {
    this.#body = Buffer.allocUnsafeSlow(bytes);
    this.#filled = 0;
    this.#rawDone = done;
  }

  #complete(body: Buffer): FrameFault | 'STOP' | null {
    this.#body = null;
    const done = this.#rawDone;
    if (!done) return this.#sink(this.#kind, body);
    this.#rawDone = null;
    done(body);
    return null;
  }
}
