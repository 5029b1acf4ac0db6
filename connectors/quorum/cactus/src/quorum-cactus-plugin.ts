/**
 * The Quorum connector as a Cactus plugin: a ledger connector and a web service, in the dialects of Cactus's Quorum and
 * Besu connectors, for the network that this connector serves.
 */
import { consensusHasTransactionFinality } from '@hyperledger/cactus-core';
import {
  ConsensusAlgorithmFamily,
  type IPluginLedgerConnector,
  type IPluginWebService,
  type IWebServiceEndpoint,
} from '@hyperledger/cactus-core-api';
import type { Application, Express, Request, Response } from 'express';
import type { Logger } from 'pino';
import type { Server } from 'socket.io';
import { type AccessTokens, requireScope } from './access-token.ts';
import type { BlockFeed } from './block-feed.ts';
import { asCactusError, CactusError, RequestFaultsError } from './cactus-error.ts';
import type { CactusMetrics } from './cactus-metrics.ts';
import { operationPath, PREFIXES } from './cactus-paths.ts';
import type { DeployRequest, TransactionOutcome } from './contract-operations.ts';
import { fields } from './ethereum-rpc.ts';
import type { RunTransactionBody } from './operation-schemas.ts';
import { type Dialect, OPERATIONS, type Operation, type OperationServices, type Scope } from './operations.ts';
import { bearerOf } from './request-bearer.ts';
import { endWatching, serveWatching } from './watch-socket.ts';
import { sendError, WebEndpoint } from './web-endpoint.ts';

export type QuorumCactusPluginOptions = Readonly<{
  instanceId: string;
  finalAtOnce: boolean;
  /** Requests worked on at once. */
  requests: number;
  document: unknown;
}>;
type Dependencies = Readonly<{
  services: OperationServices;
  feed: BlockFeed;
  metrics: CactusMetrics;
  /** Left out, whoever reaches the server may do everything. */
  tokens?: AccessTokens;
  log: Logger;
  /** Monotonic, ms. */
  now: () => number;
}>;

export class QuorumCactusPlugin
  implements
    IPluginLedgerConnector<DeployRequest, TransactionOutcome, RunTransactionBody, TransactionOutcome>,
    IPluginWebService
{
  readonly #options: QuorumCactusPluginOptions;
  readonly #deps: Dependencies;
  #endpoints: readonly IWebServiceEndpoint[] | undefined;
  #server: Server | undefined;
  #busy = 0;

  constructor(options: QuorumCactusPluginOptions, dependencies: Dependencies) {
    this.#options = options;
    this.#deps = dependencies;
  }

  getInstanceId(): string {
    return this.#options.instanceId;
  }

  getPackageName(): string {
    return '@drawbridge/connector-quorum-cactus';
  }

  async onPluginInit(): Promise<void> {
    await this.getOrCreateWebServices();
  }

  /** @throws CactusError; TypeError without a request */
  async deployContract(request?: DeployRequest): Promise<TransactionOutcome> {
    if (!request) throw new TypeError('what to deploy has to be said');
    return this.#deps.services.contracts.deploy(request);
  }

  /** @throws CactusError; TypeError without a request */
  async transact(request?: RunTransactionBody): Promise<TransactionOutcome> {
    if (!request) throw new TypeError('which transaction to run has to be said');
    return this.#deps.services.contracts.runTransaction(request);
  }

  /** Validators of known identity, whichever of the rules they follow. */
  async getConsensusAlgorithmFamily(): Promise<ConsensusAlgorithmFamily> {
    return ConsensusAlgorithmFamily.Authority;
  }

  /** Cactus's answer for the family, where the operator says that this network has it: Clique and anvil do not. */
  async hasTransactionFinality(): Promise<boolean> {
    return this.#options.finalAtOnce && consensusHasTransactionFinality(await this.getConsensusAlgorithmFamily());
  }

  getOpenApiSpec(): unknown {
    return this.#options.document;
  }

  async getOrCreateWebServices(): Promise<IWebServiceEndpoint[]> {
    this.#endpoints ??= PREFIXES.flatMap((prefix) => [
      ...OPERATIONS.map((operation) => this.#operationEndpoint(prefix, operation)),
      ...(['quorum', 'besu'] as const).flatMap((dialect) => this.#documentEndpoints(prefix, dialect)),
    ]);
    return [...this.#endpoints];
  }

  async registerWebServices(app: Application, server: Server): Promise<IWebServiceEndpoint[]> {
    const endpoints = await this.getOrCreateWebServices();
    for (const endpoint of endpoints) await endpoint.registerExpress(app as Express);
    const { feed, metrics, log } = this.#deps;
    serveWatching(server, { feed, metrics, log });
    this.#server = server;
    return endpoints;
  }

  async shutdown(): Promise<void> {
    if (this.#server) endWatching(this.#server);
    this.#server = undefined;
  }

  #operationEndpoint(prefix: string, operation: Operation): IWebServiceEndpoint {
    const { dialect, name } = operation;
    const path = operationPath(prefix, dialect, name);
    const guard = (request: Request): void => this.#authorise(request, operation.scope(request.body));
    const scopes = this.#scopes('read', 'write');
    return new WebEndpoint({ verb: 'post', path, scopes, guard }, (request, response) =>
      this.#serve(operation, request, response),
    );
  }

  #documentEndpoints(prefix: string, dialect: Dialect): IWebServiceEndpoint[] {
    const endpoint = (name: string, scope: Scope, answer: (response: Response) => Promise<void>) =>
      new WebEndpoint(
        {
          verb: 'get',
          path: operationPath(prefix, dialect, name),
          scopes: this.#scopes(scope),
          guard: (request) => this.#authorise(request, scope),
        },
        (_request, response) => answer(response),
      );
    return [
      endpoint('get-prometheus-exporter-metrics', 'metrics', async (response) => {
        response.type('text/plain').send(await this.#deps.metrics.text());
      }),
      endpoint('get-open-api-spec', 'document', async (response) => {
        response.json(this.#options.document);
      }),
    ];
  }

  async #serve(operation: Operation, request: Request, response: Response): Promise<void> {
    const { services, metrics, log, now } = this.#deps;
    const { dialect, name } = operation;
    const startedMs = now();
    const body: unknown = request.body;
    let code = 'OK';
    try {
      if (this.#busy >= this.#options.requests) throw new CactusError('BUSY', 'too many requests are under way');
      this.#busy += 1;
      try {
        const answer = await operation.run(services, body);
        if (fields(fields(answer)?.transactionReceipt)) metrics.transaction(dialect);
        response.json(answer);
      } finally {
        this.#busy -= 1;
      }
    } catch (error) {
      code = operation.raw ? sendRawError(response, error) : sendError(response, error);
      log.warn({ dialect, operation: name, code }, 'a request failed');
    }
    metrics.request(dialect, name, code, now() - startedMs);
  }

  #authorise(request: Request, scope: Scope): void {
    const { tokens } = this.#deps;
    if (tokens) requireScope(bearerOf(request), tokens.nameOf(scope));
  }

  #scopes(...scopes: Scope[]): string[] | undefined {
    const { tokens } = this.#deps;
    return tokens && scopes.map((scope) => tokens.nameOf(scope));
  }
}

/** What the ledger or the method refused is an answer of its own; faults of the request are not. */
function sendRawError(response: Response, error: unknown): string {
  const known = asCactusError(error);
  if (error instanceof RequestFaultsError || known.code === 'BUSY') return sendError(response, error);
  response.json({ status: known.status, errorDetail: known.message });
  return known.code;
}
