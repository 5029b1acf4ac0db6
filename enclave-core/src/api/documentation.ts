/**
 * The OpenAPI 3.1 document, made from the schemas that the routes validate and serialise with. Schemas with a `title`
 * become components; each operation lists the problems that it can answer.
 */
import {
  PROBLEM_MEDIA_TYPE,
  PROBLEMS,
  type ProblemCode,
  ProblemSchema,
  problemDocument,
} from '@drawbridge/protocol/api/problem';
import { CcfErrorSchema } from '@drawbridge/protocol/api/transaction';
import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { FastifyContextConfig, FastifySchema } from 'fastify';
import { RULES } from './access.ts';
import type { ApiServer } from './context.ts';
import { readsFirst } from './linearized.ts';

/** Version of the API, not of the program. */
const API_VERSION = '1.0.0';

/** What every route behind a certificate can answer. */
const EVERYWHERE: readonly ProblemCode[] = [
  'REQUEST_INVALID',
  'CERTIFICATE_REQUIRED',
  'CERTIFICATE_UNKNOWN',
  'CERTIFICATE_EXPIRED',
  'ROLE_NOT_ALLOWED',
  'INTERNAL',
];
/** What every route that waits to read the newest state can answer besides. */
const LINEARIZED: readonly ProblemCode[] = ['NOT_LEADER', 'STOPPING'];
/** What every route with a body can answer besides. */
const WITH_BODY: readonly ProblemCode[] = ['JSON_INVALID', 'BODY_TOO_LARGE', 'MEDIA_TYPE_UNSUPPORTED'];

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type JsonObject = { [name: string]: Json };

function describe(): string {
  const rows = (Object.keys(PROBLEMS) as ProblemCode[]).map((code) => {
    const { status, title, todo } = PROBLEMS[code];
    return `| \`${code}\` | ${status} | ${title} | ${todo} |`;
  });
  return [
    'TLS 1.3 with a client certificate; you are the participant for whom the SHA-256 of its DER is registered.',
    'Amounts are decimal strings of minor units, times RFC 3339. Any node answers any request. Answers to writes come after',
    'commit, and the header `x-ms-ccf-transaction-id` names the ledger entry (`view.seqno`); answers to reads name the newest',
    'entry that they can have seen. Reads under /v1 are linearizable on every node: they hold all that was committed before',
    'they came, so that you read your own writes, and never anything older than before, wherever you ask. Pages of a list',
    'are each read so; what changes between two pages is said where it matters. A stream of events begins so and goes on as',
    'its node learns of them; on another node it is resumed by number. What belongs to others answers `404` exactly as what',
    'does not exist. Errors are problem documents (RFC 9457), under /node mostly in the form of CCF; `code` is stable:',
    '',
    '| code | status | meaning | what to do |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

const ANSWERS: Readonly<Record<string, string>> = { '200': 'the answer', '201': 'a new one' };

/** The answers of a route with a description each, which @fastify/swagger would fill with one that says nothing. */
function answerResponses(response: object): JsonObject {
  return Object.fromEntries(
    Object.entries(response).map(([status, schema]: [string, object]): [string, Json] => {
      const described = { description: ANSWERS[status] ?? 'an answer' };
      const answer = 'content' in schema ? schema : { content: { 'application/json': { schema } } };
      return [status, plain({ ...described, ...answer })];
    }),
  );
}

/** Problem responses by status, with every code named. */
function problemResponses(codes: readonly ProblemCode[]): JsonObject {
  const responses: JsonObject = {};
  for (const status of [...new Set(codes.map((code) => PROBLEMS[code].status))].sort((a, b) => a - b)) {
    const here = codes.filter((code) => PROBLEMS[code].status === status);
    const [first] = here;
    if (first === undefined) continue;
    responses[String(status)] = {
      description: here.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('; '),
      content: { [PROBLEM_MEDIA_TYPE]: { schema: plain(ProblemSchema), example: plain(problemDocument(first)) } },
    };
  }
  return responses;
}

/** JSON of a value, without the symbols that TypeBox marks its schemas with. */
const plain = (value: object): Json => JSON.parse(JSON.stringify(value)) as Json;

/** The errors of a route in CCF's form: its words say which code. */
const CCF_RESPONSES = Object.fromEntries(
  [
    ['4XX', 'the request cannot be answered'],
    ['500', 'the node failed to answer'],
    ['503', 'the node cannot answer now'],
  ].map(([status, description]) => [
    status,
    { description, content: { 'application/json': { schema: plain(CcfErrorSchema) } } },
  ]),
);

function errorResponses(method: string, schema: FastifySchema, config: FastifyContextConfig): JsonObject {
  if (config.errors === 'ccf') return CCF_RESPONSES as JsonObject;
  const codes = [
    ...(config.open ? (['INTERNAL'] as const) : EVERYWHERE),
    ...(schema.body ? WITH_BODY : []),
    ...(readsFirst(method, config) ? LINEARIZED : []),
    ...(config.problems ?? []),
  ];
  return problemResponses([...new Set(codes)]);
}

function documented(method: string, schema: FastifySchema, config: FastifyContextConfig): FastifySchema {
  const roles = config.operation ? Object.keys(RULES[config.operation]).join(', ') : 'anyone, without a certificate';
  const paragraphs = [...(schema.description ? [schema.description] : []), `For: ${roles}.`];
  return {
    ...schema,
    description: paragraphs.join('\n\n'),
    response: { ...answerResponses(schema.response as object), ...errorResponses(method, schema, config) },
    ...(config.open && { security: [] }),
  };
}

/** Moves each object schema with a `title` to `components` and leaves a reference. */
function hoistTitled(value: Json, components: JsonObject): Json {
  if (Array.isArray(value)) return value.map((item) => hoistTitled(item, components));
  if (value === null || typeof value !== 'object') return value;
  const walked: JsonObject = {};
  for (const [name, part] of Object.entries(value)) walked[name] = hoistTitled(part, components);
  if (walked.type !== 'object' || typeof walked.title !== 'string') return walked;
  components[walked.title] = walked;
  return { $ref: `#/components/schemas/${walked.title}` };
}

function withComponents(document: JsonObject): JsonObject {
  const schemas: JsonObject = {};
  const paths = hoistTitled(document.paths ?? {}, schemas);
  const sorted = Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
  const securitySchemes = { mutualTLS: { type: 'mutualTLS', description: 'the registered client certificate' } };
  // Added here because the types of @fastify/swagger do not know the scheme, which is new in OpenAPI 3.1.
  return { ...document, security: [{ mutualTLS: [] }], paths, components: { securitySchemes, schemas: sorted } };
}

const OPTIONS: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: { title: 'Drawbridge core', version: API_VERSION, description: describe(), license: { name: 'Apache-2.0' } },
  },
  transform: ({ schema, url, route }) => ({
    schema: schema.hide ? schema : documented(String(route.method), schema, route.config ?? {}),
    url,
  }),
  transformObject: (input) =>
    'openapiObject' in input ? withComponents(plain(input.openapiObject) as JsonObject) : input.swaggerObject,
};

/** Collects the routes registered after it. */
export function documentRoutes(app: ApiServer): void {
  void app.register(swagger, OPTIONS);
}

/** `GET /docs`: the document, written once. */
export function documentationRoute(app: ApiServer): void {
  let text: string | undefined;
  app.get('/docs', { config: { open: true }, schema: { hide: true } }, async (_request, reply) => {
    text ??= JSON.stringify(app.swagger());
    reply.header('content-type', 'application/json; charset=utf-8');
    return reply.send(text);
  });
}
