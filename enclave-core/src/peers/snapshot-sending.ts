/** A snapshot travels on a connection of its own: nothing waits behind it, and closing it ends it. */
import { OutgoingConnection } from './outgoing-connection.ts';
import { PeerError } from './peer-error.ts';
import type { PeerLimits } from './peer-limits.ts';
import type { PeerTimers } from './peer-timers.ts';
import type { DialEvents } from './peer-tls.ts';
import { PendingRequest } from './pending-request.ts';

/** Content written at once; the next piece waits until it has left the process. */
const PIECE_BYTES = 256 * 1024;

type Snapshot = Readonly<{ message: Uint8Array; content: Uint8Array }>;
type Host = Readonly<{ limits: PeerLimits; timers: PeerTimers; dial: (events: DialEvents) => () => void }>;

/** `delivered` resolves when the peer has taken message and content as a whole, and else rejects with a `PeerError`. */
export type SnapshotSending = Readonly<{ delivered: Promise<void>; cancel: () => void }>;

export function sendSnapshot(snapshot: Snapshot, host: Host): SnapshotSending {
  let cancel: () => void = nothing;
  const delivered = new Promise<void>((resolve, reject) => {
    const unreachable = (code: string): void => reject(new PeerError('UNREACHABLE', `snapshot: ${code}`));
    const cancelDial = host.dial({
      opened: (socket) => {
        const connection = new OutgoingConnection(socket, host.limits, {
          heard: nothing,
          silent: nothing,
          drained: nothing,
          closed: nothing,
        });
        cancel = () => connection.destroy('CANCELLED');
        stream(connection, snapshot, host).then(resolve, reject);
      },
      failed: unreachable,
    });
    cancel = () => {
      cancelDial();
      unreachable('CANCELLED');
    };
  });
  return { delivered, cancel: () => cancel() };
}

async function stream(connection: OutgoingConnection, { message, content }: Snapshot, host: Host): Promise<void> {
  const rearm = (): (() => void) => host.timers.after(host.limits.snapshotStallMs, () => connection.destroy('STALLED'));
  let disarm = rearm();
  const request = new PendingRequest({ method: 'snapshot', body: message, timeoutMs: null }, host.timers, nothing);
  connection.announceSnapshot(request, content.length);
  // An answer before the end is a refusal: the rest need not be sent.
  request.answer.catch(() => connection.destroy('REFUSED'));
  for (let at = 0; at < content.length; at += PIECE_BYTES) {
    if (!(await connection.writeContent(content.subarray(at, at + PIECE_BYTES)))) break;
    disarm();
    disarm = rearm();
  }
  try {
    await request.answer;
  } finally {
    disarm();
    connection.retire();
  }
}

const nothing = (): void => undefined;
