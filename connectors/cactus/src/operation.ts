/** One operation of one of Cactus's connectors: path, schemas, the scope that it needs, and what it does. */
import type { Static, TSchema } from '@sinclair/typebox';
import { checkedBody } from './request-check.ts';

/** `metrics` and `document` are Cactus's own scopes; `read` and `write` are named by the configuration. */
export type Scope = 'read' | 'write' | 'metrics' | 'document';

export type OperationFacts = Readonly<{
  /** The ledger's word in the names of Cactus's connectors, such as `besu`. */
  dialect: string;
  name: string;
  /** `post` where left out. Cactus sends bodies with all three. */
  verb?: 'get' | 'post' | 'delete';
  operationId: string;
  summary: string;
  answer: TSchema;
  /** A failure is told inside an answer 200, as `{status, errorDetail}`. */
  raw?: boolean;
}>;

export type Operation<Services> = Required<OperationFacts> &
  Readonly<{
    /** By what the body asks for: reading needs less than sending. */
    scope: (body: unknown) => Scope;
    /** The least scope that any body needs. */
    leastScope: 'read' | 'write';
    request: TSchema;
    run: (services: Services, body: unknown) => Promise<unknown>;
  }>;

/** @param scope for every body, or by the body, where some bodies only read */
export function operation<Services, S extends TSchema>(
  facts: OperationFacts,
  scope: 'read' | 'write' | ((body: unknown) => Scope),
  request: S,
  run: (services: Services, body: Static<S>) => Promise<unknown>,
): Operation<Services> {
  return {
    raw: false,
    verb: 'post',
    ...facts,
    scope: typeof scope === 'function' ? scope : () => scope,
    leastScope: scope === 'write' ? 'write' : 'read',
    request,
    run: async (services, body) => run(services, checkedBody(request, body)),
  };
}
