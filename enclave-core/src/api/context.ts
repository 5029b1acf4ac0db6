/** What the routes are given, and what they add to Fastify's types. */
import type { IncomingMessage } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Participant } from '@drawbridge/governance/registration';
import type { ProblemCode } from '@drawbridge/protocol/api/problem';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteGenericInterface } from 'fastify';
import type { CoreService } from '../core-service.ts';
import type { Operation } from './access.ts';
import type { EventStreams } from './event-stream.ts';
import type { ApiLimits } from './limits.ts';
import type { ApiLog } from './log.ts';

export type ApiServer = FastifyInstance<HttpsServer>;

export type ApiReply = FastifyReply<RouteGenericInterface, HttpsServer>;
/** What a handler gives: the body of its answer, or the reply when it sent a problem itself. */
export type Answer<T> = Promise<T | ApiReply>;

export type ApiContext = Readonly<{
  core: CoreService;
  limits: ApiLimits;
  log: ApiLog;
  streams: EventStreams;
  /** Looks the caller up anew, for answers that take long; `undefined` when it would be refused now. */
  callerNow: (request: IncomingMessage) => Participant | undefined;
}>;

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any handler of a route that is not public. */
    caller: Participant | null;
    /** Whether what the handler reads holds all that was committed before the request. */
    linearized: boolean;
  }
  interface FastifyInstance {
    retryAfterSeconds: number;
  }
  interface FastifyContextConfig {
    /** The access rule of the route. A route has this or `open`; one with neither does not start. */
    operation?: Operation;
    /** Anyone may ask, without a certificate. */
    open?: true;
    /** The handler reads state before it writes: it waits like a GET does. */
    readsFirst?: true;
    /** Errors in CCF's form in place of problem documents. */
    errors?: 'ccf';
    /** Codes that the route can answer besides those that every route can. For the documentation. */
    problems?: readonly ProblemCode[];
  }
}

/** The registered participant behind a request to a route that is not public. */
export function callerOf(request: Pick<FastifyRequest, 'caller'>): Participant {
  if (request.caller === null) throw new Error('route has no access rule');
  return request.caller;
}
