import { parseNetworkId, parseParticipantId } from '@drawbridge/protocol/ids';
import type { AttestAnswer } from '@drawbridge/protocol/observer-api';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { admission } from './admission.ts';
import type { AttestResult } from './attestor.ts';
import type { NetworkHealth } from './network-watch.ts';
import { observerMetrics } from './observer-metrics.ts';
import { observerServer } from './observer-server.ts';
import { REQUEST, VAULT_LOG } from './testing/fake-node.ts';

const alpha = parseNetworkId('alpha');
const ANSWER: AttestAnswer = {
  observer: parseParticipantId('observer-1'),
  depthBlocks: 3,
  signature: `0x${'22'.repeat(64)}`,
  log: VAULT_LOG,
};
let app: FastifyInstance;
let result: AttestResult | Error;
let stopping: boolean;
let health: Map<typeof alpha, NetworkHealth>;
let lines: string[];

beforeEach(() => {
  result = { ok: true, answer: ANSWER };
  stopping = false;
  health = new Map([[alpha, 'ok']]);
  lines = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => lines.push(line) });
  app = observerServer(
    { observer: 'observer-1', tls: { key: '', cert: '' }, connections: 10 },
    {
      attest: async () => {
        if (result instanceof Error) throw result;
        return result;
      },
      admission: admission({ concurrency: 2, requestsPerSecond: 3 }, () => 0),
      metrics: observerMetrics({ signedBlocks: () => 17, health: () => health }),
      health: () => health,
      stopping: () => stopping,
      log,
      nowMs: () => 0,
    },
  );
});
afterEach(() => app.close());

const post = (payload: object | string) =>
  app.inject({ method: 'POST', url: '/v1/attest', payload, headers: { 'content-type': 'application/json' } });

test('answers the attestation and the log', async () => {
  const response = await post(REQUEST);
  expect(response.statusCode).toBe(200);
  expect(response.json()).toEqual(ANSWER);
});

test('a refusal is a problem with its code', async () => {
  result = { ok: false, code: 'TOO_SHALLOW', depthBlocks: 2 };
  const response = await post(REQUEST);
  expect(response.statusCode).toBe(425);
  expect(response.headers['content-type']).toContain('application/problem+json');
  expect(response.json()).toMatchObject({
    type: 'urn:drawbridge:problem:TOO_SHALLOW',
    status: 425,
    code: 'TOO_SHALLOW',
    again: true,
    depthBlocks: 2,
  });
});

test.each([
  ['no JSON', '{'],
  ['a field missing', { ...REQUEST, logIndex: undefined }],
  ['a poisoned prototype', '{"__proto__":{"network":"alpha"}}'],
])('%s is REQUEST_INVALID', async (_, payload) => {
  const response = await post(payload);
  expect(response.statusCode).toBe(400);
  expect(response.json()).toMatchObject({ code: 'REQUEST_INVALID' });
});

test('a body beyond the bound is refused', async () => {
  const response = await post({ ...REQUEST, padding: 'x'.repeat(2_000) });
  expect(response.json()).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE' });
});

test('another route is a problem too', async () => {
  expect((await app.inject({ url: '/v2/attest' })).json()).toMatchObject({ status: 404, code: 'ROUTE_NOT_FOUND' });
});

test('requests beyond the rate are told to wait', async () => {
  await post(REQUEST);
  await post(REQUEST);
  await post(REQUEST);
  const response = await post(REQUEST);
  expect(response.statusCode).toBe(429);
  expect(response.headers['retry-after']).toBe('1');
});

test('a place is given back after a failure', async () => {
  result = new TypeError('bug');
  expect((await post(REQUEST)).json()).toMatchObject({ status: 500, code: 'INTERNAL' });
  expect((await post(REQUEST)).json()).toMatchObject({ code: 'INTERNAL' });
  result = { ok: true, answer: ANSWER };
  expect((await post(REQUEST)).statusCode).toBe(200);
});

test('a stopping observer takes nothing on', async () => {
  stopping = true;
  expect((await post(REQUEST)).json()).toMatchObject({ status: 503, code: 'STOPPING' });
  expect((await app.inject({ url: '/healthz' })).statusCode).toBe(503);
});

test('health is that of every network', async () => {
  expect((await app.inject({ url: '/healthz' })).json()).toMatchObject({ ok: true, networks: { alpha: 'ok' } });
  health.set(alpha, 'unavailable');
  const response = await app.inject({ url: '/healthz' });
  expect(response.statusCode).toBe(503);
  expect(response.json()).toMatchObject({ ok: false, networks: { alpha: 'unavailable' } });
});

test('metrics count outcomes by network', async () => {
  result = { ok: false, code: 'EQUIVOCATION' };
  await post(REQUEST);
  const { body } = await app.inject({ url: '/metrics' });
  expect(body).toContain('drawbridge_observer_answers_total{network="alpha",outcome="EQUIVOCATION"} 1');
  expect(body).toContain('drawbridge_observer_signed_blocks 17');
  expect(body).toContain('drawbridge_observer_network_up{network="alpha"} 1');
});

test('what is alarming is logged as an alarm, without hashes, addresses or data', async () => {
  result = { ok: false, code: 'EQUIVOCATION' };
  await post(REQUEST);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 50, network: 'alpha', code: 'EQUIVOCATION', msg: expect.stringContaining('ALARM') },
  ]);
  expect(lines.join('')).not.toMatch(/0x[0-9a-f]{8}/);
});
