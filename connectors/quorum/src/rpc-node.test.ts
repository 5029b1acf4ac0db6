import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseEvmAddress } from '@drawbridge/protocol/ids';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RpcNode, sendRefusal } from './rpc-node.ts';

test.each([
  ['geth', 'nonce too low: next nonce 5, tx nonce 4', 'nonce-too-low'],
  ['besu', 'Nonce too low', 'nonce-too-low'],
  ['besu', 'Transaction nonce is below sender account nonce', 'nonce-too-low'],
  ['geth', 'already known', 'already-known'],
  ['anvil', 'transaction already imported', 'already-known'],
  ['besu', 'Known transaction', 'already-known'],
  ['geth', 'replacement transaction underpriced', 'replacement-underpriced'],
  ['besu', 'Replacement transaction underpriced', 'replacement-underpriced'],
  ['geth', 'transaction underpriced: tip needed 1, tip permitted 0', 'underpriced'],
  ['geth', 'max fee per gas less than block base fee: address 0x, maxFeePerGas: 1, baseFee: 2', 'underpriced'],
  ['besu', 'Gas price below current base fee', 'underpriced'],
  ['geth', 'insufficient funds for gas * price + value: balance 0, tx cost 1', 'no-funds'],
  ['anvil', 'Insufficient funds for gas * price + value', 'no-funds'],
  ['besu', 'Upfront cost exceeds account balance', 'no-funds'],
  ['geth', 'txpool is full', 'pool-full'],
  ['geth', 'exceeds block gas limit', 'gas-limit'],
  ['geth', 'intrinsic gas too low', 'gas-limit'],
  ['some node', 'computer says no', 'other'],
])('%s: %s', (_node, message, refusal) => {
  expect(sendRefusal(message)).toBe(refusal);
});

describe('over JSON-RPC', () => {
  type Answer = { result: unknown } | { error: { code: number; message: string; data?: unknown } };
  let answers: Record<string, (params: unknown[]) => Answer>;
  let server: Server;
  let node: RpcNode;
  const request = { to: parseEvmAddress(`0x${'ab'.repeat(20)}`), data: '0x' } as const;

  beforeEach(async () => {
    server = createServer((incoming, response) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
        const one = ({ id, method, params }: { id: number; method: string; params: unknown[] }) => ({
          jsonrpc: '2.0',
          id,
          ...(answers[method]?.(params) ?? { error: { code: -32_601, message: 'method not found' } }),
        });
        const calls = Array.isArray(body) ? body.map(one) : one(body as Parameters<typeof one>[0]);
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(calls));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    node = new RpcNode({ url: `http://127.0.0.1:${port}`, chainId: 1, timeoutMs: 2_000 });
  });
  afterEach(async () => {
    node.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test('a revert is an answer, with its data wherever the node puts it', async () => {
    const data = '0xdeadbeef';
    answers = { eth_estimateGas: () => ({ error: { code: 3, message: 'execution reverted', data } }) };
    expect(await node.estimateGas(request, 'pending')).toEqual({ type: 'reverted', data });
    answers = { eth_call: () => ({ error: { code: -32_000, message: 'execution reverted', data: { data } } }) };
    expect(await node.call(request, 'latest')).toEqual({ type: 'reverted', data });
    answers = { eth_call: () => ({ error: { code: -32_000, message: 'Execution reverted' } }) };
    expect(await node.call(request, 'latest')).toEqual({ type: 'reverted', data: '0x' });
  });

  test('an error that is no revert does not pass for one', async () => {
    answers = { eth_call: () => ({ error: { code: -32_000, message: 'missing trie node' } }) };
    expect(await node.call(request, 7)).toEqual({ type: 'refused', refusal: 'other' });
  });

  test('a node that estimates at no block is asked without one', async () => {
    answers = {
      eth_estimateGas: (params) =>
        params.length === 2 ? { error: { code: -32_602, message: 'Invalid params' } } : { result: '0x5208' },
    };
    expect(await node.estimateGas(request, 'pending')).toEqual({ type: 'gas', gas: 21_000n });
  });

  test('a chain without base fee, and a node without advice for the tip', async () => {
    answers = {
      eth_getBlockByNumber: () => ({ result: { number: '0x7', hash: `0x${'11'.repeat(32)}`, timestamp: '0x9' } }),
    };
    expect(await node.block('latest')).toEqual({ number: 7, hash: `0x${'11'.repeat(32)}`, timestampSeconds: 9 });
    expect(await node.priorityFeeWei()).toBeUndefined();
  });

  test('no answer is an error of its own, and nothing else is', async () => {
    answers = {};
    await expect(node.blockNumber()).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(node.sendRaw('0x00')).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    server = createServer().listen(0, '127.0.0.1');
  });
});
