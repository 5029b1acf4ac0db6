/**
 * Sealed headers of all four rules: what they say, who proposed them, and whether the set that seals at their height sealed
 * them. A header is refused whole for one bad seal: a duplicate, a stranger's, one with high s. Clients take the latter, so
 * connectors hand commit seals in with low s.
 */
import { type Bytes32, toBytes32 } from '@drawbridge/protocol/bytes32';
import type { ConsensusRule } from '@drawbridge/protocol/consensus-evidence';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { readCliqueHeader } from './clique-header.ts';
import { type ConsensusRefusal, refuse } from './consensus-refusal.ts';
import { decodeHeader, type EthereumHeader, type HeaderFields, headerFieldCount } from './ethereum-header.ts';
import type { HeaderReading, HeaderVote, Reading, Seal } from './header-reading.ts';
import { readIbftHeader } from './ibft-header.ts';
import { readIbft2Header } from './ibft2-header.ts';
import { keccak256 } from './keccak.ts';
import { readQbftHeader } from './qbft-header.ts';

/** Who signed; `undefined` for whatever names no signer. Must not throw. */
export type SealRecovery = (
  /** 32 bytes. */
  digest: Uint8Array,
  /** r ‖ s, 64 bytes, s low. */
  signature: Uint8Array,
  recovery: 0 | 1,
) => EvmAddress | undefined;

/** How headers of a network are to be read. */
export type HeaderForm = Readonly<{ rule: ConsensusRule; epochLength: number; headerFields: HeaderFields }>;

export type SealedHeader = Readonly<{ ok: true; header: EthereumHeader; reading: HeaderReading }>;

/** Half the order of secp256k1, big-endian: the largest s that is low. */
const HALF_ORDER: readonly number[] = [
  0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x5d, 0x57, 0x6e,
  0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];
const SEAL_BYTES = 65;

/** Decodes a header and reads it by its rule. Proves nothing. */
export function readHeader(rlp: Uint8Array, form: HeaderForm): SealedHeader | ConsensusRefusal {
  const decoded = decodeHeader(rlp, form.headerFields);
  if (!decoded.ok) return decoded;
  const reading = readByRule(decoded.header, form);
  return reading.ok ? { ok: true, header: decoded.header, reading } : reading;
}

function readByRule(header: EthereumHeader, { rule, epochLength }: HeaderForm): Reading {
  switch (rule) {
    case 'qbft':
      return readQbftHeader(header);
    case 'ibft':
      return readIbftHeader(header);
    case 'ibft2':
      return readIbft2Header(header);
    case 'clique':
      return readCliqueHeader(header, epochLength);
  }
}

/**
 * Hash of the block that a header is of, whatever fields its fork has; `undefined` where it is no header of the rule. For whoever
 * reads headers from a node and would not hand in what does not hash to what the node says.
 */
export function blockHashOf(rlp: Uint8Array, rule: ConsensusRule): Bytes32 | undefined {
  const count = headerFieldCount(rlp);
  if (count === undefined) return undefined;
  if (rule === 'clique') return toBytes32(keccak256(rlp));
  const read = readHeader(rlp, { rule, epochLength: 0, headerFields: [{ fromBlock: 0, count }] });
  return read.ok ? read.reading.hash : undefined;
}

/** Which block a header is of, and what its receipts hash to. Whether the block is sealed is for the tracked chain to say. */
export function blockOf(
  rlp: Uint8Array,
  form: HeaderForm,
): Readonly<{ ok: true; number: number; hash: Bytes32; receiptsRoot: Bytes32 }> | ConsensusRefusal {
  const read = readHeader(rlp, form);
  if (!read.ok) return read;
  const { number, receiptsRoot } = read.header;
  return { ok: true, number, hash: read.reading.hash, receiptsRoot };
}

/** The signer of a seal of 65 bytes, r ‖ s ‖ v. High s is refused: with it anybody could make a second seal of one. */
function signerOf({ digest, signature }: Seal, recover: SealRecovery): EvmAddress | ConsensusRefusal {
  const v = signature[SEAL_BYTES - 1];
  if (signature.length !== SEAL_BYTES) return refuse('seal', `a seal has ${signature.length} bytes instead of 65`);
  if (v !== 0 && v !== 1) return refuse('seal', 'the recovery id of a seal is neither 0 nor 1');
  if (isHigh(signature.subarray(32, 64))) return refuse('seal', 's of a seal is high');
  return recover(digest, signature.subarray(0, 64), v) ?? refuse('seal', 'a seal is no signature');
}

/** Whether s of a signature, 32 bytes, is above half the order: with it anybody could make a second signature of one. */
export function isHigh(s: Uint8Array): boolean {
  const at = HALF_ORDER.findIndex((byte, i) => byte !== s[i]);
  return at >= 0 && (s[at] ?? 0) > (HALF_ORDER[at] ?? 0);
}

/** What a header does to the chain. At most one signature is recovered. */
export type HeaderFacts = Readonly<{
  number: number;
  hash: Bytes32;
  parentHash: Bytes32;
  timestampS: number;
  proposer: EvmAddress;
  vote?: HeaderVote;
}>;

export function factsOf(
  { header, reading }: SealedHeader,
  recover: SealRecovery,
): Readonly<{ ok: true; facts: HeaderFacts }> | ConsensusRefusal {
  const { number, parentHash, timestampS } = header;
  const { hash, vote } = reading;
  const proposer = typeof reading.proposer === 'string' ? reading.proposer : signerOf(reading.proposer, recover);
  if (typeof proposer !== 'string') return proposer;
  return { ok: true, facts: { number, hash, parentHash, timestampS, proposer, ...(vote && { vote }) } };
}

/** Seals that a set of BFT validators must give: ⌈2N/3⌉, which is never less than any client of these rules asks. */
export const quorumOf = (validators: number): number => Math.ceil((2 * validators) / 3);

/**
 * What is wrong with listed set, difficulty or commit seals of a header that `validators` (ascending) were to seal, or
 * `undefined`. `proposer` is a member. At most one signature for each member is recovered, and none of too many or too few.
 */
export function sealFault(
  { header, reading }: SealedHeader,
  proposer: EvmAddress,
  validators: readonly EvmAddress[],
  recover: SealRecovery,
): ConsensusRefusal | undefined {
  const { listed, commit } = reading;
  if (listed !== undefined) {
    if (listed.length === 0) return refuse('listed', 'the header lists no validators: they may be kept in a contract');
    if (!isSet(listed, validators)) return refuse('set', 'the set that the header lists is not the tracked one');
  }
  if (commit !== undefined) return commitFault(commit, validators, recover);
  const inTurn = validators[header.number % validators.length] === proposer;
  if (header.difficulty !== (inTurn ? 2 : 1)) return refuse('turn', "the difficulty is not that of the sealer's turn");
  return undefined;
}

/** Clients list in different orders; none lists anybody twice. */
function isSet(listed: readonly EvmAddress[], validators: readonly EvmAddress[]): boolean {
  const sorted = listed.toSorted();
  return listed.length === validators.length && validators.every((validator, i) => validator === sorted[i]);
}

function commitFault(
  { digest, signatures }: NonNullable<HeaderReading['commit']>,
  validators: readonly EvmAddress[],
  recover: SealRecovery,
): ConsensusRefusal | undefined {
  const [seals, size] = [signatures.length, validators.length];
  if (seals > size) return refuse('sealCount', `${seals} seals of ${size} validators`);
  if (seals < quorumOf(size)) return refuse('quorum', `${seals} seals of the ${quorumOf(size)} that are needed`);
  const sealers = new Set<EvmAddress>();
  for (const signature of signatures) {
    const sealer = signerOf({ digest, signature }, recover);
    if (typeof sealer !== 'string') return sealer;
    if (!validators.includes(sealer)) return refuse('sealer', 'a seal is not by a member of the set');
    if (sealers.has(sealer)) return refuse('distinctSealers', 'a member sealed twice');
    sealers.add(sealer);
  }
  return undefined;
}
