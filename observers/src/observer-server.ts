/** The observer's HTTPS: `POST /v1/attest`, `GET /healthz`, `GET /metrics`. TLS 1.3; problems as in RFC 9457. */
import { createHash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { NetworkId } from '@drawbridge/protocol/ids';
import {
  ATTEST_PATH,
  ATTEST_PROBLEMS,
  type AttestProblemCode,
  type AttestRequest,
  parseAttestRequest,
} from '@drawbridge/protocol/observer-api';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Admission } from './admission.ts';
import type { AttestRefusal, AttestResult } from './attestor.ts';
import type { NetworkHealth } from './network-watch.ts';
import type { ObserverMetrics } from './observer-metrics.ts';

/** A request is five short fields. */
const MAX_BODY_BYTES = 1_024;
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 30_000;
/** Codes that are nobody's ordinary course: an operator should look. */
const ALARMS: ReadonlySet<AttestProblemCode> = new Set(['EQUIVOCATION', 'GUARD_FAILED', 'NODE_WRONG_NETWORK']);

export type ObserverServerOptions = Readonly<{
  observer: string;
  tls: Readonly<{ key: string; cert: string }>;
  /** SHA-256 of the DER of each admitted certificate, `0x…`; anyone is admitted when absent. */
  clientCertificates?: readonly string[];
  connections: number;
}>;

export type ObserverServerParts = Readonly<{
  attest: (request: AttestRequest) => Promise<AttestResult>;
  admission: Admission;
  metrics: ObserverMetrics;
  health: () => ReadonlyMap<NetworkId, NetworkHealth>;
  stopping: () => boolean;
  log: Logger;
  nowMs: () => number;
}>;

/** Not listening yet. */
export function observerServer(options: ObserverServerOptions, parts: ObserverServerParts): FastifyInstance {
  const app = Fastify({
    https: {
      ...options.tls,
      minVersion: 'TLSv1.3',
      // A certificate is known by its fingerprint, so no authority is asked; whoever has none is told by a problem.
      ...(options.clientCertificates ? { requestCert: true, rejectUnauthorized: false } : {}),
    },
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: REQUEST_TIMEOUT_MS * 2,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    logger: false,
  });
  app.server.maxConnections = options.connections;
  const admitted = options.clientCertificates && new Set(options.clientCertificates);
  app.addHook('onRequest', async (request, reply) => {
    if (admitted === undefined || request.url === '/healthz') return;
    if (!admitted.has(clientFingerprint(request.raw.socket as TLSSocket))) await problem(reply, 'CLIENT_UNKNOWN');
  });
  app.setNotFoundHandler((_request, reply) => problem(reply, 'ROUTE_NOT_FOUND'));
  app.setErrorHandler((error, _request, reply) => problem(reply, codeOf(error, parts.log)));
  app.post(ATTEST_PATH, (request, reply) => answerAttest(request, reply, parts));
  app.get('/healthz', async (_request, reply) => {
    const networks = Object.fromEntries(parts.health());
    const ok = !parts.stopping() && Object.values(networks).every((health) => health === 'ok');
    return reply.code(ok ? 200 : 503).send({ ok, observer: options.observer, networks });
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(parts.metrics.registry.contentType).send(await parts.metrics.registry.metrics()),
  );
  return app;
}

async function answerAttest(
  request: FastifyRequest,
  reply: FastifyReply,
  { attest, admission, metrics, stopping, log, nowMs }: ObserverServerParts,
): Promise<FastifyReply> {
  if (stopping()) return problem(reply, 'STOPPING');
  const entry = admission.enter();
  if (entry !== 'admitted') return problem(reply, entry);
  const beganMs = nowMs();
  try {
    const wanted = parseAttestRequest(request.body);
    const result = await attest(wanted);
    const outcome = result.ok ? 'attested' : result.code;
    // Whatever a stranger writes there is no label: only networks that are watched get one.
    if (outcome !== 'NETWORK_UNKNOWN') metrics.answered(wanted.network, outcome, (nowMs() - beganMs) / 1_000);
    if (result.ok) return reply.send(result.answer);
    logRefusal(log, wanted.network, result);
    return problem(reply, result.code, result.depthBlocks);
  } finally {
    admission.leave();
  }
}

function logRefusal(log: Logger, network: NetworkId, { code, cause }: AttestRefusal): void {
  const about = { network, code, ...(cause instanceof Error && { cause: cause.message }) };
  if (ALARMS.has(code)) log.error(about, `ALARM: ${ATTEST_PROBLEMS[code].title}`);
  else if (cause !== undefined) log.warn(about, 'not attested');
  else log.debug(about, 'not attested');
}

function problem(reply: FastifyReply, code: AttestProblemCode, depthBlocks?: number): FastifyReply {
  const { status, title, again } = ATTEST_PROBLEMS[code];
  if (again && (status === 429 || status === 503)) reply.header('retry-after', '1');
  return reply
    .code(status)
    .type('application/problem+json')
    .send({
      type: `urn:drawbridge:problem:${code}`,
      title,
      status,
      code,
      again,
      ...(depthBlocks === undefined ? {} : { depthBlocks }),
    });
}

/** The code of what fastify or a parser threw; what nobody expects is logged. */
function codeOf(error: unknown, log: Logger): AttestProblemCode {
  if (isProtocolError(error)) return 'REQUEST_INVALID';
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined;
  if (status === 413) return 'BODY_TOO_LARGE';
  if (typeof status === 'number' && status >= 400 && status < 500) return 'REQUEST_INVALID';
  log.error({ err: error }, 'a request failed');
  return 'INTERNAL';
}

/** `0x` and SHA-256 of the DER; of nothing where no certificate was shown. */
function clientFingerprint(socket: TLSSocket): string {
  const der = socket.getPeerX509Certificate?.()?.raw ?? Buffer.alloc(0);
  return `0x${createHash('sha256').update(der).digest('hex')}`;
}
