/** One of Cactus's web services: a path, a verb and a handler, hooked into Express by `@hyperledger/cactus-core`. */
import { registerWebServiceEndpoint } from '@hyperledger/cactus-core';
import type { IEndpointAuthzOptions, IExpressRequestHandler, IWebServiceEndpoint } from '@hyperledger/cactus-core-api';
import type { Express, Request, Response } from 'express';
import { asCactusError, type CactusError, errorBody, RequestFaultsError } from './cactus-error.ts';

export type EndpointOptions = Readonly<{
  verb: 'get' | 'post' | 'delete';
  path: string;
  /** Of which a token needs one; `undefined` without authentication. */
  scopes: readonly string[] | undefined;
  /** Looks closer, and first: what Cactus's own check refuses gets an answer that is not Cactus's form. @throws CactusError */
  guard: (request: Request) => void;
}>;

const RETRY_AFTER_SECONDS = '5';

export class WebEndpoint implements IWebServiceEndpoint {
  readonly #options: EndpointOptions;
  readonly #handler: (request: Request, response: Response) => Promise<void>;

  constructor(options: EndpointOptions, handler: (request: Request, response: Response) => Promise<void>) {
    this.#options = options;
    this.#handler = handler;
  }

  async registerExpress(app: Express): Promise<IWebServiceEndpoint> {
    const { verb, path, guard } = this.#options;
    app[verb](path, (request, response, next) => {
      try {
        guard(request);
      } catch (error) {
        sendError(response, error);
        return;
      }
      next();
    });
    await registerWebServiceEndpoint(app, this);
    return this;
  }

  getVerbLowerCase(): string {
    return this.#options.verb;
  }

  getPath(): string {
    return this.#options.path;
  }

  getExpressRequestHandler(): IExpressRequestHandler {
    return (request, response) => {
      this.#handler(request, response).catch((error: unknown) => {
        sendError(response, error);
      });
    };
  }

  getAuthorizationOptionsProvider(): { get: () => Promise<IEndpointAuthzOptions> } {
    const { scopes } = this.#options;
    // An empty name stands for any valid token.
    const requiredRoles = scopes?.includes('') ? [] : [...(scopes ?? [])];
    return { get: async () => ({ isProtected: scopes !== undefined, requiredRoles }) };
  }
}

/** Cactus's two forms: a bare list of faults, or message and error. Answers the code for logs and metrics. */
export function sendError(response: Response, error: unknown): string {
  if (response.headersSent) {
    response.destroy();
    return 'ANSWER_BROKEN';
  }
  if (error instanceof RequestFaultsError) {
    response.status(400).json(error.faults);
    return error.code;
  }
  const known: CactusError = asCactusError(error);
  if (known.status === 503) response.set('retry-after', RETRY_AFTER_SECONDS);
  if (known.status === 401) response.set('www-authenticate', 'Bearer');
  response.status(known.status).json(errorBody(known));
  return known.code;
}
