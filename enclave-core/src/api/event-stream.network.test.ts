import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { connect } from 'node:tls';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { EUR, QUORUM_A, testWord, WORLD } from './testing/fake-core.ts';
import { type TlsApi, tlsApi } from './testing/tls-api.ts';

const DEADLINE_MS = 5_000;
let api: TlsApi<'alpha' | 'auditor'>;
beforeAll(async () => {
  api = await tlsApi(['alpha', 'auditor'], {
    limits: { streamsPerParticipant: 2, streamHeartbeatMs: 40, streamDrainTimeoutMs: 100, streamPageEvents: 100 },
  });
});
beforeEach(() => api.core.reset());
afterAll(() => api.app.close());

type Stream = Readonly<{
  status: number;
  response: IncomingMessage;
  sent: ClientRequest;
  /** Waits until the text received so far satisfies `done`. */
  until: (done: (text: string) => boolean) => Promise<string>;
}>;

async function open(
  who: 'alpha' | 'auditor',
  { query = '', headers = {} }: { query?: string; headers?: Record<string, string> } = {},
): Promise<Stream> {
  const { key, cert } = api.certificates[who];
  const sent = request({
    host: '127.0.0.1',
    port: api.port,
    path: `/v1/events${query}`,
    headers: { accept: 'text/event-stream', ...headers },
    rejectUnauthorized: false,
    agent: false,
    key,
    cert,
  });
  sent.on('error', () => sent.destroy());
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  const until: Stream['until'] = async (done) => {
    response.setEncoding('utf8');
    const signal = AbortSignal.timeout(DEADLINE_MS);
    while (!done(text)) {
      const [chunk] = (await once(response, 'data', { signal })) as [string];
      text += chunk;
    }
    return text;
  };
  return { status: response.statusCode ?? 0, response, sent, until };
}

const announce = (participant: typeof WORLD.alpha, lockId: Bytes32 = testWord('lock')): void =>
  api.core.announce(participant, { type: 'lock', network: QUORUM_A, asset: EUR, lockId, state: 'UNMATCHED' });
const numbers = (text: string): number[] => Array.from(text.matchAll(/^id: (\d+)$/gm), ([, id]) => Number(id));

/** Polls, because the server learns of a closed socket a little later. */
async function eventually(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('did not come to hold');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('what is there comes at once, what happens comes as it does, in the form of the standard', async () => {
  announce(WORLD.alpha);
  const stream = await open('alpha');
  expect([stream.status, stream.response.headers['content-type']]).toEqual([200, 'text/event-stream']);
  expect(await stream.until((text) => numbers(text).length === 1)).toBe(
    `id: 1\nevent: lock\ndata: {"number":1,"at":"2030-03-17T17:46:40.000Z","type":"lock","lock":{"network":"quorum-a",` +
      `"asset":"EUR","lockId":"${testWord('lock')}","state":"UNMATCHED"}}\n\n`,
  );
  announce(WORLD.alpha);
  announce(WORLD.beta);
  announce(WORLD.alpha);
  expect(numbers(await stream.until((text) => numbers(text).length === 3))).toEqual([1, 2, 3]);
  stream.sent.destroy();
  await eventually(() => api.core.listening() === 0);
});

test('it resumes after Last-Event-ID, which goes before `after`', async () => {
  for (let n = 0; n < 250; n++) announce(WORLD.alpha);
  const stream = await open('alpha', { query: '?after=3', headers: { 'last-event-id': '248' } });
  expect(numbers(await stream.until((text) => numbers(text).length === 2))).toEqual([249, 250]);
  const other = await open('alpha', { query: '?after=120' });
  const got = numbers(await other.until((text) => numbers(text).length === 130));
  expect([got[0], got.at(-1)]).toEqual([121, 250]);
  stream.sent.destroy();
  other.sent.destroy();
  await eventually(() => api.core.listening() === 0);
});

test('a quiet stream beats; a stream whose registration ends is closed at a beat', async () => {
  const stream = await open('alpha');
  await stream.until((text) => text.includes(': heartbeat\n\n'));
  const place = api.core.registered.findIndex(({ id }) => id === WORLD.alpha);
  const removed = api.core.registered.splice(place, 1);
  stream.response.resume();
  await once(stream.response, 'end');
  api.core.registered.push(...removed);
});

test('it begins with all that was committed, and says up to where', async () => {
  api.core.onBarrier = () => announce(WORLD.alpha);
  const stream = await open('alpha');
  expect(stream.response.headers['x-ms-ccf-transaction-id']).toBe(api.core.committed());
  expect(numbers(await stream.until((text) => numbers(text).length === 1))).toEqual([1]);
  stream.sent.destroy();
  await eventually(() => api.core.listening() === 0);
});

test('a node that is cut off opens no stream, and closes those that it has at a beat', async () => {
  const stream = await open('alpha');
  await stream.until((text) => text.includes(': heartbeat\n\n'));
  // It may end while the other one is being refused.
  const ended = once(stream.response, 'end');
  stream.response.resume();
  api.core.cutOff = 'NOT_LEADER';
  expect((await open('alpha')).status).toBe(503);
  await ended;
  await eventually(() => api.core.listening() === 0);
});

test('an auditor reads a supervised bank, until it no longer supervises', async () => {
  expect((await open('auditor')).status).toBe(400);
  expect((await open('auditor', { query: '?participant=BETA' })).status).toBe(404);
  announce(WORLD.alpha);
  const stream = await open('auditor', { query: '?participant=ALPHA' });
  expect(numbers(await stream.until((text) => numbers(text).length === 1))).toEqual([1]);
  const place = api.core.registered.findIndex(({ id }) => id === WORLD.auditor);
  const before = api.core.registered[place];
  if (before) api.core.registered[place] = { ...before, supervises: [WORLD.beta] };
  announce(WORLD.alpha);
  let rest = '';
  for await (const chunk of stream.response) rest += String(chunk);
  expect(numbers(rest)).toEqual([]);
  if (before) api.core.registered[place] = before;
});

test('a participant has so many streams and no more', async () => {
  const [one, two, three] = [await open('alpha'), await open('alpha'), await open('alpha')];
  expect([one.status, two.status, three.status]).toEqual([200, 200, 429]);
  one.sent.destroy();
  await eventually(() => api.core.listening() === 1);
  const four = await open('alpha');
  expect(four.status).toBe(200);
  for (const { sent } of [two, four]) sent.destroy();
  await eventually(() => api.core.listening() === 0);
});

test('a stream that is asked for behind another on one socket ends with the socket', async () => {
  const { key, cert } = api.certificates.alpha;
  const socket = connect({ host: '127.0.0.1', port: api.port, rejectUnauthorized: false, key, cert });
  await once(socket, 'secureConnect');
  const ask = 'GET /v1/events HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n';
  socket.write(ask + ask);
  await once(socket, 'data');
  socket.destroy();
  await eventually(() => api.core.listening() === 0);
});

test('a reader that does not read is closed and resumes without a gap', async () => {
  for (let n = 0; n < 60_000; n++) announce(WORLD.alpha);
  const slow = await open('alpha');
  slow.response.pause();
  await eventually(() => api.core.listening() === 0);
  let text = '';
  try {
    for await (const chunk of slow.response.setEncoding('utf8')) text += String(chunk);
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('ECONNRESET');
  }
  const whole = text.slice(0, text.lastIndexOf('\n\n'));
  const last = numbers(whole).at(-1) ?? 0;
  expect(last).toBeGreaterThan(0);
  expect(last).toBeLessThan(60_000);
  const resumed = await open('alpha', { headers: { 'last-event-id': String(last) } });
  expect(numbers(await resumed.until((more) => numbers(more).length > 0))[0]).toBe(last + 1);
  resumed.sent.destroy();
  await eventually(() => api.core.listening() === 0);
});

test('closing the server ends its streams', async () => {
  const stream = await open('alpha');
  stream.response.resume();
  await Promise.all([once(stream.response, 'end'), api.app.close()]);
  expect(api.log).toEqual([]);
});
