/** Cactus's API server: who asks, then what, then a ledger's plugin, with the server's own endpoints beside it. */
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { IPluginWebService } from '@hyperledger/cactus-core-api';
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express';
import { Server as SocketIoServer } from 'socket.io';
import { type AccessTokens, HEALTH_SCOPE, requireScope } from './access-token.ts';
import { type ApiServerSetup, isLoopback } from './api-server-config.ts';
import { CactusError } from './cactus-error.ts';
import type { CactusMetrics } from './cactus-metrics.ts';
import { API_SERVER_PREFIX, SOCKET_IO_PATH } from './cactus-paths.ts';
import { bearerOf, noteBearer } from './request-bearer.ts';
import { sendError } from './web-endpoint.ts';

export type ApiServerLimits = Readonly<{
  /** One request's body. */
  bodyBytes: number;
  /** What a whole request may take to arrive. */
  requestTimeoutMs: number;
  connections: number;
}>;
export type ApiServerParts = Readonly<{
  plugin: IPluginWebService;
  metrics: CactusMetrics;
  document: unknown;
  tokens: AccessTokens | undefined;
  /** Unix ms. */
  wallClock: () => number;
}>;
export type RunningApiServer = Readonly<{ url: string; close: () => Promise<void> }>;

/** One message of a socket. */
const SOCKET_MESSAGE_BYTES = 65_536;

/** Listens, with the plugin's services registered. `close` ends the plugin too. */
export async function startApiServer(
  setup: ApiServerSetup,
  limits: ApiServerLimits,
  parts: ApiServerParts,
): Promise<RunningApiServer> {
  const { plugin, tokens } = parts;
  const app = express();
  const server = setup.tls ? createHttpsServer({ ...setup.tls, minVersion: 'TLSv1.3' }, app) : createHttpServer(app);
  server.requestTimeout = limits.requestTimeoutMs;
  server.headersTimeout = limits.requestTimeoutMs;
  server.maxConnections = limits.connections;
  const sockets = socketServer(server, tokens);
  prepare(app, limits.bodyBytes, tokens);
  apiServerEndpoints(app, parts);
  await plugin.registerWebServices(app, sockets);
  app.use((_request, response) => {
    sendError(response, new CactusError('NOT_FOUND', 'there is no such operation'));
  });
  app.use(failures);
  await listen(server, setup);
  const { port } = server.address() as AddressInfo;
  return {
    url: `${setup.tls ? 'https' : 'http'}://${setup.host}:${port}`,
    close: async () => {
      await plugin.shutdown();
      await sockets.close();
      server.closeAllConnections();
    },
  };
}

/** What comes before every endpoint: who asks, then what. */
function prepare(app: Express, bodyBytes: number, tokens: AccessTokens | undefined): void {
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(tokens ? authenticate(tokens) : onlyLocal);
  // Cactus's clients send bodies with GET and DELETE too.
  app.use(express.json({ limit: bodyBytes, strict: false }));
}

const authenticate =
  (tokens: AccessTokens): RequestHandler =>
  (request, response, next) => {
    tokens.bearer(request.headers.authorization).then(
      (bearer) => {
        noteBearer(request, bearer);
        // For the check of `@hyperledger/cactus-core`, which comes on top of ours.
        Object.assign(request, { user: { scope: [...bearer.scopes].join(' ') } });
        next();
      },
      (error: unknown) => sendError(response, error),
    );
  };

/** Without authentication a page in the operator's browser must not reach it: not by another name, nor from elsewhere. */
const onlyLocal: RequestHandler = (request, response, next) => {
  if (isLocal(request)) next();
  else sendError(response, new CactusError('FORBIDDEN', 'without authentication only local programs are served'));
};

function isLocal({ headers }: Pick<Request, 'headers'>): boolean {
  const { host = '', origin } = headers;
  return isLoopback(host.replace(/:\d+$/, '')) && origin === undefined;
}

function socketServer(server: HttpServer, tokens: AccessTokens | undefined): SocketIoServer {
  const sockets = new SocketIoServer(server, {
    path: SOCKET_IO_PATH,
    serveClient: false,
    maxHttpBufferSize: SOCKET_MESSAGE_BYTES,
    allowRequest: (request, decide) => decide(null, tokens !== undefined || isLocal(request)),
  });
  if (tokens) {
    sockets.use((socket, next) => {
      const { headers, auth } = socket.handshake;
      const given: unknown = auth.token;
      tokens
        .bearer(headers.authorization ?? (typeof given === 'string' ? `Bearer ${given}` : undefined))
        .then((bearer) => requireScope(bearer, tokens.nameOf('read')))
        .then(
          () => next(),
          (error: unknown) => next(error instanceof Error ? error : new CactusError('UNAUTHORIZED', 'refused')),
        );
    });
  }
  return sockets;
}

/** Those of Cactus's API server itself. */
function apiServerEndpoints(app: Express, { metrics, document, tokens, wallClock }: ApiServerParts): void {
  const guarded =
    (scope: string): RequestHandler =>
    (request, _response, next) => {
      if (tokens) requireScope(bearerOf(request), scope);
      next();
    };
  app.get(`${API_SERVER_PREFIX}/healthcheck`, guarded(HEALTH_SCOPE), (_request, response) => {
    const createdAt = new Date(wallClock()).toISOString();
    response.json({ success: true, createdAt, memoryUsage: process.memoryUsage() });
  });
  app.get(
    `${API_SERVER_PREFIX}/get-prometheus-exporter-metrics`,
    guarded('read:metrics'),
    (_request, response, next) => {
      metrics.text().then((body) => response.type('text/plain').send(body), next);
    },
  );
  app.get(`${API_SERVER_PREFIX}/get-open-api-spec`, guarded('read:spec'), (_request, response) => {
    response.json(document);
  });
}

/** What Express itself refuses, in Cactus's form and never as a page. */
const failures: ErrorRequestHandler = (error: unknown, _request, response, _next) => {
  const type = typeof error === 'object' && error !== null && 'type' in error ? error.type : undefined;
  if (type === 'entity.too.large') sendError(response, new CactusError('REQUEST_TOO_LARGE', 'the body is too large'));
  else if (type === 'entity.parse.failed')
    sendError(response, new CactusError('REQUEST_INVALID', 'the body is no JSON'));
  else if (type !== undefined) sendError(response, new CactusError('REQUEST_INVALID', 'the body cannot be read'));
  else sendError(response, error);
};

function listen(server: HttpServer, { host, port }: ApiServerSetup): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
