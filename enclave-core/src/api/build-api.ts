/**
 * The API of one core node: HTTPS with TLS 1.3, client certificates, problem documents. Knows the core only by its port.
 * Off in Fastify: its logger, HEAD routes, other bodies than JSON, trust in proxies, coercion, its own error bodies.
 */
import { constants } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Participant } from '@drawbridge/governance/registration';
import Fastify, { type FastifyRequest, type HTTPMethods, type RouteOptions } from 'fastify';
import type { CoreService } from '../core-service.ts';
import { type Operation, roleMay } from './access.ts';
import { sendCcfError } from './ccf-errors.ts';
import type { ApiContext, ApiReply, ApiServer } from './context.ts';
import { documentationRoute, documentRoutes } from './documentation.ts';
import { EventStreams } from './event-stream.ts';
import { identify, type PeerReader, tlsPeerReader } from './identity.ts';
import { type ApiLimits, apiLimits } from './limits.ts';
import { linearize, nameWhatWasRead, readsFirst } from './linearized.ts';
import type { ApiLog } from './log.ts';
import { answerClientError, sendProblem, sendThrown } from './problems.ts';
import { accountRoutes } from './routes/account-routes.ts';
import { ccfNodeRoutes } from './routes/ccf-node-routes.ts';
import { eventRoutes } from './routes/event-routes.ts';
import { lockRoutes } from './routes/lock-routes.ts';
import { nodeRoutes } from './routes/node-routes.ts';
import { receiptRoutes } from './routes/receipt-routes.ts';
import { registryRoutes } from './routes/registry-routes.ts';
import { relayRoutes } from './routes/relay-routes.ts';
import { transferListRoute } from './routes/transfer-list-route.ts';
import { transferRoutes } from './routes/transfer-routes.ts';
import { compileForFastify } from './validation.ts';

export type ApiOptions = Readonly<{
  /** PEM. The certificate is the node's, issued under the one that clients pin, which may follow it. */
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
  const look: Look = (request) => identify(readPeer(request), core.view, nowMs());
  const streams = new EventStreams(limits, { core, log });
  const context: ApiContext = {
    core,
    limits,
    log,
    streams,
    callerNow: (request): Participant | undefined => {
      const found = look(request);
      return 'caller' in found ? found.caller : undefined;
    },
  };

  app.server.maxConnections = limits.connections;
  readAsStreams(app.server);
  app.decorate('retryAfterSeconds', limits.retryAfterSeconds);
  app.decorateRequest('caller', null);
  app.decorateRequest('linearized', false);
  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(compileForFastify);
  app.setErrorHandler((error, _request, reply) => sendThrown(reply, error, log));
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, 'ROUTE_NOT_FOUND'));
  app.addHook('preClose', async () => streams.closeAll());
  nameWhatWasRead(app, core);

  const paths = new Map<string, Path>();
  app.addHook('onRoute', (route) => {
    guard(route, core, look);
    const path = paths.get(route.url) ?? { methods: new Set(), errors: route.config?.errors };
    for (const method of [route.method].flat()) path.methods.add(method);
    paths.set(route.url, path);
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
    receiptRoutes(served, context);
    nodeRoutes(served, context);
    ccfNodeRoutes(served, context);
    documentationRoute(served);
    refuseOtherMethods(served, paths);
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

/**
 * Node's HTTP parser reads straight from a TLS socket, and stops while answers before are still being taken; what else was
 * decrypted by then is an error to it (`HPE_PAUSED`), which resets the connection. A listener for data makes the socket a stream
 * between the two, which keeps what comes meanwhile.
 */
function readAsStreams(server: HttpsServer): void {
  server.on('secureConnection', (socket) => socket.on('data', () => undefined));
}

type Look = (request: IncomingMessage) => ReturnType<typeof identify>;

/** Puts the caller's identity and the rule for its role before everything else that a route does, and again after the wait for a read. */
function guard(route: RouteOptions<HttpsServer>, core: CoreService, look: Look): void {
  const config = route.config ?? {};
  const { operation, open } = config;
  if (open) return;
  if (operation === undefined) throw new Error(`route ${route.url} has no access rule`);
  const admit = admission(operation, look);
  const first = (request: FastifyRequest, reply: ApiReply, done: () => void): void => {
    reply.header('cache-control', 'no-store');
    if (admit(request, reply)) done();
  };
  route.onRequest = [...[route.onRequest ?? []].flat(), first] as NonNullable<RouteOptions<HttpsServer>['onRequest']>;
  if (readsFirst(route.method, config)) linearize(route, core, admit);
}

/** Says whether the caller may, having sent the refusal if not. */
function admission(operation: Operation, look: Look): (request: FastifyRequest, reply: ApiReply) => boolean {
  return (request, reply) => {
    const found = look(request.raw);
    if ('refused' in found) {
      sendProblem(reply, found.refused);
      return false;
    }
    if (!roleMay(found.caller.role, operation)) {
      sendProblem(reply, 'ROLE_NOT_ALLOWED');
      return false;
    }
    request.caller = found.caller;
    return true;
  };
}

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** What is known at a path. */
type Path = Readonly<{ methods: Set<string>; errors: 'ccf' | undefined }>;

/** Answers `405` with `Allow` where a path exists for other methods. */
function refuseOtherMethods(app: ApiServer, paths: ReadonlyMap<string, Path>): void {
  for (const [url, { methods, errors }] of [...paths]) {
    const allow = [...methods].sort().join(', ');
    const refuse = (reply: ApiReply): ApiReply =>
      errors === 'ccf'
        ? sendCcfError(reply, 'UnsupportedHttpVerb', `Allowed here: ${allow}.`)
        : sendProblem(reply, 'METHOD_NOT_ALLOWED');
    app.route({
      url,
      method: METHODS.filter((method) => !methods.has(method)),
      config: { open: true },
      schema: { hide: true },
      onRequest: (_request, reply) => {
        reply.header('allow', allow);
        refuse(reply);
      },
      handler: async (_request, reply) => refuse(reply),
    });
  }
}
