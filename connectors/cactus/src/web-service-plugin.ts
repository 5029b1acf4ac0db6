/**
 * What every ledger's Cactus plugin has as a web service: its operations under both prefixes, its metrics and its OpenAPI document,
 * each behind the scope that it needs, and never more requests at once than allowed.
 */
import type { ICactusPlugin, IPluginWebService, IWebServiceEndpoint } from '@hyperledger/cactus-core-api';
import type { Application, Express, Request, Response } from 'express';
import type { Logger } from 'pino';
import type { Server } from 'socket.io';
import { type AccessTokens, requireScope } from './access-token.ts';
import { asCactusError, CactusError, RequestFaultsError } from './cactus-error.ts';
import type { CactusMetrics } from './cactus-metrics.ts';
import { operationPath, PREFIXES } from './cactus-paths.ts';
import type { Operation, Scope } from './operation.ts';
import { bearerOf } from './request-bearer.ts';
import { sendError, WebEndpoint } from './web-endpoint.ts';

export type WebServicePluginOptions = Readonly<{
  instanceId: string;
  packageName: string;
  /** Requests worked on at once. */
  requests: number;
  document: unknown;
}>;
export type WebServicePluginDependencies<Services> = Readonly<{
  operations: readonly Operation<Services>[];
  services: Services;
  /** Whether an answer tells of a transaction, for Cactus's count of them. */
  hasTransaction: (answer: unknown) => boolean;
  metrics: CactusMetrics;
  /** Left out, whoever reaches the server may do everything. */
  tokens?: AccessTokens;
  log: Logger;
  /** Monotonic, ms. */
  now: () => number;
}>;

export class WebServicePlugin<Services> implements ICactusPlugin, IPluginWebService {
  readonly #options: WebServicePluginOptions;
  readonly #deps: WebServicePluginDependencies<Services>;
  #endpoints: readonly IWebServiceEndpoint[] | undefined;
  #busy = 0;

  constructor(options: WebServicePluginOptions, dependencies: WebServicePluginDependencies<Services>) {
    this.#options = options;
    this.#deps = dependencies;
  }

  getInstanceId(): string {
    return this.#options.instanceId;
  }

  getPackageName(): string {
    return this.#options.packageName;
  }

  async onPluginInit(): Promise<void> {
    await this.getOrCreateWebServices();
  }

  getOpenApiSpec(): unknown {
    return this.#options.document;
  }

  async getOrCreateWebServices(): Promise<IWebServiceEndpoint[]> {
    const dialects = [...new Set(this.#deps.operations.map(({ dialect }) => dialect))];
    this.#endpoints ??= PREFIXES.flatMap((prefix) => [
      ...this.#deps.operations.map((operation) => this.#operationEndpoint(prefix, operation)),
      ...dialects.flatMap((dialect) => this.#documentEndpoints(prefix, dialect)),
    ]);
    return [...this.#endpoints];
  }

  async registerWebServices(app: Application, _server: Server): Promise<IWebServiceEndpoint[]> {
    const endpoints = await this.getOrCreateWebServices();
    for (const endpoint of endpoints) await endpoint.registerExpress(app as Express);
    return endpoints;
  }

  /** Ends what goes on besides requests: here nothing. */
  async shutdown(): Promise<void> {}

  #operationEndpoint(prefix: string, operation: Operation<Services>): IWebServiceEndpoint {
    const { dialect, name, verb } = operation;
    const path = operationPath(prefix, dialect, name);
    const guard = (request: Request): void => this.#authorise(request, operation.scope(request.body));
    const scopes = this.#scopes('read', 'write');
    return new WebEndpoint({ verb, path, scopes, guard }, (request, response) =>
      this.#serve(operation, request, response),
    );
  }

  #documentEndpoints(prefix: string, dialect: string): IWebServiceEndpoint[] {
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

  async #serve(operation: Operation<Services>, request: Request, response: Response): Promise<void> {
    const { services, metrics, log, now, hasTransaction } = this.#deps;
    const { dialect, name } = operation;
    const startedMs = now();
    const body: unknown = request.body;
    let code = 'OK';
    try {
      if (this.#busy >= this.#options.requests) throw new CactusError('BUSY', 'too many requests are under way');
      this.#busy += 1;
      try {
        const answer = await operation.run(services, body);
        if (hasTransaction(answer)) metrics.transaction(dialect);
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
