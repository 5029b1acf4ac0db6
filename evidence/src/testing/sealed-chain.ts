/**
 * Genuinely sealed headers of each rule, for tests and benchmarks: any number of validators, votes, rounds, forks. Every
 * part of a block can be replaced before it is hashed and sealed, so that a forgery can carry true seals of everybody.
 * Written from the description of the rules and not from the verifiers, whose readers it must not share.
 */
import { type Bytes32, fromHex, toBytes32, toHex } from '@drawbridge/protocol/bytes32';
import type { ConsensusRule } from '@drawbridge/protocol/consensus-evidence';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { RLP } from '@ethereumjs/rlp';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes } from '@noble/hashes/utils.js';
import type { ConsensusFinality } from '../tracked-chain.ts';
import { type Signer, signers } from './secp256k1-signers.ts';

const ZERO_ADDRESS = new Uint8Array(20);
const BFT_MIX = fromHex('63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365');
const NO_UNCLES = keccak_256(RLP.encode([]));
const EMPTY = new Uint8Array();
const ONES = new Uint8Array(8).fill(0xff);
const ZEROS = new Uint8Array(8);

/** Where a block stands and who seals it. */
export type Ground = Readonly<{
  rule: ConsensusRule;
  parent: Readonly<{ number: number; hash: Bytes32; timestampS: number }>;
  /** The set after the parent. */
  validators: readonly Signer[];
  epochLength: number;
  /** 15 and up; those above are zeros of 32 bytes, but the sixteenth, a base fee. */
  fieldCount: number;
}>;

export type Plan = Readonly<{
  proposer?: Signer;
  /** Who seals (BFT); by default as few as a quorum, the proposer not necessarily among them. */
  sealers?: readonly Signer[];
  /** By default 0. */
  round?: number;
  /** The round in the digest under the seals, where it is another than in the header. */
  sealedRound?: number;
  vote?: Readonly<{ candidate: EvmAddress; add: boolean }>;
  /** How a dropping vote is written (`qbft`): empty, or a byte 00. */
  dropMark?: Uint8Array;
  /** The set in the header; by default the true one, ascending. */
  listed?: readonly EvmAddress[];
  /** Changes the seals after they were made (BFT: commit seals; clique: the one seal). */
  seals?: (seals: readonly Uint8Array[]) => readonly Uint8Array[];
  /** Signs the proposer's seal (`ibft`), where it is another than the proposer. */
  proposerSeal?: (digest: Uint8Array) => Uint8Array;
  vanity?: Uint8Array;
  /** Fields by their place in the RLP, in place of the right ones, before hashing. */
  fields?: Readonly<Record<number, Uint8Array>>;
  timestampS?: number;
  difficulty?: number;
  receiptsRoot?: Bytes32;
}>;

export type SealedBlock = Readonly<{
  rlp: Uint8Array;
  number: number;
  hash: Bytes32;
  timestampS: number;
  proposer: Signer;
}>;

const scalar = (value: number): Uint8Array => (value === 0 ? EMPTY : fromHex(evenHex(value)));
const evenHex = (value: number): string => {
  const hex = value.toString(16);
  return hex.length % 2 === 0 ? hex : `0${hex}`;
};
const word = (seed: number): Uint8Array => keccak_256(Uint8Array.of(seed));
const sorted = (validators: readonly Signer[]): readonly Signer[] =>
  validators.toSorted((a, b) => (a.address < b.address ? -1 : 1));

/** ⌈2N/3⌉ */
export const quorum = (size: number): number => Math.floor((2 * size + 2) / 3);

const MINER = 2;
const EXTRA = 12;
const NONCE = 14;

function defaultFields({ rule, parent, fieldCount }: Ground, plan: Plan): Uint8Array[] {
  const number = parent.number + 1;
  const bft = rule !== 'clique';
  const added = Array.from({ length: fieldCount - 15 }, (_, i) => (i === 0 ? scalar(7) : new Uint8Array(32)));
  const fields = [
    fromHex(parent.hash),
    NO_UNCLES,
    ZERO_ADDRESS,
    word(1),
    word(2),
    plan.receiptsRoot === undefined ? word(3) : fromHex(plan.receiptsRoot),
    new Uint8Array(256),
    scalar(1),
    scalar(number),
    scalar(30_000_000),
    EMPTY,
    scalar(plan.timestampS ?? parent.timestampS + 1),
    EMPTY,
    bft ? BFT_MIX : new Uint8Array(32),
    ZEROS,
    ...added,
  ];
  return fields;
}

const hashOf = (fields: readonly Uint8Array[], extra: Uint8Array): Uint8Array =>
  keccak_256(RLP.encode(fields.with(EXTRA, extra)));

/** Seals one block. Whoever is next in turn proposes, unless the plan says otherwise. */
export function sealBlock(ground: Ground, plan: Plan = {}): SealedBlock {
  const validators = sorted(ground.validators);
  const number = ground.parent.number + 1;
  const proposer = plan.proposer ?? (validators[number % validators.length] as Signer);
  const fields = defaultFields(ground, plan);
  const replaced = (): Uint8Array[] => fields.map((field, at) => plan.fields?.[at] ?? field);
  const make = { qbft: sealQbft, ibft2: sealIbft2, ibft: sealIbft, clique: sealClique }[ground.rule];
  const { extra, hash, final } = make({ ground, plan, validators, proposer, fields, replaced });
  const timestampS = plan.timestampS ?? ground.parent.timestampS + 1;
  return { rlp: RLP.encode(final.with(EXTRA, extra)), number, hash: toBytes32(hash), timestampS, proposer };
}

type Making = Readonly<{
  ground: Ground;
  plan: Plan;
  validators: readonly Signer[];
  proposer: Signer;
  fields: Uint8Array[];
  /** The fields with those of the plan in place. */
  replaced: () => Uint8Array[];
}>;
type Made = Readonly<{ extra: Uint8Array; hash: Uint8Array; final: Uint8Array[] }>;

function commitSeals({ plan, validators }: Making, digest: Uint8Array): Uint8Array[] {
  const sealers = plan.sealers ?? validators.slice(0, quorum(validators.length));
  const seals = sealers.map((sealer) => sealer.seal(digest));
  return [...(plan.seals?.(seals) ?? seals)];
}

const listedOf = ({ plan, validators }: Making): Uint8Array[] =>
  (plan.listed ?? validators.map(({ address }) => address)).map(fromHex);
const vanityOf = ({ plan }: Making): Uint8Array => plan.vanity ?? new Uint8Array(32).fill(0x76);

function sealQbft(making: Making): Made {
  const { plan, proposer, fields, replaced } = making;
  fields[MINER] = fromHex(proposer.address);
  const { vote, round = 0 } = plan;
  const drop = plan.dropMark ?? EMPTY;
  const ballot = vote === undefined ? [] : [fromHex(vote.candidate), vote.add ? Uint8Array.of(0xff) : drop];
  const base = [vanityOf(making), listedOf(making), ballot];
  const final = replaced();
  const hash = hashOf(final, RLP.encode([...base, EMPTY, []]));
  const digest = hashOf(final, RLP.encode([...base, scalar(plan.sealedRound ?? round), []]));
  return { extra: RLP.encode([...base, scalar(round), commitSeals(making, digest)]), hash, final };
}

const fourBytes = (round: number): Uint8Array => Uint8Array.of(round >>> 24, round >>> 16, round >>> 8, round);

function sealIbft2(making: Making): Made {
  const { plan, proposer, fields, replaced } = making;
  fields[MINER] = fromHex(proposer.address);
  const { vote, round = 0 } = plan;
  const ballot = vote === undefined ? EMPTY : [fromHex(vote.candidate), Uint8Array.of(vote.add ? 0xff : 0)];
  const base = [vanityOf(making), listedOf(making), ballot];
  const final = replaced();
  const digest = hashOf(final, RLP.encode([...base, fourBytes(plan.sealedRound ?? round)]));
  const extra = RLP.encode([...base, fourBytes(round), commitSeals(making, digest)]);
  return { extra, hash: hashOf(final, RLP.encode(base)), final };
}

function voteIn({ plan, fields }: Making): void {
  if (plan.vote === undefined) return;
  fields[MINER] = fromHex(plan.vote.candidate);
  fields[NONCE] = plan.vote.add ? ONES : ZEROS;
}

function sealIbft(making: Making): Made {
  voteIn(making);
  const { plan, proposer, replaced } = making;
  const final = replaced();
  const listed = listedOf(making);
  const extra = (proposerSeal: Uint8Array, seals: Uint8Array[]): Uint8Array =>
    concatBytes(vanityOf(making), RLP.encode([listed, proposerSeal, seals]));
  const proposed = keccak_256(hashOf(final, extra(EMPTY, [])));
  const proposerSeal = (plan.proposerSeal ?? proposer.seal)(proposed);
  const hash = hashOf(final, extra(proposerSeal, []));
  const digest = keccak_256(concatBytes(hash, Uint8Array.of(2)));
  return { extra: extra(proposerSeal, commitSeals(making, digest)), hash, final };
}

function sealClique(making: Making): Made {
  voteIn(making);
  const { ground, plan, validators, proposer, fields, replaced } = making;
  const number = ground.parent.number + 1;
  const inTurn = validators[number % validators.length] === proposer;
  fields[7] = scalar(plan.difficulty ?? (inTurn ? 2 : 1));
  const isEpoch = number % ground.epochLength === 0;
  const listed = isEpoch || plan.listed !== undefined ? listedOf(making) : [];
  const unsealed = concatBytes(vanityOf(making), ...listed);
  const final = replaced();
  const seal = proposer.seal(hashOf(final, unsealed));
  const extra = concatBytes(unsealed, ...(plan.seals?.([seal]) ?? [seal]));
  return { extra, hash: hashOf(final, extra), final };
}

export type ChainOptions = Readonly<{
  rule: ConsensusRule;
  validators: number;
  epochLength?: number;
  maxGapBlocks?: number;
  fieldCount?: number;
  /** Number of the checkpoint; a multiple of the epoch. */
  from?: number;
  periodS?: number;
}>;

const START_S = 1_700_000_000;

/** A chain that grows by plans. The set is set by hand: the factory tallies no votes. */
export class SealedChain {
  readonly finality: ConsensusFinality;
  readonly blocks: SealedBlock[] = [];
  validators: readonly Signer[];
  readonly #fieldCount: number;

  constructor({ rule, validators, epochLength = 30_000, maxGapBlocks = 64, fieldCount = 16, ...rest }: ChainOptions) {
    const { from = 0, periodS } = rest;
    this.validators = sorted(signers(validators));
    this.#fieldCount = fieldCount;
    this.finality = {
      rule,
      checkpoint: {
        blockNumber: from,
        blockHash: toBytes32(word(9)),
        timestampS: START_S,
        validators: this.validators.map(({ address }) => address),
      },
      epochLength,
      headerFields: [{ fromBlock: 0, count: fieldCount }],
      trustingPeriodS: 86_400,
      maxGapBlocks,
      ...(periodS !== undefined && { periodS }),
    };
  }

  get headers(): readonly Uint8Array[] {
    return this.blocks.map(({ rlp }) => rlp);
  }

  /** Where the next block would stand; `above` counts from the first block behind the checkpoint. */
  ground(above: number = this.blocks.length): Ground {
    const { rule, checkpoint, epochLength } = this.finality;
    const { blockNumber: number, blockHash: hash, timestampS } = checkpoint;
    const parent = this.blocks[above - 1] ?? { number, hash, timestampS };
    return { rule, parent, validators: this.validators, epochLength, fieldCount: this.#fieldCount };
  }

  /** A block on the head that is not taken into the chain. */
  next(plan: Plan = {}): SealedBlock {
    return sealBlock(this.ground(), plan);
  }

  add(plan: Plan = {}): SealedBlock {
    const block = this.next(plan);
    this.blocks.push(block);
    return block;
  }

  /** Adds `count` blocks of nothing. */
  grow(count: number): this {
    for (let i = 0; i < count; i++) this.add();
    return this;
  }
}

/** The same seal with the other s: it is high, and recovers to the same signer. */
export function highSeal(seal: Uint8Array): Uint8Array {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const s = BigInt(toHex(seal.subarray(32, 64)));
  const other = fromHex((order - s).toString(16).padStart(64, '0'));
  return concatBytes(seal.subarray(0, 32), other, Uint8Array.of((seal[64] ?? 0) ^ 1));
}
