/**
 * Block headers of the Ethereum family, from RLP. The order of the fields is Frontier's fifteen, then those that forks
 * added, each behind the one before; how many there are is the registration's word, never the courier's.
 */
import { type Bytes32, type Hex, toBytes32, toHex } from '@drawbridge/protocol/bytes32';
import { MAX_HEADER_BYTES } from '@drawbridge/protocol/consensus-evidence';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { RLP } from '@ethereumjs/rlp';
import { decodeRlp, itemsAround, listOfEncoded, type RlpItem } from './bounded-rlp.ts';
import { type ConsensusRefusal, refuse } from './consensus-refusal.ts';
import { keccak256 } from './keccak.ts';

/** keccak256 of the RLP of an empty list: the block has no uncles. */
export const NO_UNCLES: Bytes32 = '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347' as Bytes32;
/** No header has more fields than this, in any fork to come that governance could register. */
const MAX_FIELDS = 32;
const EXTRA_DATA = 12;
const NUMBER = 8;

export type EthereumHeader = Readonly<{
  parentHash: Bytes32;
  unclesHash: Bytes32;
  miner: EvmAddress;
  receiptsRoot: Bytes32;
  difficulty: number;
  number: number;
  /** Seconds since 1970. */
  timestampS: number;
  extraData: Uint8Array;
  mixHash: Bytes32;
  /** 8 bytes. */
  nonce: Hex;
  /** All of it as it came. Fields behind the nonce bind the hash and are not looked into. */
  rlp: Uint8Array;
}>;

export type HeaderDecoding = Readonly<{ ok: true; header: EthereumHeader }> | ConsensusRefusal;

/** How many fields a header has from a block on, ascending, the first from 0. */
export type HeaderFields = readonly Readonly<{ fromBlock: number; count: number }>[];

/** Lengths of the fields before the number, and of those after it that have one. */
const LENGTHS: readonly (readonly [field: number, bytes: number])[] = [
  [0, 32],
  [1, 32],
  [2, 20],
  [3, 32],
  [4, 32],
  [5, 32],
  [6, 256],
  [13, 32],
  [14, 8],
];
/** Difficulty, number, timestamp. */
const SCALARS: readonly number[] = [7, 8, 11];
/** Gas limit and gas used, which nothing here counts: networks without fees write limits of any size. */
const GAS: readonly number[] = [9, 10];
const MAX_GAS_BYTES = 32;

/** A minimal big-endian number; `undefined` for leading zeros and for what JavaScript cannot count. */
export function scalarOf(bytes: Uint8Array): number | undefined {
  if (bytes[0] === 0) return undefined;
  let value = 0;
  for (const byte of bytes) value = value * 256 + byte;
  return Number.isSafeInteger(value) ? value : undefined;
}

const areStrings = (items: readonly RlpItem[]): items is readonly Uint8Array[] =>
  items.every((item) => item instanceof Uint8Array);

function countAt(fields: HeaderFields, number: number): number | undefined {
  return fields.findLast(({ fromBlock }) => fromBlock <= number)?.count;
}

/** How many fields a header has; `undefined` for what is not one canonical list of strings. */
export function headerFieldCount(input: Uint8Array): number | undefined {
  const items = decodeRlp(input, { bytes: MAX_HEADER_BYTES, items: MAX_FIELDS + 1, depth: 1 });
  return Array.isArray(items) && areStrings(items) ? items.length : undefined;
}

/** Decodes one header strictly: canonical RLP, flat, known lengths, as many fields as its block number asks. O(bytes). */
export function decodeHeader(input: Uint8Array, expected: HeaderFields): HeaderDecoding {
  const items = decodeRlp(input, { bytes: MAX_HEADER_BYTES, items: MAX_FIELDS + 1, depth: 1 });
  if (!Array.isArray(items) || !areStrings(items)) return refuse('form', 'the header is not one canonical RLP list');
  const number = scalarOf(items[NUMBER] ?? new Uint8Array(1));
  if (number === undefined) return refuse('form', 'the header has no block number');
  const count = countAt(expected, number);
  if (items.length !== count) return refuse('fields', `the header has ${items.length} fields instead of ${count}`);
  if (LENGTHS.some(([at, bytes]) => items[at]?.length !== bytes)) {
    return refuse('form', 'a field of the header has another length');
  }
  if (SCALARS.some((at) => scalarOf(items[at] ?? new Uint8Array(1)) === undefined)) {
    return refuse('form', 'a number in the header is not minimal, or too large');
  }
  if (GAS.some((at) => items[at]?.[0] === 0 || (items[at]?.length ?? 0) > MAX_GAS_BYTES)) {
    return refuse('form', 'gas in the header is not minimal, or too large');
  }
  return { ok: true, header: headerOf(input, items, number) };
}

function headerOf(rlp: Uint8Array, fields: readonly Uint8Array[], number: number): EthereumHeader {
  const at = (index: number): Uint8Array => fields[index] ?? new Uint8Array();
  return {
    parentHash: toBytes32(at(0)),
    unclesHash: toBytes32(at(1)),
    miner: toHex(at(2)) as EvmAddress,
    receiptsRoot: toBytes32(at(5)),
    difficulty: scalarOf(at(7)) ?? 0,
    number,
    timestampS: scalarOf(at(11)) ?? 0,
    extraData: at(EXTRA_DATA),
    mixHash: toBytes32(at(13)),
    nonce: toHex(at(14)),
    rlp,
  };
}

/**
 * keccak256 of the header's RLP, with other extra data where a rule leaves seals out of what it hashes. The other fields are
 * hashed as they came: they were canonical, and encoding them anew would give the same.
 */
export function headerHash({ rlp }: EthereumHeader, extraData?: Uint8Array): Uint8Array {
  if (extraData === undefined) return keccak256(rlp);
  const { before, behind } = itemsAround(rlp, EXTRA_DATA);
  return keccak256(listOfEncoded(before, RLP.encode(extraData), behind));
}
