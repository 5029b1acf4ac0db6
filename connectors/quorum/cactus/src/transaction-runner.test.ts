import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { computeAddress, SigningKey, Transaction } from 'ethers';
import { HeadClock } from './head-clock.ts';
import type { Signer } from './signing-credential.ts';
import { ACCOUNT, FakeRpc, HASH, nodeReceipt } from './testing/fake-rpc.ts';
import { TransactionRunner, type TransactionRunnerOptions } from './transaction-runner.ts';

const key = new SigningKey(`0x${'42'.repeat(32)}`);
const signer: Signer = { kind: 'key', address: computeAddress(key), key };
const wish = { to: ACCOUNT, data: '0x' };
const soon = { timeoutMs: 60, confirmations: 0 };

function node(): FakeRpc {
  let height = 4;
  return new FakeRpc()
    .on('eth_blockNumber', () => {
      height += 1;
      return { result: `0x${height.toString(16)}` };
    })
    .answer('eth_estimateGas', '0x5208')
    .answer('eth_getBlockByNumber', { baseFeePerGas: '0x64' })
    .answer('eth_maxPriorityFeePerGas', '0x2')
    .answer('eth_gasPrice', '0x7')
    .answer('eth_getTransactionCount', '0x3')
    .answer('eth_sendRawTransaction', HASH)
    .answer('eth_sendRawPrivateTransaction', HASH)
    .answer('eth_getTransactionReceipt', nodeReceipt());
}

function runner(rpc: FakeRpc, options: Partial<TransactionRunnerOptions> = {}): TransactionRunner {
  const clock = new HeadClock({ pollMs: 5 }, rpc);
  return new TransactionRunner(
    {
      chainId: 1337,
      maxFeeWei: 1_000n,
      maxGas: 100_000,
      receiptTimeoutMs: 1_000,
      longestReceiptTimeoutMs: 2_000,
      accounts: 10,
      ...options,
    },
    { rpc, clock, now: () => performance.now() },
  );
}
const sent = (rpc: FakeRpc) => rpc.of('eth_sendRawTransaction').map(([raw]) => Transaction.from(String(raw)));

test('fills in nonce, gas and fees; the base fee may double', async () => {
  const rpc = node();
  expect(await runner(rpc).run(signer, wish, soon)).toMatchObject({ status: true, blockNumber: 5, gasUsed: 21_000 });
  const [transaction] = sent(rpc);
  expect(transaction).toMatchObject({
    type: 2,
    nonce: 3,
    gasLimit: 21_000n,
    maxFeePerGas: 202n,
    maxPriorityFeePerGas: 2n,
  });
  expect(transaction).toMatchObject({ chainId: 1337n, from: computeAddress(key) });
});

test('a price of the request makes a legacy transaction', async () => {
  const rpc = node();
  await runner(rpc).run(signer, { ...wish, gasPriceWei: 9n, gas: 50_000n, nonce: 8, valueWei: 5n }, soon);
  expect(sent(rpc)[0]).toMatchObject({ type: 0, gasPrice: 9n, gasLimit: 50_000n, nonce: 8, value: 5n });
});

test.each([
  ['a price above the limit', { gasPriceWei: 1_001n }, 'FEE_ABOVE_LIMIT'],
  ['gas above the limit', { gas: 100_001n }, 'GAS_ABOVE_LIMIT'],
])('%s is not paid', async (_what, more, code) => {
  const rpc = node();
  await expect(runner(rpc).run(signer, { ...wish, ...more }, soon)).rejects.toMatchObject({ code });
  expect(sent(rpc)).toEqual([]);
});

test('at once, one account gives each transaction a nonce of its own though the node counts late', async () => {
  const rpc = node();
  const one = runner(rpc);
  await Promise.all(Array.from({ length: 5 }, () => one.run(signer, wish, soon)));
  expect(sent(rpc).map(({ nonce }) => nonce)).toEqual([3, 4, 5, 6, 7]);
});

test('a nonce that somebody else used is taken anew, once', async () => {
  const rpc = node();
  let refusals = 1;
  rpc.on('eth_sendRawTransaction', () =>
    refusals-- > 0 ? { refused: { code: -32_000, message: 'nonce too low' } } : { result: HASH },
  );
  await runner(rpc).run(signer, wish, soon);
  expect(rpc.of('eth_sendRawTransaction')).toHaveLength(2);
  rpc.on('eth_sendRawTransaction', () => ({ refused: { code: -32_000, message: 'nonce too low' } }));
  await expect(runner(rpc).run(signer, wish, soon)).rejects.toMatchObject({ code: 'NODE_REFUSED' });
});

test('without a receipt in time, and without a word of the node, the transaction’s hash is told', async () => {
  const late = node().answer('eth_getTransactionReceipt', null);
  const hash = expect.stringMatching(/^0x[0-9a-f]{64}$/);
  await expect(runner(late).run(signer, wish, soon)).rejects.toMatchObject({
    code: 'RECEIPT_TIMEOUT',
    status: 504,
    details: { transactionHash: hash },
  });
  const silent = node().on('eth_sendRawTransaction', () => 'silent');
  await expect(runner(silent).run(signer, wish, soon)).rejects.toMatchObject({
    code: 'LEDGER_UNAVAILABLE',
    details: { transactionHash: hash },
  });
});

test('no request waits longer than the limit', async () => {
  const late = node().answer('eth_getTransactionReceipt', null);
  const startedMs = performance.now();
  const bounded = runner(late, { longestReceiptTimeoutMs: 50 });
  await expect(bounded.run(signer, wish, { timeoutMs: 3_600_000, confirmations: 0 })).rejects.toMatchObject({
    code: 'RECEIPT_TIMEOUT',
  });
  expect(performance.now() - startedMs).toBeLessThan(20_000);
});

test('confirmations are blocks above; a receipt that a reorganisation took away is waited for again', async () => {
  const rpc = node();
  const receipts = [nodeReceipt(), null, nodeReceipt({ blockNumber: '0x7' }), nodeReceipt({ blockNumber: '0x7' })];
  rpc.on('eth_getTransactionReceipt', () => ({ result: receipts.length > 1 ? receipts.shift() : receipts[0] }));
  const receipt = await runner(rpc).run(signer, wish, { timeoutMs: 5_000, confirmations: 3 });
  expect(receipt.blockNumber).toBe(7);
});

test('numbers that JSON cannot hold are refused', async () => {
  const rpc = node().answer('eth_getTransactionReceipt', nodeReceipt({ gasUsed: '0x20000000000001' }));
  await expect(runner(rpc).run(signer, wish, soon)).rejects.toMatchObject({ code: 'NUMBER_ABOVE_LIMIT' });
});

test('a private transaction is stored with the manager and sent with its recipients; without one it is refused', async () => {
  const manager = createServer((_request, response) =>
    response.end(JSON.stringify({ key: Buffer.alloc(64, 9).toString('base64') })),
  );
  await new Promise<void>((resolve) => manager.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(manager.address() as AddressInfo).port}/`;
  const privacy = { privateFor: ['a'] };
  const rpc = node();
  const secret = { ...wish, data: '0x00112233', privacy };
  const transactionManager = { url, timeoutMs: 1_000, answerBytes: 1_000 };
  const receipt = await runner(rpc, { transactionManager }).run(signer, secret, soon);
  expect(receipt.commitmentHash).toBe(`0x${'09'.repeat(64)}`);
  const [[raw, recipients] = []] = rpc.of('eth_sendRawPrivateTransaction');
  expect(recipients).toEqual(privacy);
  expect(String(raw)).toContain('09'.repeat(64));
  expect(String(raw)).not.toContain('00112233');
  expect(sent(rpc)).toEqual([]);
  manager.closeAllConnections();
  manager.close();
  await expect(runner(rpc).run(signer, secret, soon)).rejects.toMatchObject({
    code: 'PRIVATE_TRANSACTIONS_UNAVAILABLE',
  });
  expect(sent(rpc)).toEqual([]);
});
