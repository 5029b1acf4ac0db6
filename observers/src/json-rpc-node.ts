/**
 * `EvmNode` over the Ethereum JSON-RPC (execution-apis: `eth_chainId`, `eth_blockNumber`, `eth_getBlockByNumber`,
 * `eth_getTransactionReceipt`). Nothing is taken on trust: each answer must have its form and fit its question.
 */
import { type Bytes32, type Hex, parseBytes32, parseHex } from '@drawbridge/protocol/bytes32';
import { parseEvmAddress } from '@drawbridge/protocol/ids';
import type { EvmLog } from '@drawbridge/protocol/observer-evidence';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import {
  type BlockSight,
  type ChainIdentity,
  type EvmNode,
  NodeError,
  type Receipt,
  type Sighting,
} from './evm-node.ts';
import { callBatch, type JsonRpcCall, type JsonRpcOptions } from './json-rpc-batch.ts';

/** More logs than fit the gas of one block on any network that we know. */
const MAX_LOGS = 20_000;

const quantity = (value: number): string => `0x${value.toString(16)}`;
const blockCall = (number: number): JsonRpcCall => ({
  method: 'eth_getBlockByNumber',
  params: [quantity(number), false],
});
const CHAIN_ID: JsonRpcCall = { method: 'eth_chainId', params: [] };
const HEAD: JsonRpcCall = { method: 'eth_blockNumber', params: [] };

export function jsonRpcNode(options: JsonRpcOptions): EvmNode {
  const ask = async <T>(calls: readonly JsonRpcCall[], read: (results: readonly unknown[]) => T): Promise<T> => {
    const results = await callBatch(options, calls);
    try {
      return read(results);
    } catch (cause) {
      if (isProtocolError(cause)) throw new NodeError('NODE_ANSWER_INVALID', 'the node answered wrong hex', { cause });
      throw cause;
    }
  };
  return {
    identity: () => ask([CHAIN_ID, blockCall(0)], ([chainId, genesis]) => readIdentity(chainId, genesis)),
    block: (blockNumber) =>
      ask([HEAD, blockCall(blockNumber)], ([head, block]) => readBlockSight(head, block, blockNumber)),
    look: ({ blockNumber, transactionHash }) =>
      ask(
        [
          CHAIN_ID,
          blockCall(0),
          HEAD,
          blockCall(blockNumber),
          { method: 'eth_getTransactionReceipt', params: [transactionHash] },
        ],
        ([chainId, genesis, head, block, receipt]): Sighting => ({
          identity: readIdentity(chainId, genesis),
          ...readBlockSight(head, block, blockNumber),
          ...(receipt === null ? {} : { receipt: readReceipt(receipt, transactionHash) }),
        }),
      ),
  };
}

const wrong = (what: string): never => {
  throw new NodeError('NODE_ANSWER_INVALID', `the node's answer has ${what}`);
};

type Fields = ReadonlyMap<string, unknown>;
function object(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong(`no ${what}`);
  return new Map(Object.entries(value));
}
const text = (value: unknown, what: string): string => (typeof value === 'string' ? value : wrong(`no ${what}`));
const word = (fields: Fields, name: string): Bytes32 => parseBytes32(text(fields.get(name), name), name);

/** A quantity of the JSON-RPC: hex without leading zeros; below 2⁵³ here. */
function readQuantity(value: unknown, what: string): number {
  const digits = text(value, what);
  const number = /^0x(?:0|[1-9a-f][0-9a-f]*)$/i.test(digits) ? Number(digits) : wrong(`a wrong ${what}`);
  return Number.isSafeInteger(number) ? number : wrong(`too large a ${what}`);
}

function readIdentity(chainId: unknown, genesis: unknown): ChainIdentity {
  const block = object(genesis, 'genesis block');
  if (readQuantity(block.get('number'), 'block number') !== 0) wrong('another block for the genesis block');
  return { chainId: readQuantity(chainId, 'chain id'), genesisHash: word(block, 'hash') };
}

function readBlockSight(head: unknown, block: unknown, blockNumber: number): BlockSight {
  const headNumber = readQuantity(head, 'head number');
  if (block === null) return { headNumber };
  const fields = object(block, 'block');
  if (readQuantity(fields.get('number'), 'block number') !== blockNumber) wrong('another block than was asked for');
  return { headNumber, blockHash: word(fields, 'hash') };
}

function readReceipt(value: unknown, transactionHash: Bytes32): Receipt {
  const fields = object(value, 'receipt');
  if (word(fields, 'transactionHash') !== transactionHash) wrong('the receipt of another transaction');
  const place = {
    blockNumber: readQuantity(fields.get('blockNumber'), 'block number'),
    blockHash: word(fields, 'blockHash'),
  };
  const logs = fields.get('logs');
  if (!Array.isArray(logs) || logs.length > MAX_LOGS) return wrong('no list of logs, or too many');
  return {
    ...place,
    succeeded: readQuantity(fields.get('status'), 'status') === 1,
    logs: logs.map((log: unknown) => readLog(log, { ...place, transactionHash })),
  };
}

type Place = Readonly<{ blockNumber: number; blockHash: Bytes32; transactionHash: Bytes32 }>;

function readLog(value: unknown, place: Place): EvmLog {
  const fields = object(value, 'log');
  if (fields.get('removed') === true) wrong('a log that was removed');
  const log: EvmLog = {
    blockNumber: readQuantity(fields.get('blockNumber'), 'block number'),
    blockHash: word(fields, 'blockHash'),
    transactionHash: word(fields, 'transactionHash'),
    logIndex: readQuantity(fields.get('logIndex'), 'log index'),
    address: parseEvmAddress(text(fields.get('address'), 'address')),
    topics: readTopics(fields.get('topics')),
    data: readData(fields.get('data')),
  };
  const fits =
    log.blockNumber === place.blockNumber &&
    log.blockHash === place.blockHash &&
    log.transactionHash === place.transactionHash;
  return fits ? log : wrong('a log that does not fit its receipt');
}

function readTopics(value: unknown): Bytes32[] {
  if (!Array.isArray(value) || value.length > 4) return wrong('no list of at most 4 topics');
  return value.map((topic: unknown) => parseBytes32(text(topic, 'topic'), 'topic'));
}

const readData = (value: unknown): Hex => parseHex(text(value, 'data'), 'data');
