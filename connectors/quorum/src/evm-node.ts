/**
 * One EVM node, as this connector needs it. Answers are values, refusals too; the only error is that there was no
 * answer: `LedgerUnavailableError`.
 */
import type { Bytes32, Hex } from '@drawbridge/protocol/bytes32';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import type { EvmLog } from '@drawbridge/protocol/observer-evidence';

/** A block number, or the node's idea of the newest block, or of the block that comes next. */
export type BlockTag = number | 'latest' | 'pending';

export type EvmBlock = Readonly<{
  number: number;
  hash: Bytes32;
  timestampSeconds: number;
  /** Absent on chains from before London: they take legacy fees. */
  baseFeeWei?: bigint;
}>;

export type EvmReceipt = Readonly<{ blockNumber: number; blockHash: Bytes32; success: boolean }>;

/** Why a node did not take a raw transaction; `other` is a node's word that this list does not know. */
export type SendRefusal =
  | 'nonce-too-low'
  | 'already-known'
  | 'replacement-underpriced'
  | 'underpriced'
  | 'no-funds'
  | 'pool-full'
  | 'gas-limit'
  | 'other';

/** `data` is the revert's ABI-encoded error, `0x` for none. */
export type Reverted = Readonly<{ type: 'reverted'; data: Hex }>;
/** The node would not even try, for instance because it has no state of that block any more. */
export type Refused = Readonly<{ type: 'refused'; refusal: SendRefusal }>;
export type CallRequest = Readonly<{ from?: EvmAddress; to: EvmAddress; data: Hex }>;

export interface EvmNode {
  chainId(): Promise<number>;
  blockNumber(): Promise<number>;
  block(tag: number | 'latest'): Promise<EvmBlock | undefined>;
  /** `latest`: the next nonce by mined transactions; `pending`: by the node's pool as well. */
  transactionCount(address: EvmAddress, tag: 'latest' | 'pending'): Promise<number>;
  receipt(hash: Bytes32): Promise<EvmReceipt | undefined>;
  /** Whether the node has the transaction, mined or in its pool. */
  knowsTransaction(hash: Bytes32): Promise<boolean>;
  /** `undefined`: taken. */
  sendRaw(raw: Hex): Promise<SendRefusal | undefined>;
  estimateGas(
    request: CallRequest,
    tag: BlockTag,
  ): Promise<Readonly<{ type: 'gas'; gas: bigint }> | Reverted | Refused>;
  call(request: CallRequest, tag: BlockTag): Promise<Readonly<{ type: 'returned'; data: Hex }> | Reverted | Refused>;
  logs(query: { addresses: readonly EvmAddress[]; fromBlock: number; toBlock: number }): Promise<EvmLog[]>;
  gasPriceWei(): Promise<bigint>;
  /** The node's advice for the tip; `undefined` where it gives none. */
  priorityFeeWei(): Promise<bigint | undefined>;
}
