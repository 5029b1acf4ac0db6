import type { ProblemDocument } from '@drawbridge/protocol/api/problem';

/** The core answered with a problem (RFC 9457). Branch on `code`; `detail` is for people. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly status: number;
  /** A stable code of the core, or `HTTP_<status>` where the answer was no problem document. */
  readonly code: string;
  readonly detail: string | undefined;
  readonly document: ProblemDocument | undefined;

  constructor(status: number, document: ProblemDocument | undefined) {
    const code = document?.code ?? `HTTP_${status}`;
    super(document ? `${code}: ${document.detail ?? document.title}` : `the core answered ${status}`);
    this.status = status;
    this.code = code;
    this.detail = document?.detail;
    this.document = document;
  }
}

/** What Node calls it when the server shows another certificate than the pinned one. */
const ANOTHER_SERVICE: ReadonlySet<string> = new Set([
  'SERVICE_NOT_PINNED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** No answer: the core could not be reached, did not prove who it is, or was too slow. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  /** Node's code, such as `ECONNREFUSED`. */
  readonly code: string;

  constructor(code: string, options?: ErrorOptions) {
    const words = ANOTHER_SERVICE.has(code)
      ? 'the server does not show the pinned certificate'
      : 'no answer from the core';
    super(`${words} (${code})`, options);
    this.code = code;
  }

  /** Whether somebody answered who is not the service, so that nothing was sent. */
  get isIdentity(): boolean {
    return ANOTHER_SERVICE.has(this.code);
  }
}

/** An event is missing from a stream that is numbered without gaps: whoever serves it left one out. */
export class EventGapError extends Error {
  override readonly name = 'EventGapError';
  readonly code = 'EVENT_GAP';
  readonly expected: number;
  readonly received: number;

  constructor(expected: number, received: number) {
    super(`event ${expected} is missing: the stream went on with ${received}`);
    this.expected = expected;
    this.received = received;
  }
}
