/**
 * What operators see: bull-board, metrics, health. Nothing served here can read from the core, and the bodies of jobs
 * are ciphertext. Beyond loopback it demands credentials.
 */
import { timingSafeEqual } from 'node:crypto';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Queue } from 'bullmq';
import fastify, { type FastifyInstance } from 'fastify';
import { ConfigError } from './config.ts';
import type { HubMetrics } from './metrics.ts';

export type OperatorServerOptions = Readonly<{
  host: string;
  /** `user:password`; required beyond loopback. */
  credentials?: string;
}>;
export type Health = Readonly<{ redis: boolean; core: boolean }>;
export type OperatorServerDependencies = Readonly<{
  queues: readonly Queue[];
  metrics: HubMetrics;
  health: () => Promise<Health>;
  now: () => number;
}>;

const LOOPBACK = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|localhost|::1)$/;
const BOARD_PATH = '/board';
/** The board's page asks for fonts elsewhere; nobody outside is told that somebody watches. Nor is it shown in a frame. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** @throws ConfigError when it would be open to a network without credentials. */
export async function buildOperatorServer(
  options: OperatorServerOptions,
  dependencies: OperatorServerDependencies,
): Promise<FastifyInstance> {
  const { credentials } = options;
  if (credentials === undefined && !LOOPBACK.test(options.host)) {
    throw new ConfigError('operatorsFile is required where `listen` is not a loopback address');
  }
  const app = fastify({ logger: false, bodyLimit: 64 * 1024 });
  if (credentials !== undefined) {
    const expected = `Basic ${Buffer.from(credentials).toString('base64')}`;
    app.addHook('onRequest', async (request, reply) => {
      if (request.url === '/healthz' || sameText(request.headers.authorization ?? '', expected)) return;
      await reply
        .code(401)
        .header('www-authenticate', 'Basic realm="drawbridge operators"')
        .type('application/problem+json')
        .send({ type: 'urn:drawbridge:problem:UNAUTHENTICATED', title: 'Operators sign in first', status: 401 });
    });
  }
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({ 'content-security-policy': PAGE_POLICY, 'referrer-policy': 'no-referrer' });
  });
  app.get('/', async (_request, reply) => reply.redirect(BOARD_PATH));
  app.get('/healthz', async (_request, reply) => {
    const health = await dependencies.health();
    return reply.code(health.redis && health.core ? 200 : 503).send({ ...health, ok: health.redis && health.core });
  });
  app.get('/metrics', async (_request, reply) => {
    await dependencies.metrics.sample(dependencies.queues, dependencies.now());
    return reply.type(dependencies.metrics.registry.contentType).send(await dependencies.metrics.registry.metrics());
  });
  const board = new FastifyAdapter();
  board.setBasePath(BOARD_PATH);
  createBullBoard({
    queues: dependencies.queues.map((queue) => new BullMQAdapter(queue)),
    serverAdapter: board,
    options: { uiConfig: { boardTitle: 'Drawbridge relays' } },
  });
  await app.register(board.registerPlugin(), { prefix: BOARD_PATH });
  return app;
}
