/** What a header says by its rule, before anything is checked against a chain; and the parts that rules share. */
import { type Bytes32, type Hex, toHex, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import { MAX_HEADER_BYTES } from '@drawbridge/protocol/consensus-evidence';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { decodeRlp, type RlpItem } from './bounded-rlp.ts';
import type { ConsensusRefusal } from './consensus-refusal.ts';
import { type EthereumHeader, NO_UNCLES } from './ethereum-header.ts';

/** `signature` as it came, over `digest`. */
export type Seal = Readonly<{ digest: Uint8Array; signature: Uint8Array }>;
export type HeaderVote = Readonly<{ candidate: EvmAddress; add: boolean }>;

/** Addresses and digests are computed when they are asked for: whoever proves an event only wants the hash. */
export type HeaderReading = Readonly<{
  ok: true;
  /** Of the block, by the rule: the same in every sealed copy. */
  hash: Bytes32;
  /** Named, or to be recovered from a seal. */
  proposer: EvmAddress | Seal;
  vote?: HeaderVote;
  /** The set that the header says seals this block; with rule `clique` only in epoch blocks. */
  listed?: readonly EvmAddress[];
  /** Commit seals of the set. Rule `clique` has none: there the proposer's seal is all. */
  commit?: Readonly<{ digest: Uint8Array; signatures: readonly Uint8Array[] }>;
}>;

/** Bytes that a proposer may fill as it likes, before the rest of the extra data. */
export const VANITY_BYTES = 32;
/** RLP of no bytes, and of no items. */
export const NO_BYTES: Uint8Array = Uint8Array.of(0x80);
export const NO_ITEMS: Uint8Array = Uint8Array.of(0xc0);
export const ADDRESS_BYTES = 20;
export const NONCE_ZEROS: Hex = `0x${'00'.repeat(8)}`;
export const NONCE_ONES: Hex = `0x${'ff'.repeat(8)}`;
export const NO_ADDRESS: EvmAddress = `0x${'00'.repeat(20)}` as EvmAddress;
/** "tcical byzantine fault tolerance" with a c in front: the mark of all Istanbul rules. */
const BFT_MIX_HASH: Bytes32 = '0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365' as Bytes32;

/** Room for 256 validators who all seal. */
const EXTRA_BOUNDS = { bytes: MAX_HEADER_BYTES, items: 530, depth: 2 } as const;

/** The list in extra data; `undefined` unless it is canonical RLP and has `arity` items. */
export function extraList(bytes: Uint8Array, arity: number): readonly RlpItem[] | undefined {
  const list = decodeRlp(bytes, EXTRA_BOUNDS);
  return Array.isArray(list) && list.length === arity ? list : undefined;
}

export const isString = (item: RlpItem | undefined, length: number): item is Uint8Array =>
  item instanceof Uint8Array && item.length === length;

/** A list of strings, each of `length` bytes where it is given; `undefined` for anything else. */
export function stringsOf(item: RlpItem | undefined, length?: number): readonly Uint8Array[] | undefined {
  if (!Array.isArray(item)) return undefined;
  const strings = item.filter((part) => part instanceof Uint8Array && part.length === (length ?? part.length));
  return strings.length === item.length ? (strings as readonly Uint8Array[]) : undefined;
}

export const addressOf = (bytes: Uint8Array): EvmAddress => toHex(bytes) as EvmAddress;

/**
 * `[candidate, ff]` adds; `[candidate, empty]` drops, which other clients write as the byte 00. `undefined`: no vote.
 * Whoever hashes the vote must do so as it came.
 */
export function voteOf(ballot: RlpItem | undefined): HeaderVote | undefined {
  const [candidate, kind] = Array.isArray(ballot) && ballot.length === 2 ? ballot : [];
  if (!isString(candidate, 20) || !(kind instanceof Uint8Array)) return undefined;
  const text = toHex(kind);
  const add = text === '0xff';
  return add || text === '0x' || text === '0x00' ? { candidate: toHex(candidate) as EvmAddress, add } : undefined;
}

/** What is wrong with fields that no Istanbul rule uses, or `undefined`. */
export function bftConstantFault({ unclesHash, mixHash, difficulty }: EthereumHeader): string | undefined {
  if (mixHash !== BFT_MIX_HASH) return 'the mix hash is not that of the rule';
  if (difficulty !== 1) return 'the difficulty is not 1';
  if (unclesHash !== NO_UNCLES) return 'the block has uncles';
  return undefined;
}

/** The same for rule `clique`, whose difficulty means something. */
export function cliqueConstantFault({ unclesHash, mixHash }: EthereumHeader): string | undefined {
  if (mixHash !== ZERO_BYTES32) return 'the mix hash is not zero';
  if (unclesHash !== NO_UNCLES) return 'the block has uncles';
  return undefined;
}

/** Where miner and nonce are the vote. Nobody proposed writes zeros in both. */
export function minerVote({ miner, nonce }: EthereumHeader): HeaderVote | undefined {
  const add = nonce === NONCE_ONES;
  return miner === NO_ADDRESS && !add ? undefined : { candidate: miner, add };
}

export type Reading = HeaderReading | ConsensusRefusal;
