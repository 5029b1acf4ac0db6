/**
 * Problem documents (RFC 9457) and the stable codes that they carry. A code keeps its meaning and status for ever;
 * callers branch on `code`, people read `title` and `detail`.
 */
import { Type } from '@sinclair/typebox';
import { type Wire, wire } from './wire.ts';

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';
export const PROBLEM_TYPE_PREFIX = 'urn:drawbridge:problem:';

type Kind = Readonly<{
  status: number;
  title: string;
  /** What the caller can do about it. */
  todo: string;
}>;

export type ProblemCode =
  | 'REQUEST_INVALID'
  | 'JSON_INVALID'
  | 'CERTIFICATE_REQUIRED'
  | 'CERTIFICATE_UNKNOWN'
  | 'CERTIFICATE_EXPIRED'
  | 'ROLE_NOT_ALLOWED'
  | 'NOT_FOUND'
  | 'ROUTE_NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'REQUEST_TIMEOUT'
  | 'TRANSFER_ID_CONFLICT'
  | 'TRANSFER_ID_AMBIGUOUS'
  | 'TRANSFER_NOT_CANCELLABLE'
  | 'LANE_CLOSED'
  | 'LANE_HALTED'
  | 'LOCK_NOT_REFUNDABLE'
  | 'LOCK_NOT_CANCELLABLE'
  | 'LOCK_NOT_CLAIMABLE'
  | 'BODY_TOO_LARGE'
  | 'URI_TOO_LONG'
  | 'MEDIA_TYPE_UNSUPPORTED'
  | 'ASSET_UNKNOWN'
  | 'PARTICIPANT_UNKNOWN'
  | 'NETWORK_UNKNOWN'
  | 'VAULT_UNKNOWN'
  | 'AMOUNT_INVALID'
  | 'TERMS_INVALID'
  | 'DEADLINE_INVALID'
  | 'LIMIT_REACHED'
  | 'STREAM_LIMIT'
  | 'HEADERS_TOO_LARGE'
  | 'INTERNAL'
  | 'NOT_LEADER'
  | 'OVERLOADED'
  | 'STOPPING'
  | 'NOT_READY'
  | 'RECEIPT_PENDING'
  | 'UNCERTAIN';

const again = 'Nothing was proposed. Send the same request again, with the same id, after the seconds in Retry-After.';

/** Every code with its status, its title and what to do. */
export const PROBLEMS: Readonly<Record<ProblemCode, Kind>> = {
  REQUEST_INVALID: {
    status: 400,
    title: 'The request does not have the form that this route takes',
    todo: 'Each of `errors` names a place and says what would be right there.',
  },
  JSON_INVALID: { status: 400, title: 'The body is not JSON', todo: 'Send one JSON value (RFC 8259) in UTF-8.' },
  CERTIFICATE_REQUIRED: {
    status: 401,
    title: 'No client certificate was presented',
    todo: 'Connect with the certificate that is registered for you.',
  },
  CERTIFICATE_UNKNOWN: {
    status: 401,
    title: 'The client certificate is not registered',
    todo: 'Have the SHA-256 of its DER registered, or use the one that is.',
  },
  CERTIFICATE_EXPIRED: {
    status: 401,
    title: 'The client certificate is not valid now',
    todo: 'Have a new one registered; check your clock if it should be valid already.',
  },
  ROLE_NOT_ALLOWED: {
    status: 403,
    title: 'Your role may not use this',
    todo: 'Use the certificate of a participant with a role that may; the documentation of the route names them.',
  },
  NOT_FOUND: {
    status: 404,
    title: 'There is no such thing for you',
    todo: 'Check the ids. What belongs to others answers the same as what does not exist.',
  },
  ROUTE_NOT_FOUND: { status: 404, title: 'There is no such route', todo: 'The routes are listed at /docs.' },
  METHOD_NOT_ALLOWED: {
    status: 405,
    title: 'This route does not take that method',
    todo: 'The header Allow lists the methods that it takes.',
  },
  REQUEST_TIMEOUT: { status: 408, title: 'The request came too slowly', todo: 'Send it again on a new connection.' },
  TRANSFER_ID_CONFLICT: {
    status: 409,
    title: 'That id was used for a transfer with other content',
    todo: 'An id is spent for ever. Use a new UUID, or send the first content to get the first answer.',
  },
  TRANSFER_ID_AMBIGUOUS: {
    status: 409,
    title: 'More than one bank has a transfer of that id',
    todo: 'Name the debtor in `bank`.',
  },
  TRANSFER_NOT_CANCELLABLE: {
    status: 409,
    title: 'The transfer can no longer be cancelled',
    todo: 'Read the transfer; its state says how it ended or what it waits for.',
  },
  LANE_CLOSED: {
    status: 409,
    title: 'The network takes no new obligations in that asset now',
    todo: 'Read /v1/networks for its state and send again, with the same id, when it is active.',
  },
  LANE_HALTED: {
    status: 409,
    title: 'The vault is halted until its evidence is reviewed',
    todo: 'Wait for the operators; nothing was changed.',
  },
  LOCK_NOT_REFUNDABLE: {
    status: 409,
    title: 'The lock cannot be refunded in its state',
    todo: 'Read /v1/locks for its state.',
  },
  LOCK_NOT_CANCELLABLE: {
    status: 409,
    title: 'The lock has no refund under way that could be cancelled',
    todo: 'Read /v1/locks for its state; a lock that is UNMATCHED can be refunded or, if it came late, claimed.',
  },
  LOCK_NOT_CLAIMABLE: {
    status: 409,
    title: 'The lock cannot be credited',
    todo: 'Only a lock that came late and fits its transfer otherwise can; ask for its refund.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    title: 'The body is larger than this route takes',
    todo: 'Send fewer items in one request.',
  },
  URI_TOO_LONG: { status: 414, title: 'The path is too long', todo: 'Check the ids in the path.' },
  MEDIA_TYPE_UNSUPPORTED: {
    status: 415,
    title: 'The body must be application/json',
    todo: 'Set Content-Type: application/json.',
  },
  ASSET_UNKNOWN: { status: 422, title: 'The asset is not registered', todo: 'The assets are at /v1/assets.' },
  PARTICIPANT_UNKNOWN: {
    status: 422,
    title: 'The creditor is not a registered bank',
    todo: 'Use the participant id under which the bank is registered.',
  },
  NETWORK_UNKNOWN: { status: 422, title: 'The network is not registered', todo: 'The networks are at /v1/networks.' },
  VAULT_UNKNOWN: {
    status: 422,
    title: 'The network has no vault for that asset',
    todo: 'The vaults of each network are at /v1/networks.',
  },
  AMOUNT_INVALID: {
    status: 422,
    title: 'The amount is outside what can be moved',
    todo: 'Use 1 to 2^63 - 1 minor units.',
  },
  TERMS_INVALID: {
    status: 422,
    title: 'The terms of the transfer do not fit together',
    todo: 'The detail says which rule they break.',
  },
  DEADLINE_INVALID: {
    status: 422,
    title: 'A deadline is missing, past or in the wrong order',
    todo: '`fundBy` comes with `source`, `deliverBy` with `destination`; both lie ahead, `deliverBy` after `fundBy`.',
  },
  LIMIT_REACHED: {
    status: 429,
    title: 'A limit of the ledger is reached',
    todo: 'Let open transfers end first; the detail names the limit.',
  },
  STREAM_LIMIT: {
    status: 429,
    title: 'Too many event streams are open',
    todo: 'Close one, or read pages of events instead.',
  },
  HEADERS_TOO_LARGE: { status: 431, title: 'The headers are too large', todo: 'Send fewer or shorter headers.' },
  INTERNAL: {
    status: 500,
    title: 'The node failed to answer',
    todo: 'Ask again with the same id: an id takes effect at most once. Tell the operators.',
  },
  NOT_LEADER: { status: 503, title: 'This node cannot reach a leader now', todo: again },
  OVERLOADED: { status: 503, title: 'The node has too much to do', todo: again },
  STOPPING: { status: 503, title: 'The node is stopping', todo: again },
  RECEIPT_PENDING: {
    status: 503,
    title: 'This node cannot prove it yet',
    todo:
      'What was asked for took effect. Send the same request again, with the same id, after the seconds in Retry-After, ' +
      'or ask any node for the receipt.',
  },
  NOT_READY: { status: 503, title: 'The node is not ready', todo: 'Ask another node, or wait.' },
  UNCERTAIN: {
    status: 504,
    title: 'It is not known whether this took effect',
    todo: 'Ask again with the same id: the answer will be the one answer of that id.',
  },
};

export type ProblemDocument = Readonly<{
  /** `urn:drawbridge:problem:<code>`. */
  type: string;
  title: string;
  status: number;
  code: string;
  detail?: string;
  /** With `REQUEST_INVALID`: a JSON pointer into body, path or query, and what would be right there. */
  errors?: readonly FieldError[];
}>;
export type FieldError = Readonly<{ path: string; message: string }>;

export const ProblemSchema: Wire<ProblemDocument> = wire<ProblemDocument>()(
  Type.Object(
    {
      type: Type.String({ examples: [`${PROBLEM_TYPE_PREFIX}TRANSFER_ID_CONFLICT`] }),
      title: Type.String(),
      status: Type.Integer(),
      code: Type.String({ examples: ['TRANSFER_ID_CONFLICT'] }),
      detail: Type.Optional(Type.String()),
      errors: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() }))),
    },
    { title: 'Problem', description: 'a problem document (RFC 9457)' },
  ),
);

/** The document of a code. `detail` adds what is particular to this occurrence and never repeats confidential content. */
export function problemDocument(code: ProblemCode, detail?: string, errors?: readonly FieldError[]): ProblemDocument {
  const { status, title, todo } = PROBLEMS[code];
  return {
    type: PROBLEM_TYPE_PREFIX + code,
    title,
    status,
    code,
    detail: detail === undefined ? todo : `${detail}. ${todo}`,
    ...(errors && { errors }),
  };
}
