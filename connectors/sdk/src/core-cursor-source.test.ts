import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { parseAssetCode, parseNetworkId } from '@drawbridge/protocol/ids';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { CoreCursorSource } from './core-cursor-source.ts';
import { pinnedHttps } from './pinned-https.ts';

type Identity = { key: string; cert: string };
const network = parseNetworkId('alpha');
const SIGNING = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

async function identity(name: string): Promise<Identity> {
  const keys = await webcrypto.subtle.generateKey(SIGNING, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: SIGNING,
    notAfter: new Date(Date.now() + 3_600_000),
    extensions: [new SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
    cert: certificate.toString('pem'),
  };
}

let service: Identity;
let connector: Identity;
let stranger: Identity;
let server: Server;
let answer: { status: number; body: string; headers?: Record<string, string> };
let asked: string[];

beforeAll(async () => {
  [service, connector, stranger] = (await Promise.all(['service', 'connector', 'stranger'].map(identity))) as [
    Identity,
    Identity,
    Identity,
  ];
});
beforeEach(async () => {
  asked = [];
  server = createServer(
    { ...service, ca: connector.cert, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' },
    (request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(answer.body);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function source(overrides: { client?: Identity; pinned?: string } = {}): CoreCursorSource {
  const { port } = server.address() as AddressInfo;
  const options = { baseUrl: `https://127.0.0.1:${port}`, timeoutMs: 5_000, maxAnswerBytes: 10_000, maxSockets: 2 };
  return new CoreCursorSource(pinnedHttps({ ...options, client: connector, pinned: service.cert, ...overrides }));
}
const cursor = {
  network: 'alpha',
  vaults: [{ asset: 'EUR', address: `0x${'AB'.repeat(20)}`, nextEventSeq: 4, fromBlock: 9 }],
};

test('reads the cursor, addresses in lower case', async () => {
  answer = { status: 200, body: JSON.stringify(cursor) };
  expect(await source().cursor(network)).toEqual({
    network: 'alpha',
    vaults: [{ asset: 'EUR', address: `0x${'ab'.repeat(20)}`, nextEventSeq: 4, fromBlock: 9 }],
  });
  expect(asked).toEqual(['/v1/relay/cursor?network=alpha']);
});

describe('the book of a vault', () => {
  const word = (byte: string) => `0x${byte.repeat(32)}`;
  const ref = (byte: string) => `${word(byte)}00000000`;
  const vaultState = ref('01');
  const page = { network: 'alpha', asset: 'EUR', vault: word('aa'), proven: true, vaultState, permits: [ref('02')] };
  const answering = (pages: Readonly<Record<string, object>>) => {
    answer = { status: 200, body: '' };
    Object.defineProperty(answer, 'body', {
      get: () => JSON.stringify(pages[new URL(asked.at(-1) ?? '', 'https://core').searchParams.get('after') ?? '']),
    });
  };
  const asset = parseAssetCode('EUR');

  test('is read page by page', async () => {
    const coins = ['03', '04'].map((byte) => ({ ref: ref(byte), kind: 'coin' }));
    answering({
      '': { ...page, states: [coins[0]], next: ref('03') },
      [ref('03')]: { ...page, states: [coins[1]] },
    });
    const { vault, proven, permits } = page;
    expect(await source().book(network, asset)).toEqual({ vault, proven, vaultState, permits, states: coins });
    expect(asked).toEqual([
      '/v1/relay/states?network=alpha&asset=EUR',
      `/v1/relay/states?network=alpha&asset=EUR&after=${ref('03')}`,
    ]);
  });

  test('with pages that go round is no answer', async () => {
    answering({ '': { ...page, states: [], next: ref('03') }, [ref('03')]: { ...page, states: [], next: ref('03') } });
    await expect(source().book(network, asset)).rejects.toMatchObject({ code: 'CORE_ANSWER_INVALID' });
    expect(asked).toHaveLength(2);
  });

  test.each([{ network: 'beta' }, { asset: 'USD' }])('of another vault is no answer: %o', async (other) => {
    answering({ '': { ...page, states: [], ...other } });
    await expect(source().book(network, asset)).rejects.toMatchObject({ code: 'CORE_ANSWER_INVALID' });
  });
});

test("reads the core's head, where the network has one", async () => {
  const head = { number: 12, hash: `0x${'cd'.repeat(32)}` };
  answer = { status: 200, body: JSON.stringify({ ...cursor, head }) };
  expect(await source().cursor(network)).toMatchObject({ head });
  answer = { status: 200, body: JSON.stringify({ ...cursor, head: { number: 12, hash: '0x00' } }) };
  await expect(source().cursor(network)).rejects.toMatchObject({ code: 'CORE_ANSWER_INVALID' });
});

test('reads the sealing key of the suite that it knows, and no other', async () => {
  answer = { status: 200, body: JSON.stringify({ suite: 'RSA-OAEP-256+A256GCM', publicKey: 'PEM' }) };
  expect(await source().sealingKey()).toBe('PEM');
  answer = { status: 200, body: JSON.stringify({ suite: 'RSA1_5', publicKey: 'PEM' }) };
  await expect(source().sealingKey()).rejects.toMatchObject({ code: 'CORE_ANSWER_INVALID' });
});

describe('trust', () => {
  beforeEach(() => {
    answer = { status: 200, body: JSON.stringify(cursor) };
  });

  test('another certificate than the pinned one is not talked to', async () => {
    await expect(source({ pinned: stranger.cert }).cursor(network)).rejects.toMatchObject({ code: 'CORE_UNREACHABLE' });
    expect(asked).toEqual([]);
  });

  test('the core sees our certificate', async () => {
    await expect(source({ client: stranger }).cursor(network)).rejects.toMatchObject({ code: 'CORE_UNREACHABLE' });
    expect(asked).toEqual([]);
  });

  test('a redirect is not followed', async () => {
    answer = { status: 307, body: '', headers: { location: 'https://127.0.0.1:1/elsewhere' } };
    await expect(source().cursor(network)).rejects.toMatchObject({ code: 'CORE_REFUSED' });
  });
});

test.each([
  ['a problem', 404, JSON.stringify({ code: 'NETWORK_UNKNOWN' }), 'CORE_REFUSED', /404 NETWORK_UNKNOWN/],
  ['another form', 200, JSON.stringify({ vaults: 'none' }), 'CORE_ANSWER_INVALID', /form/],
  ['no JSON', 200, '<html>', 'CORE_ANSWER_INVALID', /form/],
  ['another network', 200, JSON.stringify({ ...cursor, network: 'beta' }), 'CORE_ANSWER_INVALID', /another network/],
  ['too much', 200, ' '.repeat(20_000), 'CORE_UNREACHABLE', /did not answer/],
])('%s is an error with a code', async (_what, status, body, code, words) => {
  answer = { status, body };
  const asking = source().cursor(network);
  await expect(asking).rejects.toMatchObject({ code });
  await expect(asking).rejects.toThrow(words);
});

describe('a core of several nodes', () => {
  const ELSEWHERE = 'https://127.0.0.1:1';
  const several = (...urls: string[]): CoreCursorSource =>
    new CoreCursorSource(
      urls.map((baseUrl) =>
        pinnedHttps({
          baseUrl,
          timeoutMs: 5_000,
          maxAnswerBytes: 10_000,
          maxSockets: 2,
          client: connector,
          pinned: service.cert,
        }),
      ),
    );
  const here = (): string => `https://127.0.0.1:${(server.address() as AddressInfo).port}`;

  test('the next is asked where one does not answer, and kept', async () => {
    answer = { status: 200, body: JSON.stringify(cursor) };
    const core = several(ELSEWHERE, here());
    await core.cursor(network);
    await core.cursor(network);
    expect(asked).toHaveLength(2);
  });

  test('a node without a leader sends to the next, one that refuses does not', async () => {
    answer = { status: 503, body: JSON.stringify({ code: 'NOT_LEADER' }) };
    await expect(several(here(), here()).cursor(network)).rejects.toThrow(/503 NOT_LEADER/);
    expect(asked).toHaveLength(2);
    answer = { status: 404, body: JSON.stringify({ code: 'NOT_FOUND' }) };
    await expect(several(here(), ELSEWHERE).cursor(network)).rejects.toThrow(/404 NOT_FOUND/);
    expect(asked).toHaveLength(3);
  });

  test('where none answers it is unreachable', async () => {
    await expect(several(ELSEWHERE, ELSEWHERE).cursor(network)).rejects.toMatchObject({ code: 'CORE_UNREACHABLE' });
    expect(() => several()).toThrow(TypeError);
  });
});
