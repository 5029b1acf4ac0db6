/** Receipts and their trie as a node makes them, for tests, benchmarks and the check of recordings. */
import { type Bytes32, fromHex, type Hex, toBytes32 } from '@drawbridge/protocol/bytes32';
import { createMerkleProof, createMPT } from '@ethereumjs/mpt';
import { RLP } from '@ethereumjs/rlp';
import { concatBytes } from '@noble/hashes/utils.js';

/** A log as JSON-RPC gives it. */
export type PlainLog = Readonly<{ address: Hex; topics: readonly Hex[]; data: Hex }>;
/** The parts of a receipt that consensus encodes. */
export type PlainReceipt = Readonly<{
  /** 0: untyped. */
  type: number;
  succeeded: boolean;
  cumulativeGasUsed: bigint;
  /** 256 bytes. */
  logsBloom: Hex;
  logs: readonly PlainLog[];
}>;

/** The consensus encoding: the value in the trie. */
export function encodeReceipt(receipt: PlainReceipt): Uint8Array {
  const fields = RLP.encode([
    receipt.succeeded ? 1 : 0,
    receipt.cumulativeGasUsed,
    fromHex(receipt.logsBloom),
    receipt.logs.map(({ address, topics, data }) => [fromHex(address), topics.map(fromHex), fromHex(data)]),
  ]);
  return receipt.type === 0 ? fields : concatBytes(Uint8Array.of(receipt.type), fields);
}

export type ReceiptTrie = Readonly<{
  root: Bytes32;
  /** Nodes from the root to the receipt at the index, or as far as the trie goes towards it. */
  proofOf: (transactionIndex: number) => Promise<readonly Uint8Array[]>;
}>;

/** The trie of the receipts of one block, by their index. */
export async function receiptTrie(receipts: readonly Uint8Array[]): Promise<ReceiptTrie> {
  const trie = await createMPT();
  for (const [index, receipt] of receipts.entries()) await trie.put(RLP.encode(index), receipt);
  return {
    root: toBytes32(trie.root()),
    proofOf: (transactionIndex) => createMerkleProof(trie, RLP.encode(transactionIndex)),
  };
}
