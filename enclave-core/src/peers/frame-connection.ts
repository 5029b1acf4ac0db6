/**
 * Frames over one TLS socket. All frames of a turn of the event loop leave in one write; those that arrive together are
 * handed over together.
 */
import type { TLSSocket } from 'node:tls';
import { codeOf } from './peer-error.ts';
import {
  type FrameBounds,
  type FrameFault,
  FrameReader,
  frameBytes,
  joinFrames,
  type OutgoingFrame,
} from './peer-frame.ts';

export type FrameEvents = Readonly<{
  /** `STOP`: what follows is not read. */
  frame: (kind: number, body: Buffer) => FrameFault | 'STOP' | null;
  /** All frames of one piece were handed over. */
  handedOver: () => void;
  /** Nothing written waits in this process any more. */
  drained: () => void;
  /** Called once, last. `code`: what ended it. */
  closed: (code: string) => void;
}>;

/** Bytes of one turn that are written without waiting for its end, so that the peer begins to read. */
const MAX_JOINED_BYTES = 256 * 1024;
/** Larger writes take a buffer that is used again: new ones of that size cost page faults and garbage collections. */
const MIN_SPARE_BYTES = 4 * 1024;
/** Room for what is below the bound and one message more; what is above even that takes a buffer of its own. */
const SPARE_BYTES = 2 * MAX_JOINED_BYTES;
const MAX_SPARES = 4;

export class FrameConnection {
  readonly #socket: TLSSocket;
  readonly #reader: FrameReader;
  readonly #events: FrameEvents;
  #frames: OutgoingFrame[] = [];
  #frameBytes = 0;
  #flushDue = false;
  #closeCode: string | null = null;
  #reading = true;
  /** Buffers that were written and are free again. */
  readonly #spares: Buffer[] = [];
  readonly #flush = (): void => {
    this.#flushDue = false;
    this.#writeFrames();
  };

  constructor(socket: TLSSocket, bounds: FrameBounds, events: FrameEvents) {
    this.#socket = socket;
    this.#events = events;
    this.#reader = new FrameReader(bounds, (kind, body) => (socket.destroyed ? 'STOP' : events.frame(kind, body)));
    socket.setNoDelay(true);
    socket.on('data', (piece: Buffer) => this.#received(piece));
    socket.on('drain', () => events.drained());
    socket.on('error', (error) => {
      this.#closeCode ??= codeOf(error);
    });
    socket.on('close', () => {
      this.#frames = [];
      events.closed(this.#closeCode ?? 'CLOSED_BY_PEER');
    });
  }

  /** Bytes that wait in this process. */
  get unsentBytes(): number {
    return this.#frameBytes + this.#socket.writableLength;
  }

  /** Bytes given to TLS, so far. */
  get sentBytes(): number {
    return this.#socket.bytesWritten;
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  write(frame: OutgoingFrame): void {
    this.#frames.push(frame);
    this.#frameBytes += frameBytes(frame);
    if (this.#frameBytes >= MAX_JOINED_BYTES) this.#writeFrames();
    else if (!this.#flushDue) {
      this.#flushDue = true;
      process.nextTick(this.#flush);
    }
  }

  /** Content without a frame. False: the connection is closed; true: the next piece may come. */
  async writeRaw(content: Uint8Array): Promise<boolean> {
    this.#writeFrames();
    if (!this.#socket.writable) return false;
    return new Promise((resolve) => this.#socket.write(content, (error) => resolve(!error)));
  }

  /** What follows the present frame is content; to be called while a frame is being handed over. */
  readRaw(bytes: number, done: (content: Buffer) => void): void {
    this.#reader.readRaw(bytes, done);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Says that nothing more comes; closes when the peer says so too. */
  end(code: string): void {
    this.#closeCode ??= code;
    this.#writeFrames();
    this.#socket.end();
  }

  /** Closes once everything written has left, whatever the peer still sends. */
  destroySoon(code: string): void {
    this.#closeCode ??= code;
    this.#writeFrames();
    this.#socket.destroySoon();
  }

  destroy(code: string): void {
    this.#closeCode ??= code;
    this.#socket.destroy();
  }

  #writeFrames(): void {
    if (this.#frames.length === 0) return;
    const frames = this.#frames;
    const bytes = this.#frameBytes;
    this.#frames = [];
    this.#frameBytes = 0;
    if (!this.#socket.writable) return;
    if (bytes < MIN_SPARE_BYTES || bytes > SPARE_BYTES) {
      this.#socket.write(joinFrames(frames, Buffer.allocUnsafe(bytes)));
      return;
    }
    const buffer = this.#spares.pop() ?? Buffer.allocUnsafeSlow(SPARE_BYTES);
    this.#socket.write(joinFrames(frames, buffer.subarray(0, bytes)), (error) => {
      if (!error && this.#spares.length < MAX_SPARES) this.#spares.push(buffer);
    });
  }

  #received(piece: Buffer): void {
    if (!this.#reading) return;
    const fault = this.#reader.push(piece);
    if (fault) this.#reading = false;
    if (this.#socket.destroyed) return;
    this.#events.handedOver();
    if (fault && fault !== 'STOP') this.destroy(fault);
  }
}
