/**
 * `UNREACHABLE`: never sent; the peer is not a member, not connected, or the time ran out before. `OVERLOADED`: never sent;
 * too much waits for this peer already. `TOO_LARGE`: never sent. `REFUSED`: the peer did not execute it, for `peerCode`.
 * `FAILED`: the peer began to execute it and failed with `peerCode`. `UNCERTAIN`: sent, and no answer came.
 */
export type PeerErrorCode = 'UNREACHABLE' | 'OVERLOADED' | 'TOO_LARGE' | 'REFUSED' | 'FAILED' | 'UNCERTAIN';

export class PeerError extends Error {
  override readonly name = 'PeerError';
  readonly code: PeerErrorCode;
  /** The code that the peer gave; null unless `REFUSED` or `FAILED`. */
  readonly peerCode: string | null;

  constructor(code: PeerErrorCode, message: string, peerCode: string | null = null, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.peerCode = peerCode;
  }
}

/** What a connection between nodes ended with, for logs: `code` of an error of the system, of TLS or of ours. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'UNKNOWN';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'name' in error && typeof error.name === 'string' ? error.name : 'UNKNOWN';
}
