/** A node whose whole view is an object that a test changes, and one lock of a vault in it. */
import { type Bytes32, toBytes32 } from '@drawbridge/protocol/bytes32';
import { VAULT_TOPICS } from '@drawbridge/protocol/evm-vault-log';
import { parseEvmAddress, parseNetworkId } from '@drawbridge/protocol/ids';
import type { AttestRequest } from '@drawbridge/protocol/observer-api';
import type { EvmLog } from '@drawbridge/protocol/observer-evidence';
import type { BlockSight, EvmNode, Sighting } from '../evm-node.ts';

export const wordOf = (byte: number): Bytes32 => toBytes32(new Uint8Array(32).fill(byte));
const padded = (value: bigint): string => value.toString(16).padStart(64, '0');

export const VAULT_LOG: EvmLog = {
  blockNumber: 100,
  blockHash: wordOf(0xb1),
  transactionHash: wordOf(0x7a),
  logIndex: 1,
  address: parseEvmAddress(`0x${'5a'.repeat(20)}`),
  topics: [
    VAULT_TOPICS.locked,
    toBytes32(Uint8Array.from({ length: 32 }, (_, i) => (i === 31 ? 1 : 0))),
    wordOf(2),
    wordOf(3),
  ],
  data: `0x${padded(1n)}${padded(12_345n)}`,
};

export const REQUEST: AttestRequest = {
  network: parseNetworkId('alpha'),
  blockNumber: VAULT_LOG.blockNumber,
  blockHash: VAULT_LOG.blockHash,
  transactionHash: VAULT_LOG.transactionHash,
  logIndex: VAULT_LOG.logIndex,
};

/** The block stands 5 deep, and the receipt has the log. */
export const SIGHT: Sighting = {
  identity: { chainId: 7, genesisHash: wordOf(0x9e) },
  headNumber: 104,
  blockHash: VAULT_LOG.blockHash,
  receipt: { blockNumber: 100, blockHash: VAULT_LOG.blockHash, succeeded: true, logs: [VAULT_LOG] },
};

export type FakeNode = EvmNode & { sight: Sighting; later: BlockSight | undefined; failure: Error | undefined };

/** `later` is what the second look sees; by default the same as the first. */
export function fakeNode(): FakeNode {
  const answer = <T>(node: FakeNode, value: T): Promise<T> =>
    node.failure ? Promise.reject(node.failure) : Promise.resolve(value);
  return {
    sight: SIGHT,
    later: undefined,
    failure: undefined,
    identity() {
      return answer(this, this.sight.identity);
    },
    look() {
      return answer(this, this.sight);
    },
    block() {
      return answer(this, this.later ?? this.sight);
    },
  };
}
