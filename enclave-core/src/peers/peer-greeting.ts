/**
 * The beginning of a connection to a peer, from the side of who opens it: both say which life they are of, and nothing else is
 * said or heard until the other's is the one that the ledger has. A key may come back without the memory of what it promised;
 * the life of a process cannot.
 */
import { Buffer } from 'node:buffer';
import type { TLSSocket } from 'node:tls';
import type { NodeLife } from '@drawbridge/protocol/ledger/node-life';
import { codeOf } from './peer-error.ts';
import { frameBytes, HELLO_BYTES, helloFrame, joinFrames } from './peer-frame.ts';
import type { PeerTimers } from './peer-timers.ts';
import type { DialEvents } from './peer-tls.ts';

export type Greeting = Readonly<{
  own: NodeLife;
  /** Of the peer that is meant. */
  expected: NodeLife;
  timeoutMs: number;
}>;

/** What stands for one of the peer's hellos, or of ours. */
export function helloBytes(life: NodeLife): Buffer {
  const frame = helloFrame(life);
  return joinFrames([frame], Buffer.alloc(frameBytes(frame)));
}

/** Takes the socket over; exactly one event follows, unless the returned function gives up before. */
export function greet(socket: TLSSocket, greeting: Greeting, timers: PeerTimers, events: DialEvents): () => void {
  const expected = helloBytes(greeting.expected);
  let settled = false;
  const settle = (): boolean => {
    if (settled) return false;
    settled = true;
    cancelTimer();
    socket.off('readable', read);
    socket.off('error', failed);
    socket.off('close', closed);
    return true;
  };
  const fail = (code: string): void => {
    if (!settle()) return;
    socket.destroy();
    events.failed(code);
  };
  const failed = (error: unknown): void => fail(codeOf(error));
  const closed = (): void => fail('CLOSED_BY_PEER');
  const read = (): void => {
    // Exactly the hello: what follows it is for whoever takes the socket over.
    const hello = socket.read(HELLO_BYTES) as Buffer | null;
    if (!hello) return;
    if (!expected.equals(hello)) fail('LIFE_OTHER');
    else if (settle()) events.opened(socket);
  };
  const cancelTimer = timers.after(greeting.timeoutMs, () => fail('HELLO_TIMEOUT'));
  socket.on('readable', read);
  socket.on('error', failed);
  socket.on('close', closed);
  socket.write(helloBytes(greeting.own));
  return () => {
    if (settle()) socket.destroy();
  };
}
