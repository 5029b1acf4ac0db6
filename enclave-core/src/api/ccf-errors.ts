/** Errors of the endpoints that CCF's clients know, in its form: `{"error":{"code","message"}}`. */
import type { CcfError, CcfErrorCode } from '@drawbridge/protocol/api/transaction';
import type { FastifyRequest } from 'fastify';
import type { ApiReply } from './context.ts';
import type { ApiLog } from './log.ts';
import { problemOf } from './problems.ts';

/** CCF answers 500 where its primary is not known; here callers are told that it passes. */
const STATUSES: Readonly<Record<CcfErrorCode, number>> = {
  InvalidQueryParameterValue: 400,
  InvalidResourceName: 400,
  ResourceNotFound: 404,
  TransactionPendingOrUnknown: 404,
  TransactionInvalid: 404,
  UnsupportedHttpVerb: 405,
  InternalError: 500,
  PrimaryNotFound: 503,
  NodeCannotHandleRequest: 503,
};

export function sendCcfError(reply: ApiReply, code: CcfErrorCode, message: string): ApiReply {
  const status = STATUSES[code];
  reply.code(status).header('content-type', 'application/json; charset=utf-8');
  if (status === 503) reply.header('retry-after', String(reply.server.retryAfterSeconds));
  return reply.send(JSON.stringify({ error: { code, message } } satisfies CcfError));
}

type Thrown = Readonly<{ validationContext?: string; errors?: readonly { path: string; message: string }[] }>;

/** For whatever a route with `errors: 'ccf'` throws. Bugs are logged as everywhere. */
export function ccfErrorHandler(log: ApiLog) {
  return (error: unknown, _request: FastifyRequest, reply: ApiReply): void => {
    const code = problemOf(error, log);
    if (code === 'REQUEST_INVALID') {
      const { validationContext, errors } = error as Thrown;
      const [first = { path: '', message: 'is not valid' }] = errors ?? [];
      const inPath = validationContext === 'params';
      const words = `${inPath ? 'The name' : `Query parameter '${first.path.slice(1)}'`} ${first.message}.`;
      sendCcfError(reply, inPath ? 'InvalidResourceName' : 'InvalidQueryParameterValue', words);
    } else if (code === 'INTERNAL') sendCcfError(reply, 'InternalError', 'The node failed to answer.');
    else sendCcfError(reply, 'NodeCannotHandleRequest', 'The node cannot answer now; ask again, or another node.');
  };
}
