/**
 * Commit seals with low s. A seal is in no hash, and nodes take either of the two forms that each signature has; the core
 * takes the low one alone. So one validator, or a peer that relays blocks, could keep a network from being believed; here
 * each seal is written in its low form, which recovers to the same signer (EIP-2).
 */
import type { ConsensusRule } from '@drawbridge/protocol/consensus-evidence';
import { type NestedUint8Array, RLP } from '@ethereumjs/rlp';
import { concat, getBytes, toBeHex } from 'ethers';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const SEAL_BYTES = 65;
const VANITY_BYTES = 32;
const EXTRA_DATA = 12;
/** Where the list of commit seals stands in the list in the extra data; Clique's one seal is under the block's hash. */
const SEALS_AT: Readonly<Record<ConsensusRule, number | undefined>> = { qbft: 4, ibft2: 4, ibft: 2, clique: undefined };

/** The header with every commit seal in its low form; as it is where it is not what the rule asks: the core then says so. */
export function withLowSeals(header: Uint8Array, rule: ConsensusRule): Uint8Array {
  const place = SEALS_AT[rule];
  if (place === undefined) return header;
  const fields = listOf(header);
  const extra = fields?.[EXTRA_DATA];
  if (!fields || !(extra instanceof Uint8Array)) return header;
  const vanity = rule === 'ibft' ? extra.subarray(0, VANITY_BYTES) : new Uint8Array();
  const parts = listOf(extra.subarray(vanity.length));
  const seals = parts?.[place];
  if (!parts || !Array.isArray(seals) || !seals.some(isHigh)) return header;
  const low = seals.map((seal) => (isHigh(seal) ? lowForm(seal) : seal));
  const written = getBytes(concat([vanity, RLP.encode(parts.with(place, low))]));
  return RLP.encode(fields.with(EXTRA_DATA, written));
}

type Item = NestedUint8Array[number];

function listOf(bytes: Uint8Array): readonly Item[] | undefined {
  try {
    const item = RLP.decode(bytes);
    return Array.isArray(item) ? item : undefined;
  } catch {
    // The library throws for nothing but bytes that are not RLP.
    return undefined;
  }
}

const sOf = (seal: Uint8Array): bigint => BigInt(`0x${Buffer.from(seal.subarray(32, 64)).toString('hex')}`);

const isHigh = (seal: Item): seal is Uint8Array =>
  seal instanceof Uint8Array && seal.length === SEAL_BYTES && sOf(seal) > ORDER / 2n && sOf(seal) < ORDER;

function lowForm(seal: Uint8Array): Uint8Array {
  const s = getBytes(toBeHex(ORDER - sOf(seal), 32));
  return getBytes(concat([seal.subarray(0, 32), s, Uint8Array.of((seal[64] ?? 0) ^ 1)]));
}
