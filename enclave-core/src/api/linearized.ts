/**
 * Linearizable reads on any node, in one place. Every GET behind a certificate, and every other route that says
 * `readsFirst`, waits until this node has applied all that was committed anywhere before the request came; so whoever got an
 * answer to a write from one node reads it at every other, and never reads anything older than before. The caller is looked
 * up a second time then, so that a registration that was taken away does not read from a node that is behind.
 * Answers that came of such a read name the newest transaction that they can have seen.
 */
import type { Server as HttpsServer } from 'node:https';
import { TRANSACTION_ID_HEADER } from '@drawbridge/protocol/api/wire';
import type { FastifyContextConfig, FastifyRequest, RouteOptions } from 'fastify';
import type { CoreService } from '../core-service.ts';
import type { ApiReply, ApiServer } from './context.ts';

type Admit = (request: FastifyRequest, reply: ApiReply) => boolean;
type Route = RouteOptions<HttpsServer>;

/** Whether the handler of a route reads state as it is when it begins. */
export function readsFirst(method: Route['method'], config: FastifyContextConfig): boolean {
  if (config.open) return false;
  return config.readsFirst === true || [method].flat().includes('GET');
}

/** Puts the barrier between the checks of a request and its handler. `admit` answers false when it has sent a refusal. */
export function linearize(route: Route, core: Pick<CoreService, 'barrier'>, admit: Admit): void {
  const wait = async (request: FastifyRequest, reply: ApiReply): Promise<ApiReply | undefined> => {
    await core.barrier();
    if (!admit(request, reply)) return reply;
    request.linearized = true;
    return undefined;
  };
  route.preHandler = [...[route.preHandler ?? []].flat(), wait] as NonNullable<Route['preHandler']>;
}

/** Names the newest transaction in the answers of linearized reads that do not name one of their own. */
export function nameWhatWasRead(app: ApiServer, core: Pick<CoreService, 'committed'>): void {
  app.addHook('onSend', (request, reply, _payload, done) => {
    if (request.linearized && !reply.hasHeader(TRANSACTION_ID_HEADER)) {
      reply.header(TRANSACTION_ID_HEADER, core.committed());
    }
    done();
  });
}
