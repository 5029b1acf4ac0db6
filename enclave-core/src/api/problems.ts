/** Problem documents on their way out: from refusals of the core, from Fastify's own errors, from bugs. */
import type { Socket } from 'node:net';
import {
  type FieldError,
  PROBLEM_MEDIA_TYPE,
  PROBLEMS,
  type ProblemCode,
  type ProblemDocument,
  problemDocument,
} from '@drawbridge/protocol/api/problem';
import type { RefusalCode } from '../settlement/command.ts';
import type { ApiReply } from './context.ts';
import type { ApiLog } from './log.ts';

/** What a participant is told for a refusal. Codes that no route can cause are bugs: `INTERNAL`. */
const REFUSALS: Readonly<Record<RefusalCode, ProblemCode>> = {
  TRANSFER_ID_SPENT: 'TRANSFER_ID_CONFLICT',
  TRANSFER_NOT_FOUND: 'NOT_FOUND',
  TRANSFER_NOT_CANCELLABLE: 'TRANSFER_NOT_CANCELLABLE',
  ASSET_UNKNOWN: 'ASSET_UNKNOWN',
  // One answer for both, so that nobody learns who else is registered, and as what.
  PARTICIPANT_UNKNOWN: 'PARTICIPANT_UNKNOWN',
  PARTICIPANT_NOT_A_BANK: 'PARTICIPANT_UNKNOWN',
  AMOUNT_NOT_POSITIVE: 'AMOUNT_INVALID',
  AMOUNT_TOO_LARGE: 'AMOUNT_INVALID',
  TERMS_INVALID: 'TERMS_INVALID',
  DEADLINE_INVALID: 'DEADLINE_INVALID',
  NETWORK_UNKNOWN: 'NETWORK_UNKNOWN',
  LANE_CLOSED: 'LANE_CLOSED',
  VAULT_UNKNOWN: 'VAULT_UNKNOWN',
  LANE_HALTED: 'LANE_HALTED',
  LOCK_NOT_FOUND: 'NOT_FOUND',
  LOCK_NOT_REFUNDABLE: 'LOCK_NOT_REFUNDABLE',
  LOCK_NOT_CANCELLABLE: 'LOCK_NOT_CANCELLABLE',
  LOCK_NOT_CLAIMABLE: 'LOCK_NOT_CLAIMABLE',
  NOT_ALLOWED: 'NOT_FOUND',
  LIMIT_REACHED: 'LIMIT_REACHED',
  TRUST_VERSION_STALE: 'INTERNAL',
  EVENT_SEEN: 'INTERNAL',
  EVENT_EARLY: 'INTERNAL',
  RULE_MISMATCH: 'INTERNAL',
  HEAD_EXPIRED: 'INTERNAL',
  HEADERS_SEEN: 'INTERNAL',
  HEADERS_STALE: 'INTERNAL',
  HEADERS_INVALID: 'INTERNAL',
  HEADER_AHEAD: 'INTERNAL',
  BLOCK_NOT_TRACKED: 'INTERNAL',
  BLOCK_UNKNOWN: 'INTERNAL',
  AMENDMENT_NUMBER: 'INTERNAL',
  AMENDMENT_SIGNATURES: 'INTERNAL',
  ACTION_INVALID: 'INTERNAL',
  AMENDMENTS_CLOSED: 'INTERNAL',
};
/** Refusals whose detail says something that the code does not, and that is about the caller's own request alone. */
const WITH_DETAIL: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'TERMS_INVALID',
  'DEADLINE_INVALID',
  'LIMIT_REACHED',
  'LANE_CLOSED',
]);

export type Refusal = Readonly<{ code: RefusalCode; detail: string }>;

export function refusalProblem(refusal: Refusal): ProblemDocument {
  return problemDocument(REFUSALS[refusal.code], WITH_DETAIL.has(refusal.code) ? refusal.detail : undefined);
}

const CONTENT_TYPE = `${PROBLEM_MEDIA_TYPE}; charset=utf-8`;
/** Documents without particulars, written once: what belongs to others and what does not exist are one string. */
const WRITTEN: ReadonlyMap<string, string> = new Map(
  (Object.keys(PROBLEMS) as ProblemCode[]).map((code) => [code, JSON.stringify(problemDocument(code))]),
);

export function sendProblem(reply: ApiReply, code: ProblemCode, errors?: readonly FieldError[]): ApiReply {
  return send(reply, code, errors ? JSON.stringify(problemDocument(code, undefined, errors)) : WRITTEN.get(code));
}

export function sendRefusal(reply: ApiReply, refusal: Refusal): ApiReply {
  const code = REFUSALS[refusal.code];
  return send(reply, code, WITH_DETAIL.has(refusal.code) ? JSON.stringify(refusalProblem(refusal)) : WRITTEN.get(code));
}

export function sendDocument(reply: ApiReply, problem: ProblemDocument): ApiReply {
  return send(reply, problem.code as ProblemCode, JSON.stringify(problem));
}

function send(reply: ApiReply, code: ProblemCode, body: string | undefined): ApiReply {
  const { status } = PROBLEMS[code];
  reply.code(status).header('content-type', CONTENT_TYPE);
  if (status === 503) reply.header('retry-after', String(reply.server.retryAfterSeconds));
  if (status === 401) reply.header('www-authenticate', 'Certificate realm="drawbridge"');
  return reply.send(body);
}

/** Fastify's codes, for requests that never reach a handler. */
const FRAMEWORK: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MEDIA_TYPE_UNSUPPORTED',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'JSON_INVALID',
  FST_ERR_CTP_INVALID_JSON_BODY: 'JSON_INVALID',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'REQUEST_INVALID',
  FST_ERR_BAD_URL: 'REQUEST_INVALID',
  FST_ERR_MAX_PARAM_LENGTH: 'URI_TOO_LONG',
};
const SUBMIT: Readonly<Record<string, ProblemCode>> = {
  NOT_LEADER: 'NOT_LEADER',
  OVERLOADED: 'OVERLOADED',
  STOPPING: 'STOPPING',
  UNCERTAIN: 'UNCERTAIN',
};

type Thrown = Readonly<{ name?: string; code?: string; statusCode?: number; errors?: readonly FieldError[] }>;

/** The code for anything thrown while a request was served. Unknown errors are bugs: logged by name, never by message. */
export function problemOf(error: unknown, log: ApiLog): ProblemCode {
  const { name, code = '', statusCode } = error as Thrown;
  if (name === 'RequestInvalidError') return 'REQUEST_INVALID';
  const known = name === 'SubmitError' ? SUBMIT[code] : FRAMEWORK[code];
  if (known !== undefined) return known;
  if (name === 'SyntaxError' && statusCode === 400) return 'JSON_INVALID';
  log.error({ name, code, frames: framesOf(error) }, 'request failed');
  return 'INTERNAL';
}

export function sendThrown(reply: ApiReply, error: unknown, log: ApiLog): ApiReply {
  return sendProblem(reply, problemOf(error, log), (error as Thrown).errors);
}

/** The stack without its message, which may hold content. */
function framesOf(error: unknown): string[] {
  const stack = (error as { stack?: unknown }).stack;
  if (typeof stack !== 'string') return [];
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim());
}

/** What Node's parser says of bytes that never become a request. Anything else on a socket, TLS included, ends it. */
function clientProblem(code: string): ProblemCode | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') return 'HEADERS_TOO_LARGE';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'REQUEST_TIMEOUT';
  return code.startsWith('HPE_') ? 'REQUEST_INVALID' : undefined;
}

/** How long a socket may take to read the answer to what was no request, in ms. */
const LINGER_MS = 1_000;

/** Answers what is not HTTP, too large or too slow, before Fastify sees a request; then closes. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  const code = clientProblem(error.code ?? '');
  if (code === undefined || !socket.writable) {
    socket.destroy();
    return;
  }
  const body = WRITTEN.get(code) ?? '';
  socket.setTimeout(LINGER_MS, () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${PROBLEMS[code].status} ${code}\r\ncontent-type: ${CONTENT_TYPE}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
