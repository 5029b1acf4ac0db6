/** Every bound of the peer network. An operator may set each. */
import { constants } from 'node:buffer';

export type PeerLimits = Readonly<{
  /** Bytes of one Raft message. An entry above the engine's message size travels alone, so this bounds entries. */
  maxMessageBytes: number;
  /** Bytes of a forwarded submission. */
  maxSubmitBytes: number;
  /** Bytes of a question: ledger, receipt. */
  maxQueryBytes: number;
  maxAnswerBytes: number;
  /** Bytes of a request to join, which comes from outside the group. */
  maxJoinBytes: number;
  /** Bytes of a snapshot's content, which the receiver holds in memory. */
  maxSnapshotBytes: number;
  /** Snapshots being received at once, from all peers. */
  maxInboundSnapshots: number;
  /** Bytes of messages to one peer that wait because it reads slowly or is being connected; beyond, the oldest are dropped. */
  maxQueuedBytes: number;
  /** Requests to one peer without an answer; beyond, as beyond `maxQueuedBytes` of what is not sent yet, `OVERLOADED`. */
  maxPendingRequests: number;
  /** Requests of one connection being served; beyond, refused without being looked at. */
  maxServedRequests: number;
  /** Bytes of their bodies. */
  maxServedBytes: number;
  /** Ledger requests of one connection being served: each answer is large. */
  maxServedLedgerRequests: number;
  /** Bytes of answers to one connection that wait in this process, beyond which nothing more is read from it. */
  maxUnsentAnswerBytes: number;
  /** Requests larger than this take the connection for bulk, so that messages do not wait behind them. */
  maxPromptRequestBytes: number;
  /** Accepted connections of one peer; beyond, the oldest is closed. */
  maxConnectionsPerPeer: number;
  /** Accepted sockets, handshakes under way included. */
  maxConnections: number;
  /** Accepted connections of keys that may join. */
  maxJoiners: number;
  /** For the TCP connection and both sides of the TLS handshake. */
  connectTimeoutMs: number;
  /** From the accepted connection of a joiner to its end. */
  joinTimeoutMs: number;
  /** How often each peer is told the time and connections are looked at. */
  clockIntervalMs: number;
  /** Intervals without a byte from a peer that was told the time, after which the connection is made anew. */
  maxSilentIntervals: number;
  /** Intervals without use after which a connection for bulk is closed, by whoever opened it; the other side waits three times as long. */
  maxIdleIntervals: number;
  /** First and longest pause before connecting again; doubled after each failure, and spread by half. */
  minRetryMs: number;
  maxRetryMs: number;
  /** A snapshot fails when none of it gets on for so long. */
  snapshotStallMs: number;
  /** Bytes sent after which a connection is replaced: AES-GCM under one key is sound up to 2^24.5 records (RFC 8446 §5.5). */
  maxConnectionBytes: number;
}>;

const KIB = 1024;
const MIB = 1024 * KIB;

export const PEER_LIMITS: PeerLimits = {
  maxMessageBytes: 16 * MIB,
  maxSubmitBytes: 16 * MIB,
  maxQueryBytes: 64 * KIB,
  maxAnswerBytes: 16 * MIB,
  maxJoinBytes: 64 * KIB,
  maxSnapshotBytes: 1024 * MIB,
  maxInboundSnapshots: 2,
  maxQueuedBytes: 64 * MIB,
  maxPendingRequests: 16_384,
  maxServedRequests: 16_384,
  maxServedBytes: 64 * MIB,
  maxServedLedgerRequests: 4,
  maxUnsentAnswerBytes: 4 * MIB,
  maxPromptRequestBytes: 256 * KIB,
  maxConnectionsPerPeer: 8,
  maxConnections: 128,
  maxJoiners: 4,
  connectTimeoutMs: 3_000,
  joinTimeoutMs: 30_000,
  clockIntervalMs: 1_000,
  maxSilentIntervals: 3,
  maxIdleIntervals: 10,
  minRetryMs: 50,
  maxRetryMs: 1_000,
  snapshotStallMs: 10_000,
  maxConnectionBytes: 64 * 1024 * MIB,
};

/** @throws RangeError for a bound that is no positive integer, or that no buffer can hold */
export function peerLimits(overrides: Partial<PeerLimits> = {}): PeerLimits {
  const limits = { ...PEER_LIMITS, ...overrides };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be a positive integer`);
  }
  if (limits.maxSnapshotBytes > constants.MAX_LENGTH)
    throw new RangeError(`maxSnapshotBytes must be at most ${constants.MAX_LENGTH}`);
  return limits;
}
