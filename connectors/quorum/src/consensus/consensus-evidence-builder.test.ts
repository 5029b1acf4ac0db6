import { fromHex, parseBytes32 } from '@drawbridge/protocol/bytes32';
import { type ConsensusRule, decodeConsensusEvidence } from '@drawbridge/protocol/consensus-evidence';
import { parseNetworkId } from '@drawbridge/protocol/ids';
import { verifyMerkleProof } from '@ethereumjs/mpt';
import { RLP } from '@ethereumjs/rlp';
import { describe, expect, test } from '@jest/globals';
import {
  eventsOf,
  type RecordedBlock,
  RecordedNode,
  recordedBlock,
  recordedCliqueBlocks,
  recordedPrivateBlock,
  rehashed,
} from '../testing/recorded-blocks.ts';
import { ConsensusEvidenceBuilder } from './consensus-evidence-builder.ts';
import { encodeHeader } from './header-rlp.ts';
import { readReceipt } from './receipt-rlp.ts';
import { ReceiptTrie } from './receipt-trie.ts';
import { RpcSealedBlocks } from './rpc-sealed-blocks.ts';

const network = parseNetworkId('alpha');

type Fed = Awaited<ReturnType<ConstructorParameters<typeof ConsensusEvidenceBuilder>[1]['feed']['upTo']>>;

function builderOf(
  node: RecordedNode,
  { fed = 'offered', asked = [], rule = 'qbft' }: { fed?: Fed; asked?: number[]; rule?: ConsensusRule } = {},
): ConsensusEvidenceBuilder {
  const feed = {
    upTo: async (block: number) => {
      asked.push(block);
      return fed;
    },
  };
  return new ConsensusEvidenceBuilder(
    { network, rule, receiptBlocks: 2 },
    { node: new RpcSealedBlocks({ rule }, { rpc: node }), feed },
  );
}

describe.each([
  ['qbft', recordedBlock('qbft-multi')],
  // The other recorded block has no logs.
  ...recordedCliqueBlocks()
    .filter((recorded) => eventsOf(recorded).length > 0)
    .map((recorded) => ['clique', recorded] as const),
])('events of a recorded %s block', (_name, recorded) => {
  test('are each proven by the block: the log stands where the evidence says', async () => {
    const { rule } = recorded;
    const builder = builderOf(new RecordedNode([recorded]), { rule });
    const events = eventsOf(recorded);
    expect(events.length).toBeGreaterThan(0);
    const builds = await Promise.all(events.map((event) => builder.build(event)));
    for (const [at, build] of builds.entries()) {
      if (build.type !== 'built') throw new Error(build.code);
      const evidence = decodeConsensusEvidence(build.bytes);
      expect(evidence).toMatchObject({ rule, network, header: encodeHeader(recorded.block) });
      const root = fromHex(String(recorded.block.receiptsRoot));
      const { transactionIndex, proof, logIndexInReceipt } = evidence;
      const key = RLP.encode(transactionIndex);
      const receipt = await verifyMerkleProof(key, [...proof], { root, useKeyHashing: false });
      const fields = RLP.decode(receipt?.[0] === undefined || receipt[0] >= 0xc0 ? receipt : receipt.subarray(1));
      const logs = (fields as unknown[])[3] as [Uint8Array, Uint8Array[], Uint8Array][];
      const [address, topics, data] = logs[logIndexInReceipt] ?? [];
      const raw = events[at]?.raw;
      expect(address).toEqual(fromHex(raw?.address ?? ''));
      expect(topics).toEqual(raw?.topics.map((topic) => fromHex(topic)));
      expect(data).toEqual(fromHex(raw?.data ?? ''));
    }
  });
});

const multi = recordedBlock('qbft-multi');
const [event] = eventsOf(multi);
if (!event) throw new RangeError('the recording has logs');

test('headers up to the block are offered first; without them there is no evidence yet', async () => {
  const asked: number[] = [];
  const node = new RecordedNode([multi]);
  expect(await builderOf(node, { fed: 'HEADERS_HELD_BACK', asked }).build(event)).toEqual({
    type: 'pending',
    code: 'HEADERS_HELD_BACK',
  });
  expect([asked, node.calls]).toEqual([[event.blockNumber], []]);
});

test('an event whose block was replaced has none', async () => {
  const gone = { ...event, blockHash: parseBytes32(`0x${'11'.repeat(32)}`) };
  await expect(builderOf(new RecordedNode([multi])).build(gone)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
  await expect(builderOf(new RecordedNode([])).build(event)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
});

test('receipts that do not hash to the header make no evidence, and are asked for again', async () => {
  const receipts = multi.receipts.map((receipt) => ({ ...receipt, status: '0x0' }));
  const node = new RecordedNode([{ ...multi, receipts }]);
  node.transactions = multi.receipts.map(() => ({ v: '0x1b' }));
  const builder = builderOf(node);
  expect(await builder.build(event)).toEqual({ type: 'pending', code: 'RECEIPTS_MISMATCH' });
  node.blocks = [multi];
  expect(await builder.build(event)).toMatchObject({ type: 'built' });
});

test.each([
  ['transaction', { transactionHash: parseBytes32(`0x${'11'.repeat(32)}`) }],
  ['log', { logIndex: 999 }],
])('a %s that is not in the block makes none', async (_what, change) => {
  const other = { ...event, raw: { ...event.raw, ...change } };
  expect(await builderOf(new RecordedNode([multi])).build(other)).toEqual({
    type: 'pending',
    code: 'LOG_NOT_IN_RECEIPT',
  });
});

test('a log of a private transaction cannot be proven, and the code says why', async () => {
  const { block, participantReceipts, transactions } = recordedPrivateBlock();
  const recorded: RecordedBlock = { rule: 'qbft', block, receipts: participantReceipts, proof: undefined };
  const node = new RecordedNode([recorded]);
  node.transactions = transactions;
  const [privateEvent] = eventsOf(recorded);
  if (!privateEvent) throw new RangeError('a participant sees its log');
  expect(await builderOf(node).build(privateEvent)).toEqual({ type: 'pending', code: 'LOG_PRIVATE' });
});

test('a receipt that a stranger made too long for a proof is named so', async () => {
  const log = {
    address: `0x${'aa'.repeat(20)}`,
    topics: [],
    data: `0x${'00'.repeat(1_000_000)}`,
    logIndex: '0x0',
  };
  const [receipt] = multi.receipts;
  const [hash] = multi.block.transactions as string[];
  const long = { ...receipt, logs: [log] };
  const alone = { ...multi, receipts: [long], block: { ...multi.block, transactions: [hash] } };
  const place = {
    blockHash: event.blockHash,
    transactionHash: parseBytes32(String(receipt?.transactionHash)),
    transactionIndex: 0,
  };
  const trie = await ReceiptTrie.of([readReceipt(long, place).encoded]);
  const recorded = rehashed(alone, { receiptsRoot: trie.root });
  const raw = { ...event.raw, transactionHash: place.transactionHash, logIndex: 0 };
  const blockHash = parseBytes32(String(recorded.block.hash));
  expect(await builderOf(new RecordedNode([recorded])).build({ ...event, blockHash, raw })).toEqual({
    type: 'pending',
    code: 'PROOF_TOO_LARGE',
  });
});
