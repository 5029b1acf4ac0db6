/** The port to an EVM node: what an observer asks it, already checked for form and for agreement with the question. */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { EvmLog } from '@drawbridge/protocol/observer-evidence';

/** Chain id, and hash of block 0. */
export type ChainIdentity = Readonly<{ chainId: number; genesisHash: Bytes32 }>;

/** `blockHash` is of the block that the node holds canonical at the number asked for; absent where it has none. */
export type BlockSight = Readonly<{ headNumber: number; blockHash?: Bytes32 }>;

export type Receipt = Readonly<{
  blockNumber: number;
  blockHash: Bytes32;
  succeeded: boolean;
  /** Those of the transaction; each agrees with the receipt. */
  logs: readonly EvmLog[];
}>;

/** One look at a node. Its parts may be moments apart: look again before relying on them together. */
export type Sighting = BlockSight & Readonly<{ identity: ChainIdentity; receipt?: Receipt }>;

export interface EvmNode {
  /** @throws NodeError */
  identity(): Promise<ChainIdentity>;
  /** @throws NodeError */
  look(at: Readonly<{ blockNumber: number; transactionHash: Bytes32 }>): Promise<Sighting>;
  /** @throws NodeError */
  block(blockNumber: number): Promise<BlockSight>;
}

/** No usable answer: the node is away, slow, refuses, or says what cannot be. The message repeats nothing it said. */
export class NodeError extends Error {
  override readonly name = 'NodeError';
  readonly code: 'NODE_UNREACHABLE' | 'NODE_TIMEOUT' | 'NODE_REFUSED' | 'NODE_ANSWER_INVALID';

  constructor(code: NodeError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
