import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { BlockFeed, type BlockFeedOptions } from './block-feed.ts';
import { HeadClock } from './head-clock.ts';
import { ACCOUNT, FakeRpc, HASH } from './testing/fake-rpc.ts';

const block = (number: number) => ({
  number: `0x${number.toString(16)}`,
  hash: HASH,
  parentHash: HASH,
  sha3Uncles: HASH,
  logsBloom: '0x',
  transactionsRoot: HASH,
  stateRoot: HASH,
  receiptsRoot: HASH,
  miner: ACCOUNT,
  extraData: '0x',
  gasLimit: '0x1',
  gasUsed: '0x0',
  timestamp: '0x1',
});

let height: number;
let silent: boolean;
let rpc: FakeRpc;
const ends: (() => void)[] = [];

beforeEach(() => {
  height = 10;
  silent = false;
  rpc = new FakeRpc()
    .on('eth_blockNumber', () => (silent ? 'silent' : { result: `0x${height.toString(16)}` }))
    .on('eth_getBlockByNumber', ([number]) => (silent ? 'silent' : { result: block(Number(number)) }));
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

function feedOf(options: Partial<BlockFeedOptions> = {}): BlockFeed {
  const clock = new HeadClock({ pollMs: 2 }, rpc);
  return new BlockFeed({ watchers: 2, blocksPerTurn: 3, watchFailures: 5, ...options }, { rpc, clock });
}

function watch(feed: BlockFeed) {
  const numbers: number[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const failed = new Promise<{ code: string }>((resolve) => {
    ends.push(
      feed.watch({
        wholeBlocks: false,
        next: ({ blockHeader }) => {
          numbers.push((blockHeader as { number: number }).number);
          for (const { count, resolve: done } of waiting) if (numbers.length >= count) done();
        },
        failed: resolve,
      }),
    );
  });
  const until = (count: number) => new Promise<void>((resolve) => waiting.push({ count, resolve }));
  return { numbers, failed, until };
}

/** Until the clock has looked `count` times more. */
async function looks(count: number): Promise<void> {
  const wanted = rpc.of('eth_blockNumber').length + count;
  while (rpc.of('eth_blockNumber').length < wanted) await new Promise((resolve) => setTimeout(resolve, 1));
}

test('many blocks at once come in turns, in order, all of them, though the chain then stands still', async () => {
  const { numbers, until } = watch(feedOf());
  await looks(2);
  height = 30;
  await until(20);
  expect(numbers).toEqual(Array.from({ length: 20 }, (_item, index) => 11 + index));
});

test('a silent node costs no block; silent for too long, it ends the watch with a word', async () => {
  const { numbers, until, failed } = watch(feedOf({ watchFailures: 50 }));
  await looks(2);
  height = 12;
  silent = true;
  await looks(5);
  silent = false;
  await until(2);
  expect(numbers).toEqual([11, 12]);
  silent = true;
  await expect(failed).resolves.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
});

test('a chain that was wound back tells its blocks again', async () => {
  const { numbers, until } = watch(feedOf());
  await looks(2);
  height = 11;
  await until(1);
  height = 9;
  await until(2);
  height = 10;
  await until(3);
  expect(numbers).toEqual([11, 9, 10]);
});

test('only so many may watch; without any the node is left alone', async () => {
  const feed = feedOf();
  watch(feed);
  watch(feed);
  const third = { wholeBlocks: false, next: () => undefined, failed: () => undefined };
  expect(() => feed.watch(third)).toThrow(expect.objectContaining({ code: 'BUSY' }));
  for (const end of ends.splice(0)) end();
  expect(feed.size).toBe(0);
  const asked = rpc.asked.length;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(rpc.asked.length).toBeLessThanOrEqual(asked + 1);
});
