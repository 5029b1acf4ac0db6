/** What a consensus proof is made from, as a node gives it. All of it is the node's word: the core checks every byte. */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { BlockReceipt } from './receipt-rlp.ts';

export type SealedBlock = Readonly<{
  number: number;
  hash: Bytes32;
  parentHash: Bytes32;
  receiptsRoot: Bytes32;
  /** RLP, with the seals that this node has: others may have other seals under the same hash. */
  header: Uint8Array;
  /** Hashes of its transactions, in order. */
  transactions: readonly Bytes32[];
}>;

/** Throws `LedgerUnavailableError` when the node gives no answer, or another one than it was asked for. */
export interface SealedBlocks {
  blockNumber(): Promise<number>;
  /** `undefined`: the node has no such block yet. */
  sealedBlock(number: number): Promise<SealedBlock | undefined>;
  /** One receipt for each transaction of the block, in order. */
  blockReceipts(block: SealedBlock): Promise<readonly BlockReceipt[]>;
  /** Positions of transactions that may be GoQuorum's private ones: by `v` = 37 or 38, which chain 1 shares. */
  privateTransactions(block: SealedBlock): Promise<ReadonlySet<number>>;
}
