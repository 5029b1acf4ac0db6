import { expect, test } from '@jest/globals';
import { HeadClock } from './head-clock.ts';
import { DEFAULT_RAW_METHODS } from './raw-method-names.ts';
import { RawMethods } from './raw-methods.ts';
import { ACCOUNT, FakeRpc, HASH } from './testing/fake-rpc.ts';
import { TransactionRunner } from './transaction-runner.ts';

function methods(rpc: FakeRpc, allowed: readonly string[] = DEFAULT_RAW_METHODS): RawMethods {
  const limits = { chainId: 1, maxFeeWei: 1n, maxGas: 1, receiptTimeoutMs: 1, longestReceiptTimeoutMs: 1, accounts: 1 };
  const clock = new HeadClock({ pollMs: 5 }, rpc);
  const runner = new TransactionRunner(limits, { rpc, clock, now: () => 0 });
  return new RawMethods({ allowed: new Set(allowed), logBlocks: 100 }, { rpc, runner });
}

test.each([
  'sendTransaction',
  'sign',
  'signTransaction',
  'sendSignedTransaction',
  'getAccounts',
  'submitWork',
  'personal.unlockAccount',
  'eth_sendTransaction',
  'constructor',
  '__proto__',
  'toString',
])('%s is not allowed by default, and the node is not asked', async (name) => {
  const rpc = new FakeRpc();
  await expect(methods(rpc).call(name, [])).rejects.toMatchObject({ code: 'METHOD_NOT_ALLOWED' });
  expect(rpc.asked).toEqual([]);
});

test('a list that names something unknown allows nothing more', async () => {
  await expect(methods(new FakeRpc(), ['constructor']).call('constructor', [])).rejects.toMatchObject({
    code: 'METHOD_NOT_ALLOWED',
  });
});

test('what the configuration leaves out is not allowed', async () => {
  const rpc = new FakeRpc().answer('eth_blockNumber', '0x10');
  expect(await methods(rpc).call('getBlockNumber', [])).toBe(16);
  await expect(methods(rpc, ['getBalance']).call('getBlockNumber', [])).rejects.toMatchObject({
    code: 'METHOD_NOT_ALLOWED',
  });
});

test('logs are read over a bounded range', async () => {
  const rpc = new FakeRpc().answer('eth_blockNumber', '0x1000').answer('eth_getLogs', []);
  expect(await methods(rpc).call('getPastLogs', [{ fromBlock: 4_000, toBlock: 4_099 }])).toEqual([]);
  for (const range of [
    { fromBlock: 0, toBlock: 'latest' },
    { fromBlock: 3_900, toBlock: 4_000 },
    { fromBlock: 'earliest' },
  ])
    await expect(methods(rpc).call('getPastLogs', [range])).rejects.toMatchObject({ code: 'ARGUMENTS_INVALID' });
});

test.each([
  ['getBalance', ['me']],
  ['getTransaction', ['0x12']],
  ['getBlock', ['newest']],
  ['getProof', [ACCOUNT, 'slots', 'latest']],
  ['call', ['0x00']],
  ['getStorageAt', [ACCOUNT, {}]],
])('%s refuses parameters that it cannot have', async (name, params) => {
  await expect(methods(new FakeRpc()).call(name, params)).rejects.toMatchObject({ code: 'ARGUMENTS_INVALID' });
});

test('a block is asked by hash or by height', async () => {
  const rpc = new FakeRpc().answer('eth_getBlockByHash', null).answer('eth_getBlockTransactionCountByNumber', '0x2');
  expect(await methods(rpc).call('getBlock', [HASH])).toBeNull();
  expect(await methods(rpc).call('getBlockTransactionCount', [5])).toBe(2);
  expect(rpc.asked).toEqual([
    { method: 'eth_getBlockByHash', params: [HASH, false] },
    { method: 'eth_getBlockTransactionCountByNumber', params: ['0x5'] },
  ]);
});
