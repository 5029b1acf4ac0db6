import { describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { HubMetrics } from './metrics.ts';
import { buildOperatorServer, type Health, type OperatorServerOptions } from './operator-server.ts';

const server = (
  options: OperatorServerOptions,
  health: Health = { redis: true, core: true },
): Promise<FastifyInstance> =>
  buildOperatorServer(options, { queues: [], metrics: new HubMetrics(), health: async () => health, now: () => 0 });

const credentials = 'operator:a-long-password';
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

describe('the operators’ window', () => {
  it('does not open to a network without credentials', async () => {
    await expect(server({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('serves board and metrics on loopback', async () => {
    const app = await server({ host: '127.0.0.1' });
    const metrics = await app.inject('/metrics');
    expect(metrics.statusCode).toBe(200);
    expect(metrics.body).toContain('drawbridge_queue_depth');
    const board = await app.inject('/board');
    expect(board.statusCode).toBe(200);
    expect(board.headers['content-security-policy']).toContain("default-src 'none'");
    await app.close();
  });

  it.each([
    ['none', {}],
    ['of another user', basic('someone:a-long-password')],
    ['with a wrong password', basic('operator:another-password')],
  ])('with credentials set refuses a request with %s', async (_what, headers) => {
    const app = await server({ host: '0.0.0.0', credentials });
    for (const url of ['/metrics', '/board', '/board/api/queues', '/']) {
      const answer = await app.inject({ url, headers });
      expect(answer.statusCode).toBe(401);
      expect(answer.headers['content-type']).toMatch('application/problem+json');
    }
    await app.close();
  });

  it('lets the right credentials in, and health checks without any', async () => {
    const app = await server({ host: '0.0.0.0', credentials });
    expect((await app.inject({ url: '/metrics', headers: basic(credentials) })).statusCode).toBe(200);
    expect((await app.inject('/healthz')).statusCode).toBe(200);
    await app.close();
  });

  it('is unwell where Redis or the core is', async () => {
    const app = await server({ host: '127.0.0.1' }, { redis: true, core: false });
    const answer = await app.inject('/healthz');
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toEqual({ redis: true, core: false, ok: false });
    await app.close();
  });
});
