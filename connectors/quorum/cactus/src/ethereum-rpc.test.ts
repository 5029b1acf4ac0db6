import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { EthersRpc } from './ethereum-rpc.ts';

type Call = Readonly<{ id: number; method: string }>;
let server: Server;
let reply: (response: ServerResponse, call: Call) => void;
let asked: number;
let rpc: EthersRpc;

beforeEach(async () => {
  asked = 0;
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked += 1;
      reply(response, JSON.parse(Buffer.concat(chunks).toString()) as Call);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  rpc = new EthersRpc({ url, chainId: 1, timeoutMs: 300, answerBytes: 2_000 });
});
afterEach(() => {
  rpc.close();
  server.closeAllConnections();
  server.close();
});

const result = (response: ServerResponse, { id }: Call, value: unknown): void => {
  response.end(JSON.stringify({ jsonrpc: '2.0', id, result: value }));
};
const error = (response: ServerResponse, { id }: Call, code: number, message: string, data?: unknown): void => {
  response.end(JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, data } }));
};

test('a result, null too', async () => {
  reply = (response, call) => result(response, call, call.method === 'a' ? '0x1' : null);
  expect(await rpc.ask('a')).toBe('0x1');
  expect(await rpc.ask('b')).toBeNull();
});

test.each<readonly [string, typeof reply]>([
  ['answers 500', (response) => response.writeHead(500).end('oops')],
  ['limits the rate', (response) => response.writeHead(429).end('slow down')],
  ['answers a page', (response) => response.end('<html>')],
  ['breaks off', (response, { id }) => response.end(`{"jsonrpc":"2.0","id":${id},"resu`)],
  ['closes', (response) => response.destroy()],
  ['never answers', () => undefined],
  ['sends us elsewhere', (response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end()],
  ['answers too much', (response, call) => result(response, call, 'x'.repeat(3_000))],
])('a node that %s did not answer', async (_what, how) => {
  reply = how;
  await expect(rpc.ask('a')).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE', status: 503 });
  expect(asked).toBe(1);
});

test('what the node refuses is told in short; a revert with its data', async () => {
  reply = (response, call) => error(response, call, -32_000, `no ${'x'.repeat(1_000)}`);
  const refused: unknown = await rpc.ask('a').catch((caught: unknown) => caught);
  expect(refused).toMatchObject({ code: 'NODE_REFUSED', details: { nodeCode: '-32000' } });
  expect((refused as Error).message.length).toBeLessThan(400);
  reply = (response, call) => error(response, call, 3, 'execution reverted', '0x08c379a0');
  await expect(rpc.ask('a')).rejects.toMatchObject({ code: 'REVERTED', details: { data: '0x08c379a0' } });
});
