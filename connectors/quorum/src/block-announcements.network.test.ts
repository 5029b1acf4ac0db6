/** Announcements of a node over a real WebSocket: a stand-in for what a node may do wrong, anvil for what one does. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type AnvilChain, startAnvil } from '@drawbridge/devnets/anvil';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type WebSocket, WebSocketServer } from 'ws';
import { BlockAnnouncements, type BlockAnnouncementsOptions } from './block-announcements.ts';

const NEVER_MS = 3_600_000;
const OFTEN_MS = 20;

let server: WebSocketServer;
let announcements: BlockAnnouncements | undefined;
/** Sockets of the connections that were made, in order. */
let sockets: WebSocket[];
let warnings: unknown[];
/** What the stand-in answers to a subscription. */
let answer: unknown;

async function listen(port = 0): Promise<WebSocketServer> {
  const made = new WebSocketServer({ host: '127.0.0.1', port });
  made.on('connection', (socket) => {
    sockets.push(socket);
    socket.on('message', (data) => {
      const { id, method, params } = JSON.parse(String(data));
      expect([method, params]).toEqual(['eth_subscribe', ['newHeads']]);
      if (answer !== undefined) socket.send(JSON.stringify({ jsonrpc: '2.0', id, ...(answer as object) }));
    });
  });
  await once(made, 'listening');
  return made;
}
const portOf = (of: WebSocketServer): number => (of.address() as AddressInfo).port;

beforeEach(async () => {
  sockets = [];
  warnings = [];
  answer = { result: '0xabc' };
  server = await listen();
});
afterEach(async () => {
  announcements?.stop();
  announcements = undefined;
  await close(server);
});

async function close(which: WebSocketServer): Promise<void> {
  for (const client of which.clients) client.terminate();
  await new Promise<void>((resolve) => which.close(() => resolve()));
}

/** Counts what listeners are told. */
function start(changes: Partial<BlockAnnouncementsOptions> = {}) {
  const made = new BlockAnnouncements(
    {
      url: `ws://127.0.0.1:${portOf(server)}`,
      answerMs: NEVER_MS,
      firstPauseMs: OFTEN_MS,
      longestPauseMs: OFTEN_MS,
      silenceMs: NEVER_MS,
      gapMs: 1,
      maxMessageBytes: 10_000,
      ...changes,
    },
    {
      log: { info: () => undefined, warn: (entry: unknown) => void warnings.push(entry) } as never,
      now: () => performance.now(),
    },
  );
  announcements = made;
  const heard = { times: 0 };
  made.onBlock(() => {
    heard.times += 1;
  });
  made.start();
  return { made, heard };
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const announce = (subscription = '0xabc'): void =>
  sockets.at(-1)?.send(
    JSON.stringify({
      jsonrpc: '2.0',
      method: 'eth_subscription',
      params: { subscription, result: { number: '0x1' } },
    }),
  );

describe('announcements', () => {
  test('are passed on, the first when they begin to come', async () => {
    const { made, heard } = start();
    expect(made.up).toBe(false);
    await until('the first', () => heard.times === 1);
    expect(made.up).toBe(true);
    announce();
    await until('the second', () => heard.times === 2);
  });

  test('are passed on once in a gap, the last of them at its end', async () => {
    const { heard } = start({ gapMs: 200 });
    await until('the first', () => heard.times === 1);
    for (let n = 0; n < 50; n += 1) announce();
    await until('the second', () => heard.times === 2);
    announce();
    await until('the third', () => heard.times === 3);
  });

  test('of another subscription, and what is no announcement, are none', async () => {
    const { heard } = start();
    await until('the first', () => heard.times === 1);
    for (const text of ['nonsense', 'null', '[]', '{"method":"eth_subscription"}', '{"id":1,"result":"0xdef"}'])
      sockets.at(-1)?.send(text);
    announce('0xdef');
    announce();
    await until('the second', () => heard.times === 2);
    expect(heard.times).toBe(2);
  });
});

describe('the connection is made anew', () => {
  test('when it breaks, also while the node is away; then what came meanwhile is looked for', async () => {
    const { made, heard } = start();
    await until('the first', () => heard.times === 1);
    const port = portOf(server);
    await close(server);
    await until('it is down', () => !made.up);
    server = await listen(port);
    await until('it is up again', () => made.up && heard.times === 2);
    expect(warnings).toHaveLength(1);
  });

  test('when the node refuses the subscription', async () => {
    answer = { error: { code: -32_601, message: 'notifications not supported' } };
    const { made } = start();
    await until('the third attempt', () => sockets.length >= 3);
    expect(made.up).toBe(false);
    expect(warnings).toEqual([{ code: 'SUBSCRIPTION_REFUSED' }]);
    answer = { result: '0xabc' };
    await until('it is up', () => made.up);
  });

  test('when the node does not answer', async () => {
    answer = undefined;
    start({ answerMs: OFTEN_MS });
    await until('the second attempt', () => sockets.length >= 2);
    expect(warnings).toEqual([{ code: 'NO_ANSWER' }]);
  });

  test('when the node is silent and gives no sign of life', async () => {
    const { made } = start({ silenceMs: 500 });
    await until('it is up', () => made.up);
    const [first] = sockets;
    let asked = 0;
    first?.on('ping', () => {
      asked += 1;
    });
    await until('signs of life', () => asked >= 2);
    expect(sockets).toHaveLength(1);
    first?.pause();
    await until('another connection', () => sockets.length === 2);
    expect(warnings).toEqual([{ code: 'SILENT' }]);
  });

  test('when a message is longer than allowed', async () => {
    const { made } = start({ maxMessageBytes: 1_000 });
    await until('it is up', () => made.up);
    sockets.at(-1)?.send('x'.repeat(1_001));
    await until('another connection', () => sockets.length === 2);
  });
});

test('after the end nobody is told anything, and nothing is connected', async () => {
  const { made, heard } = start();
  await until('the first', () => heard.times === 1);
  made.stop();
  expect(made.up).toBe(false);
  await until('the socket is closed', () => server.clients.size === 0);
  expect([heard.times, sockets.length]).toEqual([1, 1]);
});

describe('on anvil', () => {
  let chain: AnvilChain;
  beforeEach(async () => {
    chain = await startAnvil({ chainId: 31_421, mining: 'manual' });
  });
  afterEach(() => chain.stop());

  test('each block is announced', async () => {
    const { heard } = start({ url: chain.wsUrl });
    await until('the first', () => heard.times === 1);
    await chain.mine();
    await until('the second', () => heard.times === 2);
    await chain.restart();
    await until('it is announced again', () => heard.times === 3);
    await chain.mine();
    await until('the fourth', () => heard.times === 4);
  });
});
