import { parseBytes32 } from '@drawbridge/protocol/bytes32';
import { VAULT_TOPICS } from '@drawbridge/protocol/evm-vault-log';
import { parseEvmAddress } from '@drawbridge/protocol/ids';
import type { EvmLog } from '@drawbridge/protocol/observer-evidence';
import { beforeEach, expect, test } from '@jest/globals';
import { EvmEventSource } from './evm-event-source.ts';
import { FakeNode } from './testing/fake-node.ts';

const vault = parseEvmAddress(`0x${'ab'.repeat(20)}`);
let node: FakeNode;
let source: EvmEventSource;

function log(seq: number, blockNumber: number, logIndex = 0): EvmLog {
  return {
    blockNumber,
    blockHash: node.hashOf(blockNumber),
    transactionHash: parseBytes32(`0x${'44'.repeat(32)}`),
    logIndex,
    address: vault,
    topics: [VAULT_TOPICS.guardianCancelled, parseBytes32(`0x${seq.toString(16).padStart(64, '0')}`)],
    data: '0x',
  };
}

beforeEach(() => {
  node = new FakeNode();
  node.head = 20;
  source = new EvmEventSource({ depthBlocks: 3 }, { node });
});

test('the finalised head is the block with so many on top of it, itself counted', async () => {
  expect(await source.finalisedHead()).toBe(18);
  node.head = 1;
  expect(await source.finalisedHead()).toBe(-1);
});

test('events come in ledger order with their counters', async () => {
  node.chainLogs = [log(3, 9, 1), log(1, 5, 4), log(2, 9, 0)];
  const events = await source.finalisedEvents({ vaults: [vault], fromBlock: 0, toBlock: 18 });
  expect(events.map(({ seq, blockNumber }) => [seq, blockNumber])).toEqual([
    [1, 5],
    [2, 9],
    [3, 9],
  ]);
});

test.each([
  ['many', 0, 18],
  ['one', 5, 5],
])('of %s, logs of a block that changed meanwhile are not taken', async (_, fromBlock, toBlock) => {
  node.chainLogs = [log(1, 5)];
  expect(await source.finalisedEvents({ vaults: [vault], fromBlock, toBlock })).toHaveLength(1);
  node.forks.set(5, 1);
  const asked = source.finalisedEvents({ vaults: [vault], fromBlock, toBlock });
  await expect(asked).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
});

test('what comes is of the blocks above, as they are now; where one block is enough nothing comes', async () => {
  node.chainLogs = [log(1, 18), log(2, 19), log(3, 20)];
  const coming = await source.comingEvents({ vaults: [vault], afterBlock: 18 });
  expect(coming.map(({ seq, blockNumber }) => [seq, blockNumber])).toEqual([
    [2, 19],
    [3, 20],
  ]);
  const atOnce = new EvmEventSource({ depthBlocks: 1 }, { node });
  expect(await atOnce.comingEvents({ vaults: [vault], afterBlock: 20 })).toEqual([]);
});

test('a range that the node finds too large is asked for in parts', async () => {
  node.chainLogs = [log(1, 5), log(2, 17)];
  node.maxLogRange = 4;
  expect(await source.finalisedEvents({ vaults: [vault], fromBlock: 0, toBlock: 18 })).toHaveLength(2);
});

test('a node that answers nothing is asked a bounded number of times', async () => {
  node.down = true;
  const asked = source.finalisedEvents({ vaults: [vault], fromBlock: 0, toBlock: 1_000_000 });
  await expect(asked).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
});

test('an address that writes other logs than a vault is no vault', async () => {
  node.chainLogs = [{ ...log(1, 5), topics: [parseBytes32(`0x${'55'.repeat(32)}`)] }];
  const asked = source.finalisedEvents({ vaults: [vault], fromBlock: 0, toBlock: 18 });
  await expect(asked).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
});

test('whether a block still holds is asked by its hash', async () => {
  const block = { blockNumber: 5, blockHash: node.hashOf(5) };
  expect(await source.stillHolds(block)).toBe(true);
  node.forks.set(5, 1);
  expect(await source.stillHolds(block)).toBe(false);
  expect(await source.stillHolds({ blockNumber: 99, blockHash: node.hashOf(99) })).toBe(false);
});
