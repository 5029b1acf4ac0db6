/**
 * The API of one core node: HTTPS with TLS 1.3, client certificates, problem documents. Knows the core only by its port.
 * Off in Fastify: its logger, HEAD routes, other bodies than JSON, trust in proxies, coercion, its own error bodies.
 */
import { constants } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Participant } from '@drawbridge/governance/registration';
import Fastify, { type HTTPMethods, type RouteOptions } from 'fastify';
import type { CoreService } from '../core-service.ts';
import { type Operation, roleMay } from './access.ts';
import type { ApiContext, ApiReply, ApiServer } from './context.ts';
import { documentationRoute, documentRoutes } from './documentation.ts';
import { EventStreams } from './event-stream.ts';
import { identify, type PeerReader, tlsPeerReader } from './identity.ts';
import { type ApiLimits, apiLimits } from './limits.ts';
import type { ApiLog } from './log.ts';
import { answerClientError, sendProblem, sendThrown } from './problems.ts';
import { accountRoutes } from './routes/account-routes.ts';
import { eventRoutes } from './routes/event-routes.ts';
import { lockRoutes } from './routes/lock-routes.ts';
import { nodeRoutes } from './routes/node-routes.ts';
import { registryRoutes } from './routes/registry-routes.ts';
import { relayRoutes } from './routes/relay-routes.ts';
import { transferListRoute } from './routes/transfer-list-route.ts';
import { transferRoutes } from './routes/transfer-routes.ts';
import { compileForFastify } from './validation.ts';

export type ApiOptions = Readonly<{
  /** PEM. The certificate is the one that clients pin. */
  tls: Readonly<{ key: string; cert: string }>;
  limits?: Partial<ApiLimits>;
  logger: ApiLog;
  /** Where the peer's certificate comes from; the TLS socket when absent. */
  peerReader?: PeerReader;
  /** Unix ms, for the validity of certificates; the system's clock when absent. */
  nowMs?: () => number;
}>;

/** Longest path parameter, in characters: a lock id and its verb fit. */
const MAX_PARAM_CHARS = 128;

/** How often Node looks for sockets that are over their time; its default of 30 s would make shorter bounds idle. */
const TIMEOUT_CHECK_MS = 500;

/** Ready to `listen`; `close` ends its event streams and waits for the requests under way. */
export function buildApi(core: CoreService, options: ApiOptions): ApiServer {
  const limits = apiLimits(options.limits);
  const log = options.logger;
  const app: ApiServer = createServer(options, limits);
  const readPeer = options.peerReader ?? tlsPeerReader();
  const nowMs = options.nowMs ?? Date.now;
  const look = (request: IncomingMessage): ReturnType<typeof identify> =>
    identify(readPeer(request), core.view, nowMs());
  const streams = new EventStreams(limits, { core, log });
  const context: ApiContext = {
    core,
    limits,
    log,
    streams,
    serviceCertificate: options.tls.cert,
    callerNow: (request): Participant | undefined => {
      const found = look(request);
      return 'caller' in found ? found.caller : undefined;
    },
  };

  app.server.maxConnections = limits.connections;
  app.decorate('retryAfterSeconds', limits.retryAfterSeconds);
  app.decorateRequest('caller', null);
  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(compileForFastify);
  app.setErrorHandler((error, _request, reply) => sendThrown(reply, error, log));
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, 'ROUTE_NOT_FOUND'));
  app.addHook('preClose', async () => streams.closeAll());

  const methods = new Map<string, Set<string>>();
  app.addHook('onRoute', (route) => {
    guard(route, look);
    const known = methods.get(route.url) ?? new Set<string>();
    for (const method of [route.method].flat()) known.add(method);
    methods.set(route.url, known);
  });
  documentRoutes(app);
  void app.register(async (scope) => {
    const served = scope as ApiServer;
    registryRoutes(served, context);
    accountRoutes(served, context);
    transferRoutes(served, context);
    transferListRoute(served, context);
    eventRoutes(served, context);
    lockRoutes(served, context);
    relayRoutes(served, context);
    nodeRoutes(served, context);
    documentationRoute(served);
    refuseOtherMethods(served, methods);
  });
  return app;
}

function createServer({ tls, logger }: ApiOptions, limits: ApiLimits): ApiServer {
  return Fastify({
    https: {
      key: tls.key,
      cert: tls.cert,
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      ALPNProtocols: ['http/1.1'],
      // Chains mean nothing here: TLS proves possession of the key, the registration says whose certificate it is.
      requestCert: true,
      rejectUnauthorized: false,
      // No resumption: each connection proves possession anew, and no ticket key has to be kept.
      secureOptions: constants.SSL_OP_NO_TICKET,
      handshakeTimeout: limits.handshakeTimeoutMs,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      maxHeaderSize: limits.headerBytes,
    },
    logger: false,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    maxRequestsPerSocket: limits.requestsPerSocket,
    bodyLimit: limits.bodyBytes,
    routerOptions: { maxParamLength: MAX_PARAM_CHARS },
    exposeHeadRoutes: false,
    // Its body for requests that come while closing would not be a problem document; those requests are served.
    return503OnClosing: false,
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, _request, reply) => {
      sendThrown(reply as ApiReply, error, logger);
    },
  });
}

/** Puts the caller's identity and the rule for its role before everything else that a route does. */
function guard(
  route: RouteOptions<HttpsServer>,
  look: (request: IncomingMessage) => ReturnType<typeof identify>,
): void {
  const { operation, open } = route.config ?? {};
  if (open) return;
  if (operation === undefined) throw new Error(`route ${route.url} has no access rule`);
  const admit = admission(operation, look);
  route.onRequest = [...[route.onRequest ?? []].flat(), admit] as NonNullable<RouteOptions<HttpsServer>['onRequest']>;
}

type Admission = (
  request: { raw: IncomingMessage; caller: Participant | null },
  reply: ApiReply,
  done: () => void,
) => void;

function admission(operation: Operation, look: (request: IncomingMessage) => ReturnType<typeof identify>): Admission {
  return (request, reply, done) => {
    reply.header('cache-control', 'no-store');
    const found = look(request.raw);
    if ('refused' in found) {
      sendProblem(reply, found.refused);
      return;
    }
    if (!roleMay(found.caller.role, operation)) {
      sendProblem(reply, 'ROLE_NOT_ALLOWED');
      return;
    }
    request.caller = found.caller;
    done();
  };
}

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Answers `405` with `Allow` where a path exists for other methods. */
function refuseOtherMethods(app: ApiServer, methods: ReadonlyMap<string, ReadonlySet<string>>): void {
  for (const [url, known] of [...methods]) {
    const allow = [...known].sort().join(', ');
    app.route({
      url,
      method: METHODS.filter((method) => !known.has(method)),
      config: { open: true },
      schema: { hide: true },
      onRequest: (_request, reply) => {
        reply.header('allow', allow);
        sendProblem(reply, 'METHOD_NOT_ALLOWED');
      },
      handler: async (_request, reply) => sendProblem(reply, 'METHOD_NOT_ALLOWED'),
    });
  }
}
