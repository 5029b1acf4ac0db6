/**
 * A sound item that proves a lock of EUR 123.45 by consensus, and its trust root, for tests: a block of receipts under a
 * tracked Clique header. Parts can be replaced before anything is hashed, so that a forgery can stand in a true block.
 */
import { type Bytes32, fromHex, type Hex, toBytes32, toHex } from '@drawbridge/protocol/bytes32';
import type { ConsensusEvidence } from '@drawbridge/protocol/consensus-evidence';
import { type EvmAddress, parseNetworkId } from '@drawbridge/protocol/ids';
import { RLP } from '@ethereumjs/rlp';
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { ConsensusTrustRoot } from '../consensus-evidence.ts';
import { LOCK_LOG, wordOf } from './observed-lock.ts';
import { encodeReceipt, type PlainLog, type PlainReceipt, receiptTrie } from './receipt-trie.ts';

export const VAULT: EvmAddress = LOCK_LOG.address;
/** Event 1 of the vault. */
export const LOCK: PlainLog = { address: VAULT, topics: LOCK_LOG.topics, data: LOCK_LOG.data };
/** Of a token, as stands beside each lock. */
export const TRANSFER: PlainLog = {
  address: `0x${'70'.repeat(20)}`,
  topics: [wordOf(0xdd), wordOf(4), wordOf(5)],
  data: `0x${'00'.repeat(31)}07`,
};

/** A receipt of type 2 with the logs of one deposit. */
export const LOCK_RECEIPT: PlainReceipt = {
  type: 2,
  succeeded: true,
  cumulativeGasUsed: 90_000n,
  logsBloom: `0x${'00'.repeat(256)}`,
  logs: [TRANSFER, LOCK],
};
export const LOCK_LOG_INDEX = 1;

/** `count` receipts of types 0, 1 and 2; the lock's is at `index`. */
export function receiptsAround(lock: Uint8Array, count: number, index: number): Uint8Array[] {
  return Array.from({ length: count }, (_, at) =>
    at === index
      ? lock
      : encodeReceipt({ ...LOCK_RECEIPT, type: at % 3, cumulativeGasUsed: BigInt(at + 1), logs: [TRANSFER] }),
  );
}

const SEALER = `0x${'5e'.repeat(20)}` as EvmAddress;
const EMPTY_LIST_HASH = toHex(keccak_256(RLP.encode([])));

/** RLP of a header of 15 fields as Clique has it, with a seal of zeros: nothing here looks at seals. */
export function headerWith(receiptsRoot: Bytes32, number: number): Uint8Array {
  const fields: Hex[] = [wordOf(1), EMPTY_LIST_HASH, `0x${'00'.repeat(20)}`, wordOf(2), wordOf(3), receiptsRoot];
  return RLP.encode([
    ...fields.map((field) => fromHex(field)),
    new Uint8Array(256),
    2,
    number,
    30_000_000,
    90_000,
    1_700_000_000 + number,
    new Uint8Array(97),
    new Uint8Array(32),
    new Uint8Array(8),
  ]);
}

export type ProvenLock = Readonly<{ evidence: ConsensusEvidence; root: ConsensusTrustRoot }>;

export type Change = Readonly<{
  receipt?: PlainReceipt;
  /** The encoded receipt, where it is to be none that a node would make. */
  encoded?: Uint8Array;
  /** How many receipts the block has. */
  count?: number;
  index?: number;
  number?: number;
}>;

const TRACKED_BELOW = 4;

/** Block 1,000 is proven; the chain remembers the four below it and the four above. */
export async function provenLock(change: Change = {}): Promise<ProvenLock> {
  const { receipt = LOCK_RECEIPT, count = 12, index = 7, number = 1_000 } = change;
  const trie = await receiptTrie(receiptsAround(change.encoded ?? encodeReceipt(receipt), count, index));
  const header = headerWith(trie.root, number);
  const hashes = Array.from({ length: 2 * TRACKED_BELOW + 1 }, (_, i) => wordOf(0x80 + i));
  hashes[TRACKED_BELOW] = toBytes32(keccak_256(header));
  const head = { number: number + TRACKED_BELOW, hash: hashes.at(-1) ?? wordOf(0), timestampS: 1_700_001_004 };
  return {
    evidence: {
      version: 1,
      rule: 'clique',
      kind: 'event',
      network: parseNetworkId('alpha'),
      header,
      transactionIndex: index,
      proof: await trie.proofOf(index),
      logIndexInReceipt: LOCK_LOG_INDEX,
    },
    root: {
      network: parseNetworkId('alpha'),
      vaults: [VAULT],
      chain: {
        rule: 'clique',
        epochLength: 30_000,
        maxGapBlocks: 2 * TRACKED_BELOW,
        head,
        hashes,
        sets: [{ fromBlock: number - TRACKED_BELOW, validators: [SEALER] }],
        votes: [],
        recents: [],
      },
      finality: {
        rule: 'clique',
        checkpoint: { blockNumber: 1, blockHash: wordOf(6), timestampS: 1_700_000_001, validators: [SEALER] },
        epochLength: 30_000,
        headerFields: [{ fromBlock: 0, count: 15 }],
        trustingPeriodS: 86_400,
        maxGapBlocks: 2 * TRACKED_BELOW,
        periodS: 1,
      },
    },
  };
}
