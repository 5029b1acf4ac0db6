import { fromHex, toHex } from '@drawbridge/protocol/bytes32';
import { verifyMerkleProof } from '@ethereumjs/mpt';
import { RLP } from '@ethereumjs/rlp';
import { describe, expect, test } from '@jest/globals';
import {
  RECORDED_BLOCKS,
  type RecordedBlock,
  RecordedNode,
  recordedBlock,
  recordedCliqueBlocks,
  recordedPrivateBlock,
} from '../testing/recorded-blocks.ts';
import { ProvenReceiptsOfBlocks } from './proven-receipts.ts';
import { ReceiptTrie } from './receipt-trie.ts';
import { RpcSealedBlocks } from './rpc-sealed-blocks.ts';
import type { SealedBlock } from './sealed-blocks.ts';

async function proven(recorded: RecordedBlock, node = new RecordedNode([recorded])) {
  const blocks = new RpcSealedBlocks({ rule: recorded.rule }, { rpc: node });
  const block = await blocks.sealedBlock(Number(recorded.block.number));
  if (!block) throw new RangeError('the block was recorded');
  return new ProvenReceiptsOfBlocks({ maxBlocks: 1 }, { node: blocks }).of(block);
}

describe.each([
  ...RECORDED_BLOCKS.map((name) => [name, recordedBlock(name)] as const),
  ...recordedCliqueBlocks().map((recorded) => [`clique ${String(recorded.block.number)}`, recorded] as const),
])('%s', (_name, recorded) => {
  test('the receipts hash to the root in the header', async () => {
    const result = await proven(recorded);
    expect(result?.trie.root).toBe(recorded.block.receiptsRoot);
    expect(result?.privateAt.size).toBe(0);
  });

  test('each receipt has its proof', async () => {
    const result = await proven(recorded);
    const root = fromHex(String(recorded.block.receiptsRoot));
    for (const [index, { encoded }] of (result?.receipts ?? []).entries()) {
      const proof = (await result?.trie.prove(index)) ?? [];
      expect(await verifyMerkleProof(RLP.encode(index), [...proof], { root, useKeyHashing: false })).toEqual(encoded);
    }
    if (!recorded.proof) return;
    const nodes = await result?.trie.prove(recorded.proof.transactionIndex);
    expect(nodes?.map(toHex)).toEqual(recorded.proof.nodes);
  });
});

test('a node without receipts by block is asked for each, and never again for all', async () => {
  const node = new RecordedNode([recordedBlock('qbft-multi'), recordedBlock('qbft-deploy')]);
  node.hasBlockReceipts = false;
  const blocks = new RpcSealedBlocks({ rule: 'qbft' }, { rpc: node });
  for (const { block, receipts } of node.blocks) {
    const sealed = (await blocks.sealedBlock(Number(block.number))) as SealedBlock;
    expect((await blocks.blockReceipts(sealed)).map(({ transactionHash }) => transactionHash)).toEqual(
      receipts.map(({ transactionHash }) => transactionHash),
    );
  }
  expect(node.calls.filter((method) => method === 'eth_getBlockReceipts')).toHaveLength(1);
  expect(node.calls.filter((method) => method === 'eth_getTransactionReceipt')).toHaveLength(13);
});

test('receipts are the same asked for one by one', async () => {
  const recorded = recordedBlock('qbft-multi');
  const node = new RecordedNode([recorded]);
  node.hasBlockReceipts = false;
  expect((await proven(recorded, node))?.receipts).toEqual((await proven(recorded))?.receipts);
});

describe('a private transaction, seen by a participant', () => {
  const { block, participantReceipts, transactions } = recordedPrivateBlock();
  const recorded: RecordedBlock = { rule: 'qbft', block, receipts: participantReceipts, proof: undefined };

  test('has no logs on the public chain, and its receipt is proven as the public chain has it', async () => {
    const node = new RecordedNode([recorded]);
    node.transactions = transactions;
    const result = await proven(recorded, node);
    expect(result?.trie.root).toBe(block.receiptsRoot);
    expect([...(result?.privateAt ?? [])]).toEqual([0]);
  });

  test('that fails in private has succeeded in public', async () => {
    const failed = participantReceipts.map((receipt) => ({ ...receipt, status: '0x0' }));
    const node = new RecordedNode([{ ...recorded, receipts: failed }]);
    node.transactions = transactions;
    expect((await proven({ ...recorded, receipts: failed }, node))?.trie.root).toBe(block.receiptsRoot);
  });

  test('does not excuse receipts of public transactions', async () => {
    const node = new RecordedNode([recorded]);
    node.transactions = transactions.map((transaction) => ({ ...transaction, v: '0x1b' }));
    expect(await proven(recorded, node)).toBeUndefined();
  });
});

test('receipts that do not hash to the root are no receipts', async () => {
  const recorded = recordedBlock('qbft-deploy');
  const receipts = recorded.receipts.map((receipt) => ({ ...receipt, cumulativeGasUsed: '0x1' }));
  const node = new RecordedNode([{ ...recorded, receipts }]);
  node.transactions = recorded.receipts.map(() => ({ v: '0x25' }));
  expect(await proven(recorded, node)).toBeUndefined();
});

test('a block of many receipts is fetched once, and forgotten when there is no room', async () => {
  const node = new RecordedNode([recordedBlock('qbft-multi'), recordedBlock('qbft-deploy')]);
  const blocks = new RpcSealedBlocks({ rule: 'qbft' }, { rpc: node });
  const cache = new ProvenReceiptsOfBlocks({ maxBlocks: 1 }, { node: blocks });
  const [multi, deploy] = await Promise.all(
    node.blocks.map(async ({ block }) => (await blocks.sealedBlock(Number(block.number))) as SealedBlock),
  );
  if (!multi || !deploy) throw new RangeError('both were recorded');
  await Promise.all([cache.of(multi), cache.of(multi)]);
  await cache.of(multi);
  const fetches = () => node.calls.filter((method) => method === 'eth_getBlockReceipts').length;
  expect(fetches()).toBe(1);
  await cache.of(deploy);
  await cache.of(multi);
  expect(fetches()).toBe(3);
});

test('three hundred receipts: the last has a proof as deep as the recording of that size', async () => {
  const { encoded } = (await proven(recordedBlock('qbft-multi')))?.receipts[0] ?? {};
  if (!encoded) throw new RangeError('it has receipts');
  const trie = await ReceiptTrie.of(Array.from({ length: 300 }, () => encoded));
  const proof = await trie.prove(299);
  const root = fromHex(trie.root);
  expect(await verifyMerkleProof(RLP.encode(299), [...proof], { root, useKeyHashing: false })).toEqual(encoded);
  expect(proof.length).toBeLessThanOrEqual(6);
});
