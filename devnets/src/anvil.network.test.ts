import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { type AnvilChain, type AnvilOptions, startAnvil } from './anvil.ts';

jest.setTimeout(60_000);

let dir: string;
const started: AnvilChain[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-anvil-test-'));
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((chain) => chain.stop()));
  await rm(dir, { recursive: true });
});

async function start(options: Partial<AnvilOptions> = {}): Promise<AnvilChain> {
  const chain = await startAnvil({ chainId: 4001, ...options });
  started.push(chain);
  return chain;
}

type Block = { hash: string; timestamp: string; transactions: string[] };

async function blockAt(chain: AnvilChain, block: number | 'latest'): Promise<Block> {
  return (await chain.rpc(
    'eth_getBlockByNumber',
    block === 'latest' ? block : `0x${block.toString(16)}`,
    false,
  )) as Block;
}

async function untilBlock(chain: AnvilChain, number: number): Promise<void> {
  const end = performance.now() + 15_000;
  while ((await chain.blockNumber()) < number) {
    if (performance.now() > end) throw new Error(`no block ${number} within 15 s`);
    await delay(20);
  }
}

async function minesByItself(chain: AnvilChain): Promise<boolean> {
  const [automine, interval] = await Promise.all([
    chain.rpc('anvil_getAutomine'),
    chain.rpc('anvil_getIntervalMining'),
  ]);
  return automine === true || Number(interval ?? 0) > 0;
}

async function send(chain: AnvilChain): Promise<string> {
  const [from, to] = chain.accounts;
  return String(
    await chain.rpc('eth_sendTransaction', { from: from?.address, to: to?.address, value: '0x1', gas: '0x5208' }),
  );
}

test('two chains born at once differ in genesis and in every key', async () => {
  const [a, b] = await Promise.all([start({ chainId: 4001 }), start({ chainId: 4002 })]);
  expect(a.genesisHash).toMatch(/^0x[0-9a-f]{64}$/);
  expect(a.genesisHash).not.toBe(b.genesisHash);
  expect(a.accounts).toHaveLength(10);
  const keys = [...a.accounts, ...b.accounts].map(({ privateKey }) => privateKey);
  expect(new Set(keys).size).toBe(20);
  expect(Number(await a.rpc('eth_chainId'))).toBe(4001);
  expect(Number(await b.rpc('eth_chainId'))).toBe(4002);
  expect(BigInt(String(await a.rpc('eth_getBalance', a.accounts[9]?.address, 'latest')))).toBe(10_000n * 10n ** 18n);
  expect(BigInt(String(await a.rpc('eth_getBalance', b.accounts[0]?.address, 'latest')))).toBe(0n);
});

test('blocks come by themselves, with the time of the clock', async () => {
  const chain = await start();
  await untilBlock(chain, 2);
  const stamp = Number((await blockAt(chain, 'latest')).timestamp);
  expect(Math.abs(stamp - Date.now() / 1000)).toBeLessThan(5);
}, 30_000);

test('a restart keeps chain, genesis, receipts and accounts, and time goes on', async () => {
  const chain = await start({ stateDir: dir });
  const transaction = await send(chain);
  await chain.mine(5);
  const before = await Promise.all([1, 2, 3, 4, 5].map((number) => blockAt(chain, number)));
  const receipt = await chain.rpc('eth_getTransactionReceipt', transaction);
  expect(receipt).toMatchObject({ status: '0x1' });
  // Twice: what anvil writes after a restart must hold as well.
  for (let round = 0; round < 2; round += 1) {
    await chain.restart();
    expect((await blockAt(chain, 0)).hash).toBe(chain.genesisHash);
    expect(await Promise.all([1, 2, 3, 4, 5].map((number) => blockAt(chain, number)))).toEqual(before);
    expect(await chain.rpc('eth_getTransactionReceipt', transaction)).toEqual(receipt);
    const next = (await chain.blockNumber()) + 1;
    await untilBlock(chain, next);
    const [older, newer] = await Promise.all([blockAt(chain, next - 1), blockAt(chain, next)]);
    expect(Number(newer.timestamp)).toBeGreaterThanOrEqual(Number(older.timestamp));
    expect(Math.abs(Number(newer.timestamp) - Date.now() / 1000)).toBeLessThan(5);
  }
  await chain.stop();
  expect(await readdir(dir)).not.toContain('accounts.json');

  const again = await start({ stateDir: dir });
  expect(again.genesisHash).toBe(chain.genesisHash);
  expect(again.accounts).toEqual(chain.accounts);
  expect(await again.rpc('eth_getTransactionReceipt', transaction)).toEqual(receipt);
  await again.stop();
  await expect(startAnvil({ chainId: 4002, stateDir: dir })).rejects.toMatchObject({
    code: 'ANVIL_STATE_OF_ANOTHER_CHAIN',
  });
}, 60_000);

test('manual mining makes no block by itself, and a pause holds over a restart', async () => {
  const chain = await start({ mining: 'manual' });
  const transaction = await send(chain);
  expect(await minesByItself(chain)).toBe(false);
  expect(await chain.blockNumber()).toBe(0);
  await chain.mine();
  expect((await blockAt(chain, 1)).transactions).toEqual([transaction]);

  const busy = await start({ chainId: 4002 });
  await untilBlock(busy, 1);
  await busy.pauseMining();
  await busy.restart();
  expect(await minesByItself(busy)).toBe(false);
  const paused = await busy.blockNumber();
  await busy.resumeMining();
  expect(await minesByItself(busy)).toBe(true);
  await untilBlock(busy, paused + 1);
}, 60_000);

test('a block for each transaction', async () => {
  const chain = await start({ mining: 'each-transaction' });
  const transaction = await send(chain);
  // The answer to a transaction does not wait for its block.
  await untilBlock(chain, 1);
  expect((await blockAt(chain, 1)).transactions).toEqual([transaction]);
  expect(await chain.blockNumber()).toBe(1);
});

test('a reorganisation replaces blocks and drops their transactions', async () => {
  const chain = await start({ mining: 'manual' });
  await chain.mine(3);
  const transaction = await send(chain);
  await chain.mine(2);
  const before = await Promise.all([3, 4, 5].map((number) => blockAt(chain, number)));
  expect(before[1]?.transactions).toEqual([transaction]);
  await chain.reorg(2);
  expect(await chain.blockNumber()).toBe(5);
  const after = await Promise.all([3, 4, 5].map((number) => blockAt(chain, number)));
  expect(after[0]).toEqual(before[0]);
  expect(after[1]?.hash).not.toBe(before[1]?.hash);
  expect(after[1]?.transactions).toEqual([]);
  expect(await chain.rpc('eth_getTransactionReceipt', transaction)).toBeNull();
});

test('a snapshot can be gone back to', async () => {
  const chain = await start({ mining: 'manual' });
  await chain.mine(2);
  const id = await chain.snapshot();
  await chain.mine(3);
  await chain.revert(id);
  expect(await chain.blockNumber()).toBe(2);
  await expect(chain.revert('0x99')).rejects.toThrow('no snapshot 0x99');
});

test('a crash loses what was not written', async () => {
  const chain = await start({ mining: 'manual', stateDir: dir });
  await chain.mine(2);
  await chain.restart();
  await chain.mine(2);
  await chain.kill9();
  await expect(chain.blockNumber()).rejects.toMatchObject({ code: 'JSON_RPC_UNREACHABLE' });
  await chain.restart();
  expect(await chain.blockNumber()).toBe(2);
  expect((await blockAt(chain, 0)).hash).toBe(chain.genesisHash);
}, 30_000);

test('it listens on loopback only, and a taken port is told', async () => {
  const chain = await start();
  expect(new URL(chain.rpcUrl).hostname).toBe('127.0.0.1');
  await expect(start({ port: chain.port, chainId: 4002 })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  // The same chain id must not be taken for our own either.
  await expect(start({ port: chain.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

test.each([{ chainId: 0 }, { chainId: 1_000_000_000 }, { blockTimeSeconds: 0.5 }, { stateIntervalSeconds: 0 }])(
  'options that cannot be: %j',
  async (options) => {
    await expect(start(options)).rejects.toMatchObject({ code: 'ANVIL_OPTIONS' });
  },
);
