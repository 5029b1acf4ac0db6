import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { computeAddress, decodeRlp, recoverAddress, Signature, SigningKey, Transaction } from 'ethers';
import { signPrivate, storePayload } from './private-payload.ts';

const key = new SigningKey(`0x${'07'.repeat(32)}`);
const payloadKey = `0x${'c4'.repeat(64)}`;
let server: Server;
let reply: { status: number; body: string };
let received: { url: string | undefined; body: unknown };

beforeEach(async () => {
  reply = { status: 200, body: JSON.stringify({ key: Buffer.alloc(64, 0xc4).toString('base64') }) };
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received = { url: request.url, body: JSON.parse(Buffer.concat(chunks).toString()) };
      // A redirect leads to a good answer.
      if (reply.status === 307 && request.url === '/storeraw')
        response.writeHead(307, { location: '/elsewhere' }).end();
      else response.writeHead(reply.status === 307 ? 200 : reply.status).end(reply.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const manager = () => ({
  url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  timeoutMs: 2_000,
  answerBytes: 1_000,
});

test('the payload goes to storeraw in base64; its key comes back as hex', async () => {
  expect(await storePayload(manager(), '0x0102', { privateFor: ['x'], privateFrom: 'me' })).toBe(payloadKey);
  expect(received).toEqual({ url: '/storeraw', body: { payload: 'AQI=', from: 'me' } });
});

test('a redirect of the manager is not followed with the payload', async () => {
  reply = { ...reply, status: 307 };
  await expect(storePayload(manager(), '0x01', { privateFor: [] })).rejects.toMatchObject({
    code: 'TRANSACTION_MANAGER_UNAVAILABLE',
  });
  expect(received.url).toBe('/storeraw');
});

test.each([
  ['an error', 500, ''],
  ['no JSON', 200, '<html>'],
  ['a key of another length', 200, JSON.stringify({ key: 'AQI=' })],
  ['no key', 200, '{}'],
  ['an endless answer', 200, 'x'.repeat(5_000)],
])('%s of the manager is no key', async (_what, status, body) => {
  reply = { status, body };
  await expect(storePayload(manager(), '0x01', { privateFor: [] })).rejects.toMatchObject({
    code: 'TRANSACTION_MANAGER_UNAVAILABLE',
  });
});

test('the transaction is legacy without EIP-155 over the key, with v 37 or 38, and recovers to its sender', () => {
  for (let nonce = 0; nonce < 8; nonce += 1) {
    const parts = { nonce, to: `0x${'22'.repeat(20)}`, gasLimit: 90_000n, gasPriceWei: 0n };
    const raw = signPrivate(payloadKey, parts, (digest) => Signature.from(key.sign(digest)));
    const list = decodeRlp(raw) as string[];
    expect(list).toHaveLength(9);
    const [, , , to, value, data, v = '0x', r = '', s = ''] = list;
    expect([to, value, data]).toEqual([parts.to, '0x', payloadKey]);
    expect([37, 38]).toContain(Number(v));
    const unsigned = Transaction.from({
      type: 0,
      chainId: 0,
      nonce,
      to: parts.to,
      gasLimit: 90_000n,
      gasPrice: 0n,
      data: payloadKey,
    });
    const pad = (hex: string): string => `0x${hex.slice(2).padStart(64, '0')}`;
    const signature = Signature.from({ r: pad(r), s: pad(s), v: Number(v) - 10 });
    expect(recoverAddress(unsigned.unsignedHash, signature)).toBe(computeAddress(key));
  }
});
