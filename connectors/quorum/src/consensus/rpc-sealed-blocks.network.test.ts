import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RpcNode } from '../rpc-node.ts';
import { RecordedNode, type RpcFields, recordedBlock } from '../testing/recorded-blocks.ts';
import { type RecordedRpcServer, serveRecorded } from '../testing/recorded-rpc-server.ts';
import { type FalseAnswer, type RpcProxy, startRpcProxy } from '../testing/rpc-proxy.ts';
import { RpcSealedBlocks } from './rpc-sealed-blocks.ts';

const MAX_ANSWER_BYTES = 200_000;
const recorded = recordedBlock('qbft-multi');
const number = Number(recorded.block.number);
const otherChain = recordedBlock('qbft-private-stub-ptm');

let recordedNode: RecordedNode;
let server: RecordedRpcServer;
let proxy: RpcProxy;
let node: RpcNode;
let blocks: RpcSealedBlocks;

beforeEach(async () => {
  recordedNode = new RecordedNode([recorded]);
  server = await serveRecorded(recordedNode);
  proxy = await startRpcProxy(server.url);
  node = new RpcNode({ url: proxy.url, chainId: 1337, timeoutMs: 1_500, maxAnswerBytes: MAX_ANSWER_BYTES });
  blocks = new RpcSealedBlocks({ rule: 'qbft' }, { rpc: node });
});
afterEach(async () => {
  node.close();
  await proxy.stop();
  await server.stop();
});

type Answer = Readonly<{ id: number; result?: unknown }>;
type Rewrite = (result: unknown) => unknown;

/** The node's answers to one method, with other results. */
function rewrite(method: string, change: Rewrite): void {
  proxy.tamper((request, text) => {
    const calls = [JSON.parse(request)].flat() as { id: number; method: string }[];
    const ids = new Set(calls.filter((call) => call.method === method).map(({ id }) => id));
    const one = (answer: Answer): Answer =>
      ids.has(answer.id) ? { ...answer, result: change(answer.result) } : answer;
    const answers = JSON.parse(text) as Answer | Answer[];
    return { text: JSON.stringify(Array.isArray(answers) ? answers.map(one) : one(answers)) };
  });
}

/** A block with its receipts, as a proof needs them. */
async function readAll(): Promise<number> {
  const block = await blocks.sealedBlock(number);
  return block ? (await blocks.blockReceipts(block)).length : 0;
}
const unavailable = { code: 'LEDGER_UNAVAILABLE' };

const error = (code: number, message: string) => (request: string) => {
  const answer = ({ id }: { id: number }) => ({ jsonrpc: '2.0', id, error: { code, message } });
  const calls = JSON.parse(request) as { id: number } | { id: number }[];
  return { text: JSON.stringify(Array.isArray(calls) ? calls.map(answer) : answer(calls)) };
};

describe('a node that gives no answer', () => {
  test.each<[string, (request: string, text: string) => FalseAnswer]>([
    ['an error', error(-32_000, 'computer says no')],
    ['its rate limit', error(-32_005, 'daily request count exceeded')],
    ['its rate limit over HTTP', () => ({ status: 429, headers: { 'retry-after': '3600000' }, text: 'slow down' })],
    ['an error of HTTP', () => ({ status: 502, text: 'bad gateway' })],
    ['a page', () => ({ text: '<html>welcome</html>' })],
    ['nothing', () => ({ text: '' })],
    ['null', () => ({ text: 'null' })],
    ['a list with null', () => ({ text: '[null]' })],
    ['answers to others', () => ({ text: '[{"jsonrpc":"2.0","id":987654,"result":"0x1"}]' })],
    ['half of its JSON', (_request, text) => ({ text: text.slice(0, text.length / 2) })],
    ['half of its answer', (_request, text) => ({ text: text.slice(0, text.length / 2), broken: true })],
    ['more than is allowed', () => ({ text: `"${' '.repeat(MAX_ANSWER_BYTES)}"` })],
    ['more and more', () => ({ text: ' '.repeat(65_536), endless: true })],
    ['another place to ask', () => ({ status: 307, headers: { location: 'http://127.0.0.1:1' }, text: '' })],
  ])('but %s: it is asked again', async (_what, answer) => {
    proxy.tamper(answer);
    await expect(readAll()).rejects.toMatchObject(unavailable);
    proxy.tamper(undefined);
    expect(await readAll()).toBe(12);
  });
});

describe('a node that answers something else', () => {
  const receipts = (change: (all: RpcFields[]) => unknown): [string, Rewrite] => [
    'eth_getBlockReceipts',
    (result) => change(result as RpcFields[]),
  ];
  const block = (change: RpcFields): [string, Rewrite] => [
    'eth_getBlockByNumber',
    (result) => ({ ...(result as RpcFields), ...change }),
  ];
  test.each<[string, [string, Rewrite]]>([
    ['another block', block({ number: '0x1' })],
    ['a block without its hash', block({ hash: null })],
    ['a block without a field of its header', block({ stateRoot: undefined })],
    ['a block with another state than it is sealed with', block({ stateRoot: `0x${'44'.repeat(32)}` })],
    ['a block with other receipts than it is sealed with', block({ receiptsRoot: `0x${'55'.repeat(32)}` })],
    ['a block in words', ['eth_getBlockByNumber', () => 'block']],
    ['transactions in full', block({ transactions: [{ hash: `0x${'11'.repeat(32)}` }] })],
    ['no receipts', receipts(() => null)],
    ['no list of receipts', receipts(() => ({}))],
    ['fewer receipts', receipts((all) => all.slice(1))],
    ['more receipts', receipts((all) => [...all, ...all])],
    ['null among the receipts', receipts((all) => [null, ...all.slice(1)])],
    ['receipts in another order', receipts((all) => [...all].reverse())],
    ['receipts of another chain', receipts((all) => all.map(() => otherChain.receipts[0]))],
    ['receipts of another block', receipts((all) => all.map((one) => ({ ...one, blockHash: `0x${'22'.repeat(32)}` })))],
    [
      'receipts of other transactions',
      receipts((all) => all.map((one) => ({ ...one, transactionHash: `0x${'33'.repeat(32)}` }))),
    ],
    ['receipts without status', receipts((all) => all.map((one) => ({ ...one, status: undefined })))],
    ['receipts without logs', receipts((all) => all.map((one) => ({ ...one, logs: null })))],
    ['a log without topics', receipts((all) => all.map((one) => ({ ...one, logs: [{ address: one.to }] })))],
    ['a receipt of an impossible type', receipts((all) => all.map((one) => ({ ...one, type: '0x80' })))],
  ])('%s: it is no answer', async (_what, [method, change]) => {
    rewrite(method, change);
    await expect(readAll()).rejects.toMatchObject(unavailable);
    proxy.tamper(undefined);
    expect(await readAll()).toBe(12);
  });

  test('a receipt that is gone, where each is asked for', async () => {
    recordedNode.hasBlockReceipts = false;
    rewrite('eth_getTransactionReceipt', () => null);
    await expect(readAll()).rejects.toMatchObject(unavailable);
    proxy.tamper(undefined);
    expect(await readAll()).toBe(12);
  });

  test('transactions of another block, where private ones are looked for', async () => {
    const sealed = await blocks.sealedBlock(number);
    if (!sealed) throw new RangeError('it was recorded');
    recordedNode.transactions = [{ v: '0x25' }];
    await expect(blocks.privateTransactions(sealed)).rejects.toMatchObject(unavailable);
    recordedNode.transactions = recorded.receipts.map(() => ({ v: '0x25' }));
    expect((await blocks.privateTransactions(sealed)).size).toBe(12);
    rewrite('eth_getBlockByNumber', (result) => ({ ...(result as RpcFields), hash: otherChain.block.hash }));
    await expect(blocks.privateTransactions(sealed)).rejects.toMatchObject(unavailable);
  });
});

test('a block that is not there yet is none', async () => {
  expect(await blocks.sealedBlock(number + 1)).toBeUndefined();
});

test('a node that is busy is not taken for one without the method', async () => {
  proxy.tamper((request, text) =>
    request.includes('eth_getBlockReceipts') ? error(-32_005, 'limit exceeded')(request) : { text },
  );
  await expect(readAll()).rejects.toMatchObject(unavailable);
  proxy.tamper(undefined);
  await readAll();
  expect(recordedNode.calls.filter((method) => method === 'eth_getTransactionReceipt')).toEqual([]);
});
