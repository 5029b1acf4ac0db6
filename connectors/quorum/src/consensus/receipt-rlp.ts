/** Receipts as a node answers them, and as consensus encodes them (EIP-2718, EIP-658). */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { type Input, RLP } from '@ethereumjs/rlp';
import { malformed, type RpcObject, rpcBytes, rpcList, rpcNumber, rpcObject, rpcScalar, rpcWord } from './rpc-value.ts';

const BLOOM_BYTES = 256;
const ADDRESS_BYTES = 20;
/** Largest type of EIP-2718. */
const MAX_TYPE = 0x7f;
const SUCCEEDED = Uint8Array.of(1);

export type BlockReceipt = Readonly<{
  transactionHash: Bytes32;
  /** Positions of its logs in the block, as the node counts them, in order. */
  logIndexes: readonly number[];
  /** Consensus encoding of what the node answered. */
  encoded: Uint8Array;
  /** The encoding if the transaction is private: to the public chain it succeeded and logged nothing. */
  encodedAsPrivate: Uint8Array;
}>;

/** Where a receipt must stand. */
export type ReceiptPlace = Readonly<{ blockHash: Bytes32; transactionHash: Bytes32; transactionIndex: number }>;

/** @throws LedgerUnavailableError for anything but the receipt at that place. */
export function readReceipt(value: unknown, place: ReceiptPlace): BlockReceipt {
  const receipt = rpcObject(value, 'a receipt');
  const { blockHash, transactionHash, transactionIndex } = place;
  if (
    rpcWord(receipt.blockHash, "a receipt's block") !== blockHash ||
    rpcWord(receipt.transactionHash, "a receipt's transaction") !== transactionHash ||
    rpcNumber(receipt.transactionIndex, "a receipt's index") !== transactionIndex
  ) {
    throw malformed('the receipts of the block in order');
  }
  const logs = rpcList(receipt.logs, "a receipt's logs").map((log) => rpcObject(log, 'a log'));
  const type = receipt.type === undefined || receipt.type === null ? 0 : rpcNumber(receipt.type, "a receipt's type");
  if (type > MAX_TYPE) throw malformed("a receipt's type");
  const gasUsed = rpcScalar(receipt.cumulativeGasUsed, "a receipt's gas");
  return {
    transactionHash,
    logIndexes: logs.map((log) => rpcNumber(log.logIndex, "a log's index")),
    encoded: encode(type, [
      rpcScalar(receipt.status, "a receipt's status"),
      gasUsed,
      rpcBytes(receipt.logsBloom, "a receipt's bloom filter", BLOOM_BYTES),
      logs.map(encodeLog),
    ]),
    encodedAsPrivate: encode(type, [SUCCEEDED, gasUsed, new Uint8Array(BLOOM_BYTES), []]),
  };
}

function encode(type: number, fields: Input[]): Uint8Array {
  const list = RLP.encode(fields);
  return type === 0 ? list : Buffer.concat([Uint8Array.of(type), list]);
}

function encodeLog(log: RpcObject): Input {
  const topics = rpcList(log.topics, "a log's topics");
  return [
    rpcBytes(log.address, "a log's address", ADDRESS_BYTES),
    topics.map((topic) => rpcBytes(topic, "a log's topic", 32)),
    rpcBytes(log.data, "a log's data"),
  ];
}
