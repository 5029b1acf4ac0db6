/** Identity on real sockets: what TLS proves, what the registration says, and what neither lets through. */
import { once } from 'node:events';
import { Agent, type RequestOptions, request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WORLD } from './testing/fake-core.ts';
import { type TestCertificate, testCertificate } from './testing/test-certificates.ts';
import { type TlsApi, tlsApi } from './testing/tls-api.ts';

const DAY_MS = 86_400_000;
let api: TlsApi<'alpha' | 'beta'>;
let nowMs = Date.now();
beforeAll(async () => {
  api = await tlsApi(['alpha', 'beta'], {
    nowMs: () => nowMs,
    limits: { handshakeTimeoutMs: 300, headersTimeoutMs: 300, requestTimeoutMs: 300, headerBytes: 4_096 },
  });
});
afterAll(() => api.app.close());

type Answer = Readonly<{ status: number; code?: string; body: string }>;

async function ask(options: RequestOptions & { certificate?: TestCertificate | undefined }): Promise<Answer> {
  const { certificate, ...rest } = options;
  const sent = request({
    host: '127.0.0.1',
    port: api.port,
    path: '/v1/participant',
    rejectUnauthorized: false,
    agent: false,
    ...(certificate && { key: certificate.key, cert: certificate.cert }),
    ...rest,
  });
  sent.end();
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) body += String(chunk);
  return { status: response.statusCode ?? 0, body, code: (JSON.parse(body) as { code?: string }).code ?? '' };
}

test('a registered certificate speaks for its participant', async () => {
  const answer = await ask({ certificate: api.certificates.alpha });
  expect([answer.status, JSON.parse(answer.body)]).toEqual([200, expect.objectContaining({ id: WORLD.alpha })]);
});

test('no certificate: 401, but public routes answer', async () => {
  expect(await ask({})).toMatchObject({ status: 401, code: 'CERTIFICATE_REQUIRED' });
  for (const path of ['/node/state', '/node/network', '/node/ready', '/docs'])
    expect((await ask({ path })).status).toBe(200);
});

test('a certificate that is not registered: 401', async () => {
  expect(await ask({ certificate: await testCertificate('alpha') })).toMatchObject({
    status: 401,
    code: 'CERTIFICATE_UNKNOWN',
  });
});

test.each([
  ['expired', { toMs: Date.now() - DAY_MS, fromMs: Date.now() - 2 * DAY_MS }],
  ['not valid yet', { fromMs: Date.now() + DAY_MS, toMs: Date.now() + 2 * DAY_MS }],
])('a registered certificate that is %s: 401', async (_what, period) => {
  const certificate = await testCertificate('beta', period);
  const bank = api.core.registered.find(({ id }) => id === WORLD.beta);
  if (bank) api.core.registered.push({ ...bank, certificates: [certificate.fingerprint] });
  expect(await ask({ certificate })).toMatchObject({ status: 401, code: 'CERTIFICATE_EXPIRED' });
});

test('a certificate expires, and a registration ends, on a socket that stays open', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const certificate = api.certificates.alpha;
  const before = nowMs;
  expect((await ask({ certificate, agent })).status).toBe(200);
  nowMs = before + 2 * DAY_MS;
  expect(await ask({ certificate, agent })).toMatchObject({ status: 401, code: 'CERTIFICATE_EXPIRED' });
  nowMs = before;
  const place = api.core.registered.findIndex(({ id }) => id === WORLD.alpha);
  const removed = api.core.registered.splice(place, 1);
  expect(await ask({ certificate, agent })).toMatchObject({ status: 401, code: 'CERTIFICATE_UNKNOWN' });
  api.core.registered.push(...removed);
  expect(Object.values(agent.freeSockets).flat()).toHaveLength(1);
  agent.destroy();
});

test('TLS 1.2 is refused', async () => {
  await expect(ask({ certificate: api.certificates.alpha, maxVersion: 'TLSv1.2' })).rejects.toMatchObject({
    message: expect.stringMatching(/protocol version/),
  });
});

test('a session is not resumed', async () => {
  const { key, cert } = api.certificates.alpha;
  const open = async (session?: Buffer): Promise<TLSSocket> => {
    const socket = connect({
      host: '127.0.0.1',
      port: api.port,
      key,
      cert,
      rejectUnauthorized: false,
      ...(session && { session }),
    });
    await once(socket, 'secureConnect');
    return socket;
  };
  const first = await open();
  let session = first.getSession();
  first.on('session', (later) => {
    session = later;
  });
  first.write('GET /node/ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  first.resume();
  await once(first, 'close');
  const second = await open(session);
  expect([second.getProtocol(), second.isSessionReused()]).toEqual(['TLSv1.3', false]);
  second.destroy();
});

/** What comes back for bytes that Fastify never sees as a request. */
async function raw(text: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: api.port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  socket.on('error', () => socket.destroy());
  socket.write(text);
  let answer = '';
  for await (const chunk of socket.setEncoding('utf8')) answer += String(chunk);
  return answer;
}

test.each([
  ['not HTTP', 'HELO core\r\n\r\n', 400, 'REQUEST_INVALID'],
  ['headers too large', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(8_000)}\r\n\r\n`, 431, 'HEADERS_TOO_LARGE'],
])('%s: a problem document, and the socket closes', async (_what, text, status, code) => {
  const answer = await raw(text);
  expect(answer).toContain(`HTTP/1.1 ${status} `);
  expect(answer).toContain(`"code":"${code}"`);
});

test('a socket that does not speak TLS is closed by the bound on the handshake', async () => {
  const socket = connectPlain(api.port, '127.0.0.1');
  await once(socket, 'close');
});

test('a socket that asks for nothing, or never ends its headers, is told so and closed', async () => {
  for (const text of ['', 'GET / HTTP/1.1\r\nhost: x\r\n'])
    expect(await raw(text)).toContain('"code":"REQUEST_TIMEOUT"');
});
