/** Reads headers off a node and packs them: consecutive, each built on the one before, no more than a batch may hold. */
import { LedgerUnavailableError } from '@drawbridge/connector-sdk/ledger-connector';
import {
  type ConsensusRule,
  encodeHeaderBatch,
  MAX_HEADER_BATCH_BYTES,
  MAX_HEADER_BYTES,
  MAX_HEADERS,
} from '@drawbridge/protocol/consensus-evidence';
import type { NetworkId } from '@drawbridge/protocol/ids';
import type { SealedBlock, SealedBlocks } from './sealed-blocks.ts';

/** Blocks asked for at the same time. */
const BLOCKS_AT_ONCE = 32;
/** Of the encoding around the headers, and around each: more than CBOR needs. */
const BATCH_OVERHEAD_BYTES = 256;
const HEADER_OVERHEAD_BYTES = 5;

/**
 * Blocks from `fromBlock` up to `toBlock`, or as many of them from the lowest on as one batch holds.
 * @throws LedgerUnavailableError when the node lacks one, or they do not build on each other: ask again.
 */
export async function readHeaders(
  node: SealedBlocks,
  { fromBlock, toBlock }: Readonly<{ fromBlock: number; toBlock: number }>,
): Promise<readonly SealedBlock[]> {
  const last = Math.min(toBlock, fromBlock + MAX_HEADERS - 1);
  const blocks: SealedBlock[] = [];
  let bytes = BATCH_OVERHEAD_BYTES;
  for (let at = fromBlock; at <= last; at += BLOCKS_AT_ONCE) {
    const numbers = Array.from({ length: Math.min(BLOCKS_AT_ONCE, last - at + 1) }, (_, offset) => at + offset);
    for (const block of await Promise.all(numbers.map((number) => demandBlock(node, number)))) {
      const parent = blocks.at(-1);
      if (parent && block.parentHash !== parent.hash)
        throw new LedgerUnavailableError(`blocks changed while header ${block.number} was read`);
      bytes += block.header.length + HEADER_OVERHEAD_BYTES;
      if (bytes > MAX_HEADER_BATCH_BYTES) return blocks;
      blocks.push(block);
    }
  }
  return blocks;
}

export function packHeaders(
  blocks: readonly SealedBlock[],
  context: Readonly<{ rule: ConsensusRule; network: NetworkId }>,
): Uint8Array {
  const headers = blocks.map(({ header }) => header);
  return encodeHeaderBatch({ version: 1, rule: context.rule, kind: 'headers', network: context.network, headers });
}

async function demandBlock(node: SealedBlocks, number: number): Promise<SealedBlock> {
  const block = await node.sealedBlock(number);
  if (!block) throw new LedgerUnavailableError(`the node does not have block ${number}, below its own height`);
  if (block.header.length > MAX_HEADER_BYTES)
    throw new LedgerUnavailableError(`header ${number} has more than ${MAX_HEADER_BYTES} bytes`);
  return block;
}
