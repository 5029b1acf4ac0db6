import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { EvmNode } from './evm-node.ts';
import { jsonRpcNode } from './json-rpc-node.ts';
import { SIGHT, VAULT_LOG, wordOf } from './testing/fake-node.ts';

type Call = { id: number; method: string; params: unknown[] };

const RPC_LOG = {
  ...VAULT_LOG,
  blockNumber: '0x64',
  logIndex: '0x1',
  address: '0x5A5a5A5a5A5a5a5a5a5a5A5A5a5a5A5A5a5A5a5A',
  removed: false,
};
const RECEIPT = {
  transactionHash: VAULT_LOG.transactionHash,
  blockNumber: '0x64',
  blockHash: VAULT_LOG.blockHash,
  status: '0x1',
  logs: [RPC_LOG],
};
const BLOCKS: Record<string, unknown> = {
  '0x0': { number: '0x0', hash: SIGHT.identity.genesisHash },
  '0x64': { number: '0x64', hash: VAULT_LOG.blockHash },
};
const RESULTS: Record<string, (params: unknown[]) => unknown> = {
  eth_chainId: () => '0x7',
  eth_blockNumber: () => '0x68',
  eth_getBlockByNumber: ([number]) => BLOCKS[String(number)] ?? null,
  eth_getTransactionReceipt: ([hash]) => (hash === VAULT_LOG.transactionHash ? RECEIPT : null),
};

/** Longer than an answer takes on a busy machine, ms. */
const PATIENCE_MS = 20_000;

let results: typeof RESULTS;
/** Overrides the whole answer. */
let respond: ((calls: Call[]) => { status?: number; body: string } | 'silence') | undefined;
let server: Server;
let node: EvmNode;
let url: string;

beforeEach(async () => {
  results = { ...RESULTS };
  respond = undefined;
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const calls = JSON.parse(Buffer.concat(chunks).toString()) as Call[];
      const answer = respond?.(calls) ?? {
        body: JSON.stringify(
          calls.map(({ id, method, params }) => ({ jsonrpc: '2.0', id, result: results[method]?.(params) })).reverse(),
        ),
      };
      if (answer === 'silence') return;
      response.writeHead(answer.status ?? 200, { location: '/elsewhere' }).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  node = jsonRpcNode({ url, timeoutMs: PATIENCE_MS, maxBytes: 10_000 });
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const look = () => node.look({ blockNumber: 100, transactionHash: VAULT_LOG.transactionHash });

test('one look gives identity, head, block and receipt, whatever the order of the answers', async () => {
  expect(await look()).toEqual(SIGHT);
  expect(await node.identity()).toEqual(SIGHT.identity);
  expect(await node.block(100)).toEqual({ headNumber: 104, blockHash: VAULT_LOG.blockHash });
});

test('what is not there is absent', async () => {
  expect(await node.look({ blockNumber: 101, transactionHash: wordOf(1) })).toEqual({
    identity: SIGHT.identity,
    headNumber: 104,
  });
});

const withReceipt = (change: object) => () => {
  results.eth_getTransactionReceipt = () => ({ ...RECEIPT, ...change });
};
const withLog = (change: object) => withReceipt({ logs: [{ ...RPC_LOG, ...change }] });

describe('an answer that cannot be is refused:', () => {
  test.each<[string, () => void]>([
    [
      'a chain id in a list',
      () => {
        results.eth_chainId = () => ['0x7'];
      },
    ],
    [
      'a genesis block of another number',
      () => {
        results.eth_getBlockByNumber = ([number]) => ({ number: number === '0x0' ? '0x1' : number, hash: wordOf(1) });
      },
    ],
    [
      'a chain id that is a number',
      () => {
        results.eth_chainId = () => 7;
      },
    ],
    [
      'a chain id with leading zeros',
      () => {
        results.eth_chainId = () => '0x07';
      },
    ],
    [
      'a chain id beyond 2^53',
      () => {
        results.eth_chainId = () => '0xffffffffffffffff';
      },
    ],
    [
      'no genesis block',
      () => {
        results.eth_getBlockByNumber = () => null;
      },
    ],
    [
      'another block',
      () => {
        results.eth_getBlockByNumber = () => BLOCKS['0x0'];
      },
    ],
    [
      'a head that is null',
      () => {
        results.eth_blockNumber = () => null;
      },
    ],
    [
      'a block without hash',
      () => {
        results.eth_getBlockByNumber = ([number]) => ({ number, hash: null });
      },
    ],
    [
      'a short block hash',
      () => {
        results.eth_getBlockByNumber = ([number]) => ({ number, hash: '0x11' });
      },
    ],
    [
      'a receipt that is text',
      () => {
        results.eth_getTransactionReceipt = () => 'receipt';
      },
    ],
    ['the receipt of another transaction', withReceipt({ transactionHash: wordOf(1) })],
    ['a pending receipt', withReceipt({ blockNumber: null, blockHash: null })],
    ['a receipt without status', withReceipt({ status: undefined })],
    ['logs that are no list', withReceipt({ logs: {} })],
    ['a log that is null', withReceipt({ logs: [null] })],
    ['a removed log', withLog({ removed: true })],
    ['a log of another block', withLog({ blockHash: wordOf(1) })],
    ['a log of another block number', withLog({ blockNumber: '0x65' })],
    ['a log of another transaction', withLog({ transactionHash: wordOf(1) })],
    ['a log without index', withLog({ logIndex: null })],
    ['a log with five topics', withLog({ topics: Array(5).fill(wordOf(1)) })],
    ['a log with a short topic', withLog({ topics: ['0x11'] })],
    ['a log with odd data', withLog({ data: '0x1' })],
    ['a log with a long address', withLog({ address: wordOf(1) })],
    [
      'an error',
      () => {
        respond = (calls) => ({ body: JSON.stringify(calls.map(({ id }) => ({ id, error: { code: -32000 } }))) });
      },
    ],
    [
      'too few answers',
      () => {
        respond = (calls) => ({ body: JSON.stringify([{ id: calls[0]?.id, result: '0x1' }]) });
      },
    ],
    [
      'one answer many times',
      () => {
        respond = (calls) => ({ body: JSON.stringify(calls.map(() => ({ id: 0, result: '0x1' }))) });
      },
    ],
    [
      'an object for a batch',
      () => {
        respond = () => ({ body: '{"error":{}}' });
      },
    ],
    [
      'truncated JSON',
      () => {
        respond = () => ({ body: '[{"id":0,' });
      },
    ],
    [
      'an answer beyond the bound',
      () => {
        respond = () => ({ body: `[${' '.repeat(20_000)}]` });
      },
    ],
    [
      'a status that is not 200',
      () => {
        respond = () => ({ status: 500, body: '[]' });
      },
    ],
    [
      'a redirect',
      () => {
        respond = () => ({ status: 302, body: '' });
      },
    ],
  ])('%s', async (_, arrange) => {
    arrange();
    await expect(look()).rejects.toMatchObject({ name: 'NodeError' });
  });
});

test('a node that is silent times out, and one that is away is unreachable', async () => {
  respond = () => 'silence';
  const silent = jsonRpcNode({ url, timeoutMs: 100, maxBytes: 10_000 });
  await expect(silent.identity()).rejects.toMatchObject({ code: 'NODE_TIMEOUT' });
  const away = jsonRpcNode({ url: 'http://127.0.0.1:1', timeoutMs: PATIENCE_MS, maxBytes: 10_000 });
  await expect(away.identity()).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
});
