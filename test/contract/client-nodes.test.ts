/** The client and several nodes: who is asked, when the next is, and who is never told anything. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { DrawbridgeClient } from '@drawbridge/client/bank-client';
import { ConnectionError } from '@drawbridge/client/problem-error';
import { RelayClient } from '@drawbridge/client/relay-client';
import { QUORUM_A, WORLD } from '@drawbridge/enclave-core/api/testing/fake-core';
import { type TestCertificate, testCertificate } from '@drawbridge/enclave-core/api/testing/test-certificates';
import { PROBLEMS, type ProblemCode, problemDocument } from '@drawbridge/protocol/api/problem';
import type { TransferRequest } from '@drawbridge/protocol/api/transfer';
import { parseAssetCode, parseTransferId } from '@drawbridge/protocol/ids';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';

const PAYMENT: TransferRequest = {
  id: parseTransferId('8a562c67-ca16-48ba-b074-000000000001'),
  asset: parseAssetCode('EUR'),
  amountMinor: '5',
  creditor: WORLD.beta,
};

let service: TestCertificate;
let member: TestCertificate;
let me: TestCertificate;
beforeAll(async () => {
  service = await testCertificate('service', { authority: true });
  member = await testCertificate('node', { issuer: service });
  me = await testCertificate('alpha');
});

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

type Reply = (request: IncomingMessage, response: ServerResponse, body: string) => void;
/** A node of our making that writes down what it is asked. */
class FakeNode {
  readonly asked: string[] = [];
  answer: Reply = say({});
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start({ key, cert }: TestCertificate = member): Promise<FakeNode> {
    const server = createServer({ key, cert, minVersion: 'TLSv1.3' });
    const node = new FakeNode(server);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      text(request).then(
        (body) => {
          node.asked.push(`${request.method} ${request.url} ${body}`);
          node.answer(request, response, body);
        },
        () => response.destroy(),
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ends.push(() => node.stop());
    return node;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo | null)?.port ?? 1}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const say =
  (body: object, status = 200): Reply =>
  (_request, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const refuse =
  (code: ProblemCode, headers: object = {}): Reply =>
  (_request, response) =>
    response
      .writeHead(PROBLEMS[code].status, { 'content-type': 'application/problem+json', ...headers })
      .end(JSON.stringify(problemDocument(code)));

function accessTo(...urls: string[]) {
  return { url: urls, serviceCertificate: service.cert, certificate: me.cert, key: me.key, retryMs: 2 };
}
function bank(urls: readonly string[], changes: object = {}): DrawbridgeClient {
  const client = new DrawbridgeClient({ ...accessTo(...urls), ...changes });
  ends.push(() => client.close());
  return client;
}
const counts = (...nodes: FakeNode[]): number[] => nodes.map(({ asked }) => asked.length);

describe('the next node is asked', () => {
  test('where nobody listens any more, and kept as long as it answers', async () => {
    const [gone, one] = [await FakeNode.start(), await FakeNode.start()];
    const url = gone.url;
    gone.stop();
    const client = bank([url, one.url]);
    for (let n = 0; n < 3; n++) await client.participant();
    expect(counts(gone, one)).toEqual([0, 3]);
  });

  test.each(['NOT_LEADER', 'STOPPING', 'NOT_READY', 'UNCERTAIN', 'RECEIPT_PENDING'] as const)(
    'after %s, at once and with the same request',
    async (code) => {
      const [one, two] = [await FakeNode.start(), await FakeNode.start()];
      one.answer = refuse(code, { 'retry-after': '30' });
      two.answer = say({ id: PAYMENT.id, receipt: { transaction_id: '2.7' } });
      const client = bank([one.url, two.url]);
      const { created, receipt } = await client.submitTransfer(PAYMENT, { receipt: true });
      expect([created, receipt?.transaction_id]).toEqual([false, '2.7']);
      expect(one.asked).toEqual([`POST /v1/transfers?receipt=true ${JSON.stringify(PAYMENT)}`]);
      expect(two.asked).toEqual(one.asked);
      await client.participant();
      expect(counts(one, two)).toEqual([1, 2]);
    },
  );

  test('where one does not answer in time', async () => {
    const [silent, two] = [await FakeNode.start(), await FakeNode.start()];
    silent.answer = () => undefined;
    await bank([silent.url, two.url], { timeoutMs: 100 }).participant();
    expect(counts(silent, two)).toEqual([1, 1]);
  });

  test('by the relay too', async () => {
    const [one, two] = [await FakeNode.start(), await FakeNode.start()];
    one.answer = refuse('NOT_LEADER');
    two.answer = say({ results: [] });
    const relay = new RelayClient(accessTo(one.url, two.url));
    ends.push(() => relay.close());
    await relay.postEvidence(QUORUM_A, [{ jobId: 'j', sealed: 'c2VhbGVk' }]);
    expect(two.asked).toEqual(one.asked);
  });

  test('for the rest of a stream of events', async () => {
    const [one, two] = [await FakeNode.start(), await FakeNode.start()];
    const stream =
      (...numbers: number[]): Reply =>
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(numbers.map((number) => `id: ${number}\ndata: {"number":${number}}\n\n`).join(''));
      };
    one.answer = stream(1, 2);
    two.answer = stream(3, 4);
    const end = new AbortController();
    ends.push(() => end.abort());
    const seen: number[] = [];
    for await (const { number } of bank([one.url, two.url]).followEvents({ signal: end.signal })) {
      seen.push(number);
      if (number === 4) break;
    }
    expect(seen).toEqual([1, 2, 3, 4]);
    expect([one.asked, two.asked]).toEqual([['GET /v1/events?after=0 '], ['GET /v1/events?after=2 ']]);
  });
});

describe('no other is asked', () => {
  test('for what the leader has no room for: that passes', async () => {
    const [one, two] = [await FakeNode.start(), await FakeNode.start()];
    one.answer = refuse('OVERLOADED');
    await expect(bank([one.url, two.url], { attempts: 3 }).participant()).rejects.toMatchObject({ code: 'OVERLOADED' });
    expect(counts(one, two)).toEqual([3, 0]);
  });

  test.each(['NOT_FOUND', 'TRANSFER_ID_CONFLICT', 'CERTIFICATE_UNKNOWN', 'INTERNAL'] as const)(
    'after %s',
    async (code) => {
      const [one, two] = [await FakeNode.start(), await FakeNode.start()];
      one.answer = refuse(code);
      await expect(bank([one.url, two.url]).participant()).rejects.toMatchObject({ code });
      expect(counts(one, two)).toEqual([1, 0]);
    },
  );
});

test('rounds are bounded, and ask every node', async () => {
  const nodes = [await FakeNode.start(), await FakeNode.start(), await FakeNode.start()];
  for (const node of nodes) node.answer = refuse('NOT_LEADER');
  const asking = bank(
    nodes.map(({ url }) => url),
    { attempts: 2 },
  ).participant();
  await expect(asking).rejects.toMatchObject({ code: 'NOT_LEADER', status: 503 });
  expect(counts(...nodes)).toEqual([2, 2, 2]);
});

test('a leader that is back after a round is found', async () => {
  const [one, two] = [await FakeNode.start(), await FakeNode.start()];
  one.answer = refuse('NOT_LEADER');
  two.answer = (request, response, body) => {
    one.answer = say({ id: 'ALPHA' });
    refuse('NOT_LEADER')(request, response, body);
  };
  expect(await bank([one.url, two.url]).participant()).toEqual({ id: 'ALPHA' });
  expect(counts(one, two)).toEqual([2, 1]);
});

test('many requests that fail together go to the next node together', async () => {
  const [one, two, three] = [await FakeNode.start(), await FakeNode.start(), await FakeNode.start()];
  one.answer = refuse('STOPPING');
  const client = bank([one.url, two.url, three.url]);
  await Promise.all(Array.from({ length: 20 }, () => client.participant()));
  expect(counts(two, three)).toEqual([20, 0]);
});

test('without a node there is no client', () => {
  expect(() => new DrawbridgeClient(accessTo())).toThrow(TypeError);
});

describe('who is believed', () => {
  test('a node whose certificate the pinned one signed', async () => {
    const node = await FakeNode.start();
    node.answer = say({ id: 'ALPHA' });
    expect(await bank([node.url]).participant()).toEqual({ id: 'ALPHA' });
  });

  test('an impostor among the nodes is told nothing, and keeps nobody from the others', async () => {
    const [impostor, node] = [await FakeNode.start(await testCertificate('node')), await FakeNode.start()];
    await bank([impostor.url, node.url]).participant();
    expect(counts(impostor, node)).toEqual([0, 1]);
  });

  test('impostors alone are not asked twice', async () => {
    const other = await testCertificate('service', { authority: true });
    const impostor = await FakeNode.start(await testCertificate('node', { issuer: other }));
    const asking = bank([impostor.url, impostor.url], { retryMs: 60_000 }).participant();
    await expect(asking).rejects.toBeInstanceOf(ConnectionError);
    expect(impostor.asked).toEqual([]);
  });

  test('a certificate that a node signed is none of the service', async () => {
    const below = await testCertificate('below', { issuer: member });
    const chained = { ...below, cert: `${below.cert}${member.cert}` };
    const impostor = await FakeNode.start(chained);
    await expect(bank([impostor.url]).participant()).rejects.toBeInstanceOf(ConnectionError);
    expect(impostor.asked).toEqual([]);
  });
});

test('errors in the form of CCF come as problems with their code', async () => {
  const node = await FakeNode.start();
  node.answer = say({ error: { code: 'TransactionInvalid', message: 'never' } }, 404);
  await expect(bank([node.url]).transactionReceipt('2.1')).rejects.toMatchObject({
    status: 404,
    code: 'TransactionInvalid',
  });
});
