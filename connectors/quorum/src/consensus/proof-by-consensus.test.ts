import { highSeal } from '@drawbridge/evidence/testing/sealed-chain';
import { fromHex, parseBytes32, toHex } from '@drawbridge/protocol/bytes32';
import { decodeConsensusEvidence, decodeHeaderBatch } from '@drawbridge/protocol/consensus-evidence';
import { parseNetworkId } from '@drawbridge/protocol/ids';
import { RLP } from '@ethereumjs/rlp';
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { defaultLimits } from '../config.ts';
import { RecordingOutbox } from '../testing/feed-rig.ts';
import { eventsOf, type RecordedBlock, RecordedNode, recordedBlock, rehashed } from '../testing/recorded-blocks.ts';
import { encodeHeader } from './header-rlp.ts';
import { proofByConsensus } from './proof-by-consensus.ts';

const SEALS = 4;

/** As a node may have it whose peer turned the commit seals: the block and its hash are the same. */
function withHighSeals(recorded: RecordedBlock): RecordedBlock {
  const parts = RLP.decode(fromHex(String(recorded.block.extraData))) as Uint8Array[];
  const seals = parts[SEALS] as unknown as Uint8Array[];
  const extraData = toHex(RLP.encode([...parts.slice(0, SEALS), seals.map(highSeal)]));
  return { ...recorded, block: { ...recorded.block, extraData } };
}

test('a node with high seals: headers and evidence reach the core with the low ones that it takes', async () => {
  const recorded = recordedBlock('qbft-multi');
  const head = { number: Number(recorded.block.number), hash: parseBytes32(String(recorded.block.hash)) };
  const number = head.number + 1;
  const next = rehashed(recorded, { number: `0x${number.toString(16)}`, parentHash: head.hash });
  const high = withHighSeals(next);
  expect(encodeHeader(high.block)).not.toEqual(encodeHeader(next.block));
  const outbox = new RecordingOutbox();
  const { feed, builder } = proofByConsensus(
    {
      rule: 'qbft',
      maxGapBlocks: 64,
      network: parseNetworkId('alpha'),
      depthBlocks: 1,
      idKey: new Uint8Array(32),
      limits: defaultLimits(),
    },
    {
      rpc: new RecordedNode([recorded, high]),
      outbox,
      openFromBlock: () => number,
      metrics: { headers: () => undefined, headerLag: () => undefined, headersDisputed: () => undefined },
      log: pino({ level: 'silent' }),
      now: () => 0,
    },
  );
  feed.coreAt(head);
  const [event] = eventsOf(next);
  if (!event) throw new RangeError('the recording has logs');
  const build = await builder.build(event, new AbortController().signal);
  if (build.type !== 'built') throw new Error(build.code);
  expect(decodeConsensusEvidence(build.bytes).header).toEqual(encodeHeader(next.block));
  const [batch] = outbox.bytes;
  if (!batch) throw new RangeError('headers go first');
  expect(decodeHeaderBatch(batch).headers).toEqual([encodeHeader(next.block)]);
});
