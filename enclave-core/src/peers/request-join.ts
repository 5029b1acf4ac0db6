/** How a node that is no member asks to become one. */
import { OutgoingConnection } from './outgoing-connection.ts';
import { PeerError } from './peer-error.ts';
import { type PeerLimits, peerLimits } from './peer-limits.ts';
import { type PeerTimers, systemTimers } from './peer-timers.ts';
import { dial, tlsContext } from './peer-tls.ts';
import type { PeerIdentity } from './peer-types.ts';
import { PendingRequest } from './pending-request.ts';

export type JoinTarget = Readonly<{
  /** `host:port` of any member. */
  address: string;
  /** The certificate may be signed by itself; its key must be one that the ledger names. */
  identity: PeerIdentity;
  /** PEM. Whoever answers must show a certificate that it endorsed. */
  serviceCertificate: string;
  limits?: Partial<PeerLimits>;
  timers?: PeerTimers;
}>;

/**
 * The answer of the member's `join` handler.
 * @throws PeerError `UNREACHABLE` also for a key that may not join; `TOO_LARGE`, `REFUSED`, `FAILED`, `UNCERTAIN`
 */
export async function requestJoin(
  target: JoinTarget,
  body: Uint8Array,
  { timeoutMs }: Readonly<{ timeoutMs: number }>,
): Promise<Uint8Array> {
  const limits = peerLimits(target.limits);
  const timers = target.timers ?? systemTimers;
  if (body.length > limits.maxJoinBytes) throw new PeerError('TOO_LARGE', `join: ${body.length} bytes`);
  let abandon: (code: string) => void = () => undefined;
  const request = new PendingRequest({ method: 'join', body, timeoutMs }, timers, () => abandon('DONE'));
  const context = tlsContext(target.identity, target.serviceCertificate);
  const options = { address: target.address, nodeId: null, context, connectTimeoutMs: limits.connectTimeoutMs };
  abandon = dial(options, timers, {
    opened: (socket) => {
      const connection = new OutgoingConnection(socket, limits, {
        heard: () => undefined,
        silent: () => undefined,
        drained: () => undefined,
        closed: () => undefined,
      });
      abandon = (code) => connection.destroy(code);
      connection.request(request);
    },
    failed: (code) => request.lost(code),
  });
  return request.answer;
}
