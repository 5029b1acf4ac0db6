/**
 * What is known of a chain that proves its blocks by seals: its head, the hashes of its latest blocks, who seals, and the
 * votes that stand. It begins at a checkpoint that governance names and moves by headers, each checked against what the
 * ones before it said. `step` runs on every node of the core over what the proposing node verified; it needs no signature.
 */
import { type Bytes32, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import { type ConsensusRule, MAX_HEADER_BATCH_BYTES, MAX_HEADERS } from '@drawbridge/protocol/consensus-evidence';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { type ConsensusRefusal, refuse } from './consensus-refusal.ts';
import type { HeaderFields } from './ethereum-header.ts';
import { blockOf, factsOf, type HeaderFacts, readHeader, type SealRecovery, sealFault } from './sealed-header.ts';
import { castVote, type StandingVote, type Tally } from './validator-votes.ts';

/** Most members of a set. */
export const MAX_VALIDATORS = 256;
/** Most votes that stand at once. A member can vote on any number of candidates, one in each block that it proposes. */
export const MAX_STANDING_VOTES = 65_536;

/** What governance registers for such a network. */
export type ConsensusFinality = Readonly<{
  rule: ConsensusRule;
  /** Trust root: a block pinned by hash, and the set that seals the next one; no vote may be pending at it. */
  checkpoint: Readonly<{
    blockNumber: number;
    blockHash: Bytes32;
    timestampS: number;
    validators: readonly EvmAddress[];
  }>;
  /** Blocks after which pending votes end. */
  epochLength: number;
  /** 15 before London, 16 with a base fee. */
  headerFields: HeaderFields;
  /** A head older than this proves nothing and takes no headers until a new checkpoint. The ledger's clock decides. */
  trustingPeriodS: number;
  /** Tracked blocks that are remembered below the head, and so the oldest that evidence may be of. 1 to 65,536. */
  maxGapBlocks: number;
  /** Rule `clique` only: least seconds between blocks. */
  periodS?: number;
}>;

/**
 * What one verified header does to the chain: all that `step` needs, no signature. With rule `clique` the proposer is the
 * sealer.
 */
export type BlockFacts = HeaderFacts;

export type TrackedChain = Readonly<{
  rule: ConsensusRule;
  epochLength: number;
  maxGapBlocks: number;
  head: Readonly<{ number: number; hash: Bytes32; timestampS: number }>;
  /** Hashes of the latest blocks, oldest first; the last is the head's. At most `maxGapBlocks` + 1. */
  hashes: readonly Bytes32[];
  /**
   * Sets with the first block that each seals, oldest first; the last seals the block after the head. Only those that seal
   * a remembered block or the next. Addresses ascend.
   */
  sets: readonly Readonly<{ fromBlock: number; validators: readonly EvmAddress[] }>[];
  /** Ascending by candidate, then by voter. */
  votes: readonly StandingVote[];
  /** Rule `clique`: sealers of the latest blocks, who may not seal again yet. */
  recents: readonly Readonly<{ number: number; sealer: EvmAddress }>[];
}>;

/** A chain but for what it remembers of blocks below the head: what the rules look at. */
export type ChainFront = Omit<TrackedChain, 'hashes' | 'maxGapBlocks'>;

/** Governance checks what it registers, so a checkpoint that nothing can be tracked from is a bug. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
  readonly code = 'CHECKPOINT_UNUSABLE' as const;
}

/** The chain at its checkpoint. @throws CheckpointError for a zero hash and for a set that is empty or repeats a member. */
export function chainFrom({ rule, checkpoint, epochLength, maxGapBlocks }: ConsensusFinality): TrackedChain {
  const { blockNumber: number, blockHash: hash, timestampS } = checkpoint;
  const validators = [...new Set(checkpoint.validators)].toSorted();
  if (hash === ZERO_BYTES32) throw new CheckpointError('the checkpoint has no block hash');
  if (validators.length === 0) throw new CheckpointError('the checkpoint has no validators');
  if (validators.length !== checkpoint.validators.length) throw new CheckpointError('a validator is named twice');
  return {
    rule,
    epochLength,
    maxGapBlocks,
    head: { number, hash, timestampS },
    hashes: [hash],
    sets: [{ fromBlock: number + 1, validators }],
    votes: [],
    recents: [],
  };
}

/** The hash of the tracked block at a height; `undefined` above the head and below what is remembered. */
export function hashAt({ head, hashes }: TrackedChain, number: number): Bytes32 | undefined {
  return hashes[number - head.number - 1 + hashes.length];
}

/** The set that seals the block at a height; `undefined` where none is remembered. */
export function validatorsAt({ sets }: ChainFront, number: number): readonly EvmAddress[] | undefined {
  return sets.findLast(({ fromBlock }) => fromBlock <= number)?.validators;
}

/** The set that seals the block after the head. */
export const nextValidators = (chain: ChainFront): readonly EvmAddress[] =>
  validatorsAt(chain, chain.head.number + 1) ?? [];

/** Blocks in a row of which a signer may seal one (rule `clique`); as many sealers are a majority. */
export const cliqueLimit = (signers: number): number => Math.floor(signers / 2) + 1;

export type Step<Chain> = Readonly<{ ok: true; chain: Chain }> | ConsensusRefusal;

/**
 * Moves the chain by one block: order, parent, time, proposer, tally, set. Pure, no signature. Refuses what no header that
 * was verified against this chain can say. O(remembered blocks + votes).
 */
export function step(chain: TrackedChain, facts: BlockFacts): Step<TrackedChain> {
  const moved = stepFront(chain, facts);
  return moved.ok ? { ok: true, chain: withHashes(chain, moved.chain, [facts.hash]) } : moved;
}

/** The same for the front alone, for runs of headers. */
export function stepFront(chain: ChainFront, facts: BlockFacts): Step<ChainFront> {
  const { rule, epochLength, head } = chain;
  const { number, hash, timestampS, proposer } = facts;
  const validators = nextValidators(chain);
  if (number !== head.number + 1) return refuse('number', `block ${number} does not follow block ${head.number}`);
  if (facts.parentHash !== head.hash) return refuse('parent', `the parent of block ${number} is not the head`);
  if (timestampS < head.timestampS + leastSeconds(rule)) return refuse('timestamp', 'the timestamp does not rise');
  if (!validators.includes(proposer)) return refuse('proposer', 'the proposer is not in the set');
  if (sealedRecently(chain, facts)) return refuse('recent', 'the sealer sealed one of the latest blocks');
  const tally = tallied(chain, facts, validators);
  const size = tally.validators.length;
  if (size === 0 || size > MAX_VALIDATORS) return refuse('setSize', `the votes leave a set of ${size}`);
  if (tally.votes.length > MAX_STANDING_VOTES) return refuse('votes', `more than ${MAX_STANDING_VOTES} votes stand`);
  const changed = tally.validators !== validators;
  return {
    ok: true,
    chain: {
      rule,
      epochLength,
      head: { number, hash, timestampS },
      sets: changed ? [...chain.sets, { fromBlock: number + 1, validators: tally.validators }] : chain.sets,
      votes: tally.votes,
      recents: rule === 'clique' ? recentsAfter(chain, facts, cliqueLimit(size)) : [],
    },
  };
}

/** A clique of period 0 seals on demand, twice in a second if need be; its period is checked where it is known. */
const leastSeconds = (rule: ConsensusRule): number => (rule === 'clique' ? 0 : 1);

function sealedRecently(chain: ChainFront, { number, proposer }: BlockFacts): boolean {
  const limit = cliqueLimit(nextValidators(chain).length);
  return chain.recents.some((recent) => recent.sealer === proposer && recent.number > number - limit);
}

function recentsAfter({ recents }: ChainFront, { number, proposer }: BlockFacts, limit: number): ChainFront['recents'] {
  return [...recents, { number, sealer: proposer }].filter((recent) => recent.number > number - limit);
}

/** An epoch block ends all votes. One that stands in it counts from there on, but not with Besu, which wrote `ibft2`. */
function tallied(
  { rule, epochLength, votes }: ChainFront,
  { number, proposer, vote }: BlockFacts,
  validators: readonly EvmAddress[],
): Tally {
  const isEpoch = number % epochLength === 0;
  const before: Tally = { validators, votes: isEpoch ? [] : votes };
  return vote === undefined || (isEpoch && rule === 'ibft2') ? before : castVote(before, { voter: proposer, ...vote });
}

/** The chain with `front` as its front, after blocks with these hashes; forgets what is too old. */
export function withHashes(chain: TrackedChain, front: ChainFront, added: readonly Bytes32[]): TrackedChain {
  const hashes = [...chain.hashes, ...added].slice(-(chain.maxGapBlocks + 1));
  const oldest = front.head.number - hashes.length + 1;
  const sets = front.sets.filter((_, i) => (front.sets[i + 1]?.fromBlock ?? Number.POSITIVE_INFINITY) > oldest);
  return { ...front, maxGapBlocks: chain.maxGapBlocks, hashes, sets };
}

export type HeaderBatchProof = Readonly<{ ok: true; blocks: readonly BlockFacts[]; chain: TrackedChain }>;

/**
 * Verifies consecutive headers on top of the head. Every one must hold. With rule `clique` those become blocks on which
 * enough difficulty is stacked; the ones after only vouch, and are sent again later. `NOT_FINAL_YET` when none is.
 * At most one signature for each header and validator.
 */
export function verifyHeaders(
  chain: TrackedChain,
  finality: ConsensusFinality,
  headers: readonly Uint8Array[],
  recover: SealRecovery,
): HeaderBatchProof | ConsensusRefusal {
  const fault = batchFault(headers);
  if (fault !== undefined) return fault;
  const run: Link[] = [];
  for (const rlp of headers) {
    const link = linkTo(run.at(-1)?.front ?? chain, rlp, finality, recover);
    if (!link.ok) return link;
    run.push(link);
  }
  const final = run.slice(0, finality.rule === 'clique' ? stackedCount(run) : run.length);
  const last = final.at(-1);
  if (last === undefined) return refuse('finality', 'not enough difficulty is stacked on any of the blocks');
  const blocks = final.map(({ facts }) => facts);
  return {
    ok: true,
    blocks,
    chain: withHashes(
      chain,
      last.front,
      blocks.map(({ hash }) => hash),
    ),
  };
}

/** A verified header and the chain behind it. */
type Link = Readonly<{
  ok: true;
  facts: BlockFacts;
  difficulty: number;
  /** Size of the set that sealed it. */
  sealers: number;
  front: ChainFront;
}>;

function linkTo(
  front: ChainFront,
  rlp: Uint8Array,
  finality: ConsensusFinality,
  recover: SealRecovery,
): Link | ConsensusRefusal {
  const read = readHeader(rlp, finality);
  if (!read.ok) return read;
  const found = factsOf(read, recover);
  if (!found.ok) return found;
  const { facts } = found;
  const moved = stepFront(front, facts);
  if (!moved.ok) return moved;
  const earliestS = front.head.timestampS + (finality.periodS ?? 0);
  if (facts.timestampS < earliestS) return refuse('timestamp', 'the block is earlier than the period allows');
  const validators = nextValidators(front);
  const { difficulty } = read.header;
  const fault = sealFault(read, facts.proposer, validators, recover);
  return fault ?? { ok: true, facts, difficulty, sealers: validators.length, front: moved.chain };
}

/** Bounds of a batch, before anything in it is looked at. */
function batchFault(headers: readonly Uint8Array[]): ConsensusRefusal | undefined {
  const bytes = headers.reduce((sum, { length }) => sum + length, 0);
  if (headers.length === 0) return refuse('batch', 'there is no header');
  if (headers.length > MAX_HEADERS) return refuse('batch', `${headers.length} headers, more than ${MAX_HEADERS}`);
  if (bytes > MAX_HEADER_BATCH_BYTES) return refuse('batch', `${bytes} bytes, more than ${MAX_HEADER_BATCH_BYTES}`);
  return undefined;
}

/**
 * How many blocks of a clique run are deep enough. From the block on there must stand more difficulty than the signers
 * outside a majority could stack, 2·(N − (⌊N/2⌋ + 1)), and as many blocks as a majority, which are by as many sealers.
 * A derived margin, not a proof: clique has no finality.
 */
function stackedCount(run: readonly Pick<Link, 'difficulty' | 'sealers'>[]): number {
  let stacked = 0;
  let margin = 0;
  let majority = 0;
  for (const [above, { difficulty, sealers }] of run.toReversed().entries()) {
    stacked += difficulty;
    majority = Math.max(majority, cliqueLimit(sealers));
    margin = Math.max(margin, 2 * (sealers - cliqueLimit(sealers)));
    if (stacked > margin && above + 1 >= majority) return run.length - above;
  }
  return 0;
}

/** `conflicting`: the first of `headers` is of a remembered height, and of another block than the tracked one. */
export type UnknownHeaders = Readonly<{ ok: true; headers: readonly Uint8Array[]; conflicting: boolean }>;

/**
 * Drops from the front of a batch what the chain has, and what is older than it remembers. Reads and hashes; checks no
 * seal, so that `conflicting` is only a reason to look.
 */
export function dropKnown(
  chain: TrackedChain,
  finality: ConsensusFinality,
  headers: readonly Uint8Array[],
): UnknownHeaders | ConsensusRefusal {
  const fault = batchFault(headers);
  if (fault !== undefined) return fault;
  for (const [at, rlp] of headers.entries()) {
    const block = blockOf(rlp, finality);
    if (!block.ok) return block;
    const tracked = hashAt(chain, block.number);
    const isAhead = block.number > chain.head.number;
    const conflicting = tracked !== undefined && tracked !== block.hash;
    if (isAhead || conflicting) return { ok: true, headers: headers.slice(at), conflicting };
  }
  return { ok: true, headers: [], conflicting: false };
}

/** Two sealed blocks on one parent: more than a third of the set signed both, or rule `clique` forked beyond its margin. */
export type ConflictProof = Readonly<{ ok: true; number: number; trackedHash: Bytes32; otherHash: Bytes32 }>;

/**
 * Verifies that the first header is of a remembered height and another block than the tracked one, and sealed as the rule
 * demands: on a tracked parent, since neither hash nor seal names the chain and the same keys may have sealed another one;
 * by a quorum of the set of that height, or (`clique`) with enough difficulty stacked in the headers that follow it. Votes and sealers before the run are not remembered, so a clique run counts its own only.
 */
export function verifyConflict(
  chain: TrackedChain,
  finality: ConsensusFinality,
  headers: readonly Uint8Array[],
  recover: SealRecovery,
): ConflictProof | ConsensusRefusal {
  const fault = batchFault(headers);
  if (fault !== undefined) return fault;
  const [first = new Uint8Array()] = headers;
  const read = readHeader(first, finality);
  if (!read.ok) return read;
  const { number } = read.header;
  const otherHash = read.reading.hash;
  const isClique = finality.rule === 'clique';
  const trackedHash = hashAt(chain, number);
  const validators = validatorsAt(chain, number);
  const parent = hashAt(chain, number - 1);
  if (trackedHash === undefined || validators === undefined || parent === undefined) {
    return refuse('remembered', `block ${number} is not among those that are remembered with their set`);
  }
  if (trackedHash === otherHash) return refuse('conflict', 'it is the tracked block');
  const front: ChainFront = {
    ...chain,
    head: { number: number - 1, hash: parent, timestampS: Number.NEGATIVE_INFINITY },
    sets: [{ fromBlock: number, validators }],
    votes: [],
    recents: [],
  };
  const run: Link[] = [];
  for (const rlp of isClique ? headers : [first]) {
    const link = linkTo(run.at(-1)?.front ?? front, rlp, finality, recover);
    if (!link.ok) return link;
    run.push(link);
    if (!isClique || stackedCount(run) > 0) return { ok: true, number, trackedHash, otherHash };
  }
  return refuse('finality', 'not enough difficulty is stacked on the other block');
}
