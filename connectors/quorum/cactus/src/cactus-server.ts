/** Cactus's face of the connector: the plugin in its registry, behind an HTTP server with Cactus's own endpoints. */
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { PluginRegistry } from '@hyperledger/cactus-core';
import type { ICactusPlugin } from '@hyperledger/cactus-core-api';
import { getAddress } from 'ethers';
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express';
import type { Logger } from 'pino';
import { Server as SocketIoServer } from 'socket.io';
import { AccessTokens, HEALTH_SCOPE, requireScope } from './access-token.ts';
import { BesuOperations } from './besu-operations.ts';
import { BlockFeed } from './block-feed.ts';
import { type CactusSetup, isLoopback } from './cactus-config.ts';
import { CactusError } from './cactus-error.ts';
import { CactusMetrics } from './cactus-metrics.ts';
import { API_SERVER_PREFIX, SOCKET_IO_PATH } from './cactus-paths.ts';
import { ContractOperations } from './contract-operations.ts';
import { ContractStore } from './contract-store.ts';
import { EthersRpc } from './ethereum-rpc.ts';
import { FileKeychain } from './file-keychain.ts';
import { HeadClock } from './head-clock.ts';
import { openApiDocument } from './openapi-document.ts';
import type { OperationServices } from './operations.ts';
import { text } from './quantities.ts';
import { QuorumCactusPlugin } from './quorum-cactus-plugin.ts';
import { RawMethods } from './raw-methods.ts';
import { bearerOf, noteBearer } from './request-bearer.ts';
import { SigningCredentials } from './signing-credential.ts';
import { TransactionRunner } from './transaction-runner.ts';
import { sendError } from './web-endpoint.ts';

export type CactusNetwork = Readonly<{
  rpcUrl: string;
  chainId: number;
  /** Whether a block is final at once, as with QBFT, IBFT and IBFT 2.0. */
  finalAtOnce: boolean;
  /** Accounts that Cactus's clients may not use: the one that pays the relay's fees. */
  reservedAccounts: readonly string[];
}>;
export type CactusDependencies = Readonly<{
  log: Logger;
  /** Monotonic, ms. */
  now: () => number;
  /** Unix ms. */
  wallClock: () => number;
  /** Further plugins for the registry, keychains among them. */
  plugins?: readonly ICactusPlugin[];
}>;
export type RunningCactus = Readonly<{ url: string; registry: PluginRegistry; close: () => Promise<void> }>;

const API_VERSION = '0.1.0';
/** One message of a watching socket. */
const SOCKET_MESSAGE_BYTES = 65_536;

/** Starts, or stops what was started and throws: CactusError when the node does not answer, ConfigError for a keychain. */
export async function startCactus(
  setup: CactusSetup,
  network: CactusNetwork,
  deps: CactusDependencies,
): Promise<RunningCactus> {
  const { rpcTimeoutMs, answerBytes } = setup.limits;
  const rpc = new EthersRpc({ url: network.rpcUrl, chainId: network.chainId, timeoutMs: rpcTimeoutMs, answerBytes });
  try {
    return await serve(setup, network, deps, rpc);
  } catch (error) {
    rpc.close();
    throw error;
  }
}

async function serve(setup: CactusSetup, network: CactusNetwork, deps: CactusDependencies, rpc: EthersRpc) {
  const { authentication, limits } = setup;
  const tokens = authentication && new AccessTokens(authentication, deps.wallClock);
  const registry = new PluginRegistry({ logLevel: 'error', plugins: [] });
  for (const plugin of [...(await openKeychains(setup)), ...(deps.plugins ?? [])]) registry.add(plugin);
  const metrics = new CactusMetrics();
  const clock = new HeadClock({ pollMs: limits.pollMs }, rpc);
  const services = await openServices({ setup, network, deps, rpc, clock, registry });
  const document = openApiDocument({
    version: API_VERSION,
    ...(authentication && {
      scopes: {
        read: authentication.readScope,
        write: authentication.writeScope,
        metrics: 'read:metrics',
        document: 'read:spec',
      },
    }),
  });
  const plugin = new QuorumCactusPlugin(
    { instanceId: setup.instanceId, finalAtOnce: network.finalAtOnce, requests: limits.requests, document },
    {
      services,
      feed: new BlockFeed(limits, { rpc, clock }),
      metrics,
      ...(tokens && { tokens }),
      log: deps.log,
      now: deps.now,
    },
  );
  registry.add(plugin);
  await plugin.onPluginInit();
  const app = express();
  const server = setup.tls ? createHttpsServer({ ...setup.tls, minVersion: 'TLSv1.3' }, app) : createHttpServer(app);
  server.requestTimeout = limits.requestTimeoutMs;
  server.headersTimeout = limits.requestTimeoutMs;
  server.maxConnections = 2 * (limits.requests + limits.watchers);
  const sockets = socketServer(server, tokens);
  prepare(app, setup, tokens);
  apiServerEndpoints(app, { metrics, document, tokens, wallClock: deps.wallClock });
  await plugin.registerWebServices(app, sockets);
  app.use((_request, response) => {
    sendError(response, new CactusError('NOT_FOUND', 'there is no such operation'));
  });
  app.use(failures);
  await listen(server, setup);
  const { port } = server.address() as AddressInfo;
  return {
    url: `${setup.tls ? 'https' : 'http'}://${setup.host}:${port}`,
    registry,
    close: async () => {
      await plugin.shutdown();
      await sockets.close();
      server.closeAllConnections();
      rpc.close();
    },
  };
}

async function openKeychains({ keychains, instanceId }: CactusSetup): Promise<FileKeychain[]> {
  const opened = keychains.map(
    ({ keychainId, dir }) => new FileKeychain({ keychainId, dir, instanceId: `${instanceId}/${keychainId}` }),
  );
  for (const keychain of opened) await keychain.onPluginInit();
  return opened;
}

type ServiceParts = Readonly<{
  setup: CactusSetup;
  network: CactusNetwork;
  deps: CactusDependencies;
  rpc: EthersRpc;
  clock: HeadClock;
  registry: PluginRegistry;
}>;

async function openServices({ setup, network, deps, rpc, clock, registry }: ServiceParts): Promise<OperationServices> {
  const { limits, developmentOnly, transactionManagerUrl, rawMethods } = setup;
  const { rpcTimeoutMs, answerBytes } = limits;
  const reservedAccounts = new Set(network.reservedAccounts.map((account) => getAddress(account.toLowerCase())));
  const credentials = new SigningCredentials({ ...developmentOnly, reservedAccounts }, registry);
  const runner = new TransactionRunner(
    {
      ...limits,
      chainId: network.chainId,
      ...(transactionManagerUrl !== undefined && {
        transactionManager: { url: transactionManagerUrl, timeoutMs: rpcTimeoutMs, answerBytes },
      }),
    },
    { rpc, clock, now: deps.now },
  );
  // As web3 does: contracts in keychains are noted by network id, which need not be the chain id.
  const store = new ContractStore(text(await rpc.ask('net_version'), 'network id'));
  const contracts = new ContractOperations({ rpc, credentials, runner, contracts: store });
  return {
    contracts,
    besu: new BesuOperations({ logBlocks: limits.logBlocks }, { rpc, credentials, contracts }),
    rawMethods: new RawMethods({ allowed: rawMethods, logBlocks: limits.logBlocks }, { rpc, runner }),
    rawContract: { rpc, credentials, runner },
  };
}

/** What comes before every endpoint: who asks, then what. */
function prepare(app: Express, setup: CactusSetup, tokens: AccessTokens | undefined): void {
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(tokens ? authenticate(tokens) : onlyLocal);
  // Cactus's clients send bodies with GET and DELETE too.
  app.use(express.json({ limit: setup.limits.bodyBytes, strict: false }));
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

type ApiServerParts = Readonly<{
  metrics: CactusMetrics;
  document: unknown;
  tokens: AccessTokens | undefined;
  wallClock: () => number;
}>;

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

function listen(server: HttpServer, { host, port }: CactusSetup): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
