/** Every bound of the API. An operator may change each; none can be switched off. */
export type ApiLimits = Readonly<{
  /** Largest body of a request about one thing, in bytes. */
  bodyBytes: number;
  /** Largest body of `POST /v1/transfers:batch`, in bytes; 1,000 full transfers are about 0.7 MiB. */
  batchBodyBytes: number;
  /** Largest body of `POST /v1/relay/evidence`, in bytes. */
  evidenceBodyBytes: number;
  /** Largest request line and headers together, in bytes. */
  headerBytes: number;
  /** Open sockets; further ones are closed at once. */
  connections: number;
  /** Time for the TLS handshake, in ms. */
  handshakeTimeoutMs: number;
  /** Time from the first byte of a request to the end of its headers, in ms. */
  headersTimeoutMs: number;
  /** Time from the first byte of a request to the end of its body, in ms. */
  requestTimeoutMs: number;
  /** How long an idle socket stays open, in ms. */
  keepAliveTimeoutMs: number;
  /** Requests on one socket before it is closed in an orderly way; 0 would be no bound and is refused. */
  requestsPerSocket: number;
  /** Open event streams in all, and of one participant. */
  streams: number;
  streamsPerParticipant: number;
  /** Events read at a time for a stream: with the size of an event, what a slow reader can hold in memory. */
  streamPageEvents: number;
  /** How long a reader may take to read what it was sent before its stream is closed, in ms. It resumes by number. */
  streamDrainTimeoutMs: number;
  /** Time between the comments that keep a quiet stream open, in ms. Registration is looked at again each time. */
  streamHeartbeatMs: number;
  /** Requests for instructions that may wait for some, in all and of one participant; further ones are answered at once. */
  outboxWaits: number;
  outboxWaitsPerParticipant: number;
  /** Receipts that one request has made at once, of the many that it asks for. */
  receiptsAtOnce: number;
  /** What `Retry-After` says, in seconds. */
  retryAfterSeconds: number;
}>;

export const DEFAULT_API_LIMITS: ApiLimits = {
  bodyBytes: 16_384,
  batchBodyBytes: 1_048_576,
  evidenceBodyBytes: 2_097_152,
  headerBytes: 8_192,
  connections: 4_096,
  handshakeTimeoutMs: 5_000,
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 15_000,
  keepAliveTimeoutMs: 60_000,
  requestsPerSocket: 1_000_000,
  streams: 512,
  streamsPerParticipant: 8,
  streamPageEvents: 100,
  streamDrainTimeoutMs: 10_000,
  streamHeartbeatMs: 10_000,
  outboxWaits: 256,
  outboxWaitsPerParticipant: 64,
  receiptsAtOnce: 16,
  retryAfterSeconds: 1,
};

/** The defaults with what an operator set. @throws RangeError for anything but a positive whole number. */
export function apiLimits(changes: Partial<ApiLimits> = {}): ApiLimits {
  const limits = { ...DEFAULT_API_LIMITS, ...changes };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new RangeError(`API limit ${name} must be a whole number above 0`);
  }
  return limits;
}
