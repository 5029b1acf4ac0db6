/** The OpenAPI document of all that is served, under both prefixes. */
import { type TSchema, Type } from '@sinclair/typebox';
import type { TokenRules } from './api-server-config.ts';
import { API_SERVER_PREFIX, operationPath, PREFIXES } from './cactus-paths.ts';
import type { Operation } from './operation.ts';

type Json = Readonly<Record<string, unknown>>;

const fault = Type.Object({ path: Type.String(), message: Type.String(), errorCode: Type.String() });
const failure = Type.Object({ message: Type.String(), error: Type.Optional(Type.String()) });
const health = Type.Object({
  success: Type.Boolean(),
  createdAt: Type.String(),
  memoryUsage: Type.Object({}, { additionalProperties: true }),
});
const document = Type.Object({}, { additionalProperties: true });

const json = (description: string, schema: TSchema): Json => ({
  description,
  content: { 'application/json': { schema } },
});

const FAILURES: Json = {
  400: json('The request does not fit; a list of faults, or an error', Type.Union([Type.Array(fault), failure])),
  401: json('No valid token', failure),
  403: json('The token’s scope does not reach, or the configuration does not allow it', failure),
  404: json('There is no such thing', failure),
  500: json('The ledger, the contract or the node refused', failure),
  503: json('The node does not answer, or the connector is busy', failure),
  504: json('No outcome in time', failure),
};

type SecurityScopes = Readonly<Record<'read' | 'write' | 'metrics' | 'document', string>>;

export type DocumentOptions = Readonly<{
  title: string;
  description: string;
  version: string;
  operations: readonly Operation<never>[];
  /** Left out where there is no authentication. */
  authentication?: TokenRules;
  /** Whose operations keep Cactus's operation ids, which must differ within one document. */
  mainDialect: string;
}>;

export function openApiDocument(options: DocumentOptions): Json {
  const { title, description, version, operations, authentication, mainDialect } = options;
  const scopes: SecurityScopes | undefined = authentication && {
    read: authentication.readScope,
    write: authentication.writeScope,
    metrics: 'read:metrics',
    document: 'read:spec',
  };
  const dialects = [...new Set(operations.map(({ dialect }) => dialect))];
  const uniqueId = (id: string, dialect: string, prefix: string): string =>
    `${id}${dialect === mainDialect ? '' : capitalised(dialect)}${prefix === PREFIXES[0] ? '' : 'Cacti'}`;
  const security = (...needed: (keyof SecurityScopes)[]): Json =>
    scopes ? { security: needed.map((scope) => ({ bearerTokenAuth: scopes[scope] ? [scopes[scope]] : [] })) } : {};
  const at = (verbLowerCase: string, path: string): Json => ({
    'x-hyperledger-cacti': { http: { verbLowerCase, path } },
  });
  const paths: Record<string, Json> = {};
  const read = (
    path: string,
    operationId: string,
    summary: string,
    answer: Json,
    scope: keyof SecurityScopes,
  ): void => {
    paths[path] = {
      get: { ...at('get', path), operationId, summary, responses: { 200: answer, ...FAILURES }, ...security(scope) },
    };
  };
  for (const prefix of PREFIXES) {
    for (const { dialect, verb, name, operationId, summary, request, answer, leastScope } of operations) {
      const path = operationPath(prefix, dialect, name);
      const entry = {
        ...at(verb, path),
        operationId: uniqueId(operationId, dialect, prefix),
        summary,
        requestBody: { required: true, content: { 'application/json': { schema: request } } },
        responses: { 200: json('Done', answer), ...FAILURES },
        ...(leastScope === 'read' ? security('read', 'write') : security('write')),
      };
      paths[path] = { [verb]: entry };
    }
    for (const dialect of dialects) {
      const metricsPath = operationPath(prefix, dialect, 'get-prometheus-exporter-metrics');
      read(metricsPath, uniqueId('getPrometheusMetricsV1', dialect, prefix), 'Prometheus metrics', METRICS, 'metrics');
      const specPath = operationPath(prefix, dialect, 'get-open-api-spec');
      read(
        specPath,
        uniqueId('getOpenApiSpecV1', dialect, prefix),
        'This document',
        json('Done', document),
        'document',
      );
    }
  }
  const own = `${API_SERVER_PREFIX}/`;
  paths[`${own}healthcheck`] = {
    get: {
      ...at('get', `${own}healthcheck`),
      operationId: 'getHealthCheckV1',
      summary: 'Whether the server lives',
      responses: { 200: json('It does', health), ...FAILURES },
      ...(scopes && { security: [{ bearerTokenAuth: ['read:health'] }] }),
    },
  };
  read(`${own}get-prometheus-exporter-metrics`, 'getServerMetricsV1', 'Prometheus metrics', METRICS, 'metrics');
  read(`${own}get-open-api-spec`, 'getServerOpenApiSpecV1', 'This document', json('Done', document), 'document');
  return {
    openapi: '3.0.3',
    info: {
      title,
      description,
      version,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0.html' },
    },
    ...(scopes && {
      components: {
        securitySchemes: { bearerTokenAuth: { type: 'http', scheme: 'bearer', bearerFormat: 'JSON Web Tokens' } },
      },
    }),
    paths,
  };
}

const METRICS: Json = { description: 'Done', content: { 'text/plain': { schema: { type: 'string' } } } };

const capitalised = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
