/** What `eth_getLogs` is asked, from what a client of web3 asks, over a bounded number of blocks. */

import { CactusError } from '@drawbridge/connector-cactus/cactus-error';
import { getAddress } from 'ethers';
import { blockTag } from './block-reference.ts';
import type { EthereumRpc } from './ethereum-rpc.ts';
import { jsonNumber } from './quantities.ts';

const MAX_ADDRESSES = 100;
const MAX_TOPICS = 4;
const MAX_ALTERNATIVES = 20;

/** @throws CactusError ARGUMENTS_INVALID, also for a range of more than `logBlocks` */
export async function logFilter(
  filter: Readonly<Record<string, unknown>>,
  logBlocks: number,
  rpc: EthereumRpc,
): Promise<Readonly<Record<string, unknown>>> {
  const { address, topics } = filter;
  const [fromBlock, toBlock] = [blockTag(filter.fromBlock), blockTag(filter.toBlock)];
  if (fromBlock !== toBlock) {
    const head = jsonNumber(await rpc.ask('eth_blockNumber'), 'block number');
    const span = height(toBlock, head) - height(fromBlock, head) + 1;
    if (span > logBlocks) throw invalid(`logs are read over ${logBlocks} blocks at most`);
  }
  return {
    fromBlock,
    toBlock,
    ...(address !== undefined && address !== null && { address: addresses(address) }),
    ...(topics !== undefined && topics !== null && { topics: topicList(topics) }),
  };
}

/** `latest`, `pending`, `safe` and `finalized` count as the head: a span is never taken for longer than it can be. */
function height(tag: string, head: number): number {
  if (tag === 'earliest') return 0;
  return tag.startsWith('0x') ? Math.min(Number(tag), head) : head;
}

function addresses(value: unknown): string | string[] {
  if (Array.isArray(value) && value.length <= MAX_ADDRESSES) return value.map((item: unknown) => oneAddress(item));
  return oneAddress(value);
}

function oneAddress(value: unknown): string {
  if (typeof value === 'string' && /^0x[0-9a-fA-F]{40}$/.test(value)) return getAddress(value.toLowerCase());
  throw invalid('the filter’s address is none');
}

function topicList(value: unknown): unknown[] {
  if (!Array.isArray(value) || value.length > MAX_TOPICS) throw invalid('topics are a list of four at most');
  return value.map((topic: unknown) => {
    if (!Array.isArray(topic)) return oneTopic(topic);
    if (topic.length > MAX_ALTERNATIVES) throw invalid('a topic has too many alternatives');
    return topic.map((item: unknown) => oneTopic(item));
  });
}

function oneTopic(value: unknown): string | null {
  if (value === null) return null;
  if (typeof value === 'string' && /^0x[0-9a-fA-F]{64}$/.test(value)) return value;
  throw invalid('a topic is 32 bytes or null');
}

const invalid = (message: string): CactusError => new CactusError('ARGUMENTS_INVALID', message);
