import { type Bytes32, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import { MAX_HEADER_BATCH_BYTES, MAX_HEADERS } from '@drawbridge/protocol/consensus-evidence';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { describe, expect, test } from '@jest/globals';
import { CONSENSUS_CHECKS, refuse } from './consensus-refusal.ts';
import { blockOf, type SealRecovery } from './sealed-header.ts';
import { type ChainOptions, type Plan, SealedChain, sealBlock } from './testing/sealed-chain.ts';
import { recoverSealer, type Signer, signer } from './testing/secp256k1-signers.ts';
import {
  type BlockFacts,
  chainFrom,
  dropKnown,
  hashAt,
  MAX_STANDING_VOTES,
  MAX_VALIDATORS,
  nextValidators,
  step,
  type TrackedChain,
  validatorsAt,
  verifyConflict,
  verifyHeaders,
} from './tracked-chain.ts';

const RULES = ['qbft', 'ibft', 'ibft2', 'clique'] as const;
const stranger = signer(900);
const fresh = (options: Partial<ChainOptions> = {}): SealedChain =>
  new SealedChain({ rule: 'qbft', validators: 4, ...options });
function proofOf(chain: SealedChain) {
  const proof = verifyHeaders(chainFrom(chain.finality), chain.finality, chain.headers, recoverSealer);
  if (!proof.ok) throw new Error(proof.detail);
  return proof;
}
const otherRoot = `0x${'77'.repeat(32)}` as Bytes32;
const address = (at: number): EvmAddress => `0x${at.toString(16).padStart(40, '0')}` as EvmAddress;

describe('a chain at its checkpoint', () => {
  const { finality } = fresh({ from: 60_000 });
  const withCheckpoint = (change: Partial<typeof finality.checkpoint>) => ({
    ...finality,
    checkpoint: { ...finality.checkpoint, ...change },
  });
  const { validators, blockHash } = finality.checkpoint;
  test('has its head, and the set of the next block in one order', () => {
    const chain = chainFrom(withCheckpoint({ validators: validators.toReversed() }));
    expect(chain).toEqual(chainFrom(finality));
    expect(chain).toMatchObject({
      head: { number: 60_000, hash: blockHash },
      hashes: [blockHash],
      votes: [],
      recents: [],
    });
    expect(chain.sets).toEqual([{ fromBlock: 60_001, validators }]);
  });
  test('is none without hash or validators, or with one twice', () => {
    const error = expect.objectContaining({ name: 'CheckpointError', code: 'CHECKPOINT_UNUSABLE' });
    expect(() => chainFrom(withCheckpoint({ blockHash: ZERO_BYTES32 }))).toThrow(error);
    expect(() => chainFrom(withCheckpoint({ validators: [] }))).toThrow(error);
    expect(() => chainFrom(withCheckpoint({ validators: [...validators, address(1), address(1)] }))).toThrow(error);
  });
});

describe.each(RULES)('facts of rule %s', (rule) => {
  const sealed = fresh({ rule, maxGapBlocks: 4 }).grow(8);
  const { blocks, chain } = proofOf(sealed);
  const start = chainFrom(sealed.finality);
  test('move every node to the chain that was verified', () => {
    let replayed = start;
    for (const facts of blocks) {
      const moved = step(replayed, facts);
      if (!moved.ok) throw new Error(moved.detail);
      replayed = moved.chain;
    }
    expect(replayed).toEqual(chain);
  });
  test('are refused out of order, of another parent, back in time, by a stranger', () => {
    const [first, second] = blocks as [BlockFacts, BlockFacts];
    const at = (change: Partial<BlockFacts>) => step(start, { ...first, ...change });
    expect(at({})).toMatchObject({ ok: true });
    expect(step(start, second)).toMatchObject({ check: 'number', code: 'HEADER_GAP' });
    expect(at({ number: 0 })).toMatchObject({ check: 'number' });
    expect(at({ parentHash: otherRoot })).toMatchObject({ check: 'parent', code: 'PARENT_MISMATCH' });
    expect(at({ timestampS: start.head.timestampS - 1 })).toMatchObject({ check: 'timestamp' });
    expect(at({ timestampS: start.head.timestampS }).ok).toBe(rule === 'clique');
    expect(at({ proposer: stranger.address })).toMatchObject({ check: 'proposer', code: 'PROPOSER_UNKNOWN' });
  });
});

describe('what is remembered', () => {
  const sealed = fresh({ maxGapBlocks: 4 });
  const [a, b, c, d] = sealed.validators as [Signer, Signer, Signer, Signer];
  for (const proposer of [a, b, c]) sealed.add({ proposer, vote: { candidate: d.address, add: false } });
  sealed.validators = [a, b, c];
  const three = [a, b, c].map(({ address: one }) => one);
  test('are the hashes of the latest blocks', () => {
    const chain = proofOf(fresh({ maxGapBlocks: 4 }).grow(9)).chain;
    expect(chain.hashes).toHaveLength(5);
    expect(hashAt(chain, 9)).toBe(chain.head.hash);
    expect(hashAt(chain, 5)).toBe(chain.hashes[0]);
    expect(hashAt(chain, 4)).toBeUndefined();
    expect(hashAt(chain, 10)).toBeUndefined();
    expect(hashAt(chain, -1)).toBeUndefined();
  });
  test('are the sets that sealed them, and the next', () => {
    const { chain } = proofOf(sealed);
    expect(chain.sets.map(({ fromBlock }) => fromBlock)).toEqual([1, 4]);
    expect(validatorsAt(chain, 0)).toBeUndefined();
    expect(validatorsAt(chain, 3)).toHaveLength(4);
    expect(validatorsAt(chain, 4)).toEqual(three);
    const later = (count: number): TrackedChain => {
      const longer = fresh({ maxGapBlocks: 4 });
      longer.blocks.push(...sealed.blocks);
      longer.validators = [a, b, c];
      return proofOf(longer.grow(count)).chain;
    };
    expect(later(4).sets.map(({ fromBlock }) => fromBlock)).toEqual([1, 4]);
    expect(later(5).sets.map(({ fromBlock }) => fromBlock)).toEqual([4]);
    expect(nextValidators(later(5))).toEqual(three);
  });
});

describe('bounds', () => {
  const sealed = fresh().grow(1);
  const start = chainFrom(sealed.finality);
  const [facts] = proofOf(sealed).blocks as [BlockFacts];
  const many = Array.from({ length: MAX_VALIDATORS }, (_, at) => address(at + 1));
  const never: SealRecovery = () => {
    throw new Error('nothing is to be recovered');
  };
  test('of a set', () => {
    const candidate = address(9_999);
    const votes = many.slice(0, MAX_VALIDATORS / 2).map((voter) => ({ voter, candidate, add: true }));
    const full: TrackedChain = { ...start, sets: [{ fromBlock: 1, validators: many }], votes };
    const last = { ...facts, proposer: address(MAX_VALIDATORS), vote: { candidate, add: true } };
    expect(step(full, last)).toMatchObject({ check: 'setSize', code: 'SET_SIZE_INVALID' });
    expect(step(full, facts)).toMatchObject({ check: 'proposer' });
    const room: TrackedChain = { ...full, sets: [{ fromBlock: 1, validators: many.slice(1) }], votes: votes.slice(1) };
    expect(step(room, last)).toMatchObject({ ok: true });
  });
  test('of standing votes', () => {
    const voter = nextValidators(start)[0] as EvmAddress;
    const votes = Array.from({ length: MAX_STANDING_VOTES }, (_, at) => ({
      voter,
      candidate: address(at + 1),
      add: true,
    }));
    const vote = { candidate: address(999_999), add: true };
    const tooMany = step({ ...start, votes }, { ...facts, vote });
    expect(tooMany.ok ? 'taken' : tooMany.code).toBe('VOTES_TOO_MANY');
    expect(step({ ...start, votes: votes.slice(1) }, { ...facts, vote }).ok).toBe(true);
  });
  test('of a batch, before anything in it is looked at', () => {
    const [header] = sealed.headers as [Uint8Array];
    const batches = [
      [],
      Array.from({ length: MAX_HEADERS + 1 }, () => header),
      Array.from({ length: 9 }, () => new Uint8Array(Math.ceil(MAX_HEADER_BATCH_BYTES / 9) + 1)),
    ];
    for (const batch of batches) {
      const refusal = { ok: false, check: 'batch', code: 'BATCH_INVALID' };
      expect(verifyHeaders(start, sealed.finality, batch, never)).toMatchObject(refusal);
      expect(dropKnown(start, sealed.finality, batch)).toMatchObject(refusal);
      expect(verifyConflict(start, sealed.finality, batch, never)).toMatchObject(refusal);
    }
  });
  test('seals are counted before one is recovered', () => {
    const chain = fresh();
    const [a, b, c, d] = chain.validators as [Signer, Signer, Signer, Signer];
    for (const sealers of [
      [a, b],
      [a, b, c, d, a],
    ]) {
      const { rlp } = chain.next({ sealers });
      expect(verifyHeaders(start, chain.finality, [rlp], never)).toMatchObject({ ok: false });
    }
  });
});

describe('known headers', () => {
  const sealed = fresh({ maxGapBlocks: 3 }).grow(6);
  const { chain } = proofOf(sealed);
  const above = sealed.next();
  const drop = (headers: readonly Uint8Array[]) => dropKnown(chain, sealed.finality, headers);
  const fork = sealBlock(sealed.ground(4), { receiptsRoot: otherRoot });
  test('are dropped, and those too old to be known', () => {
    expect(drop(sealed.headers)).toEqual({ ok: true, headers: [], conflicting: false });
    expect(drop([...sealed.headers, above.rlp])).toEqual({ ok: true, headers: [above.rlp], conflicting: false });
    expect(drop([above.rlp])).toEqual({ ok: true, headers: [above.rlp], conflicting: false });
    const old = sealBlock(sealed.ground(1), { receiptsRoot: otherRoot });
    expect(drop([old.rlp, above.rlp])).toEqual({ ok: true, headers: [above.rlp], conflicting: false });
  });
  test('of another block are a reason to look', () => {
    const headers = [...sealed.headers.slice(0, 4), fork.rlp];
    expect(drop(headers)).toEqual({ ok: true, headers: [fork.rlp], conflicting: true });
  });
  test('are refused when they cannot be read', () => {
    expect(drop([fork.rlp.subarray(1)])).toMatchObject({ check: 'form', code: 'HEADER_INVALID' });
  });
  test('are named by number, hash and receipts', () => {
    const { rlp, number, hash } = fork;
    expect(blockOf(rlp, sealed.finality)).toEqual({ ok: true, number, hash, receiptsRoot: otherRoot });
    expect(blockOf(rlp.subarray(1), sealed.finality)).toMatchObject({ check: 'form' });
  });
});

describe.each(RULES)('conflicts of rule %s', (rule) => {
  const sealed = fresh({ rule, maxGapBlocks: 4 }).grow(9);
  const { chain } = proofOf(sealed);
  const [a, b] = sealed.validators as [Signer, Signer, Signer, Signer];
  const conflict = (headers: readonly Uint8Array[]) => verifyConflict(chain, sealed.finality, headers, recoverSealer);
  const height = chain.head.number - 1;
  /** A run on the tracked parent of `height`. */
  const branch = (length: number, plan: Plan = { receiptsRoot: otherRoot }): Uint8Array[] => {
    const other = fresh({ rule, maxGapBlocks: 4 });
    other.blocks.push(...sealed.blocks.slice(0, height - 1));
    other.add(plan);
    return other.grow(length - 1).headers.slice(height - 1) as Uint8Array[];
  };
  test('are proven by as much as would make the block final', () => {
    const headers = branch(3);
    const read = blockOf(headers[0] as Uint8Array, sealed.finality);
    const otherHash = read.ok ? read.hash : undefined;
    expect(conflict(headers)).toEqual({ ok: true, number: height, trackedHash: hashAt(chain, height), otherHash });
    expect(conflict(branch(1)).ok).toBe(rule !== 'clique');
    if (rule === 'clique') expect(conflict(branch(2))).toMatchObject({ check: 'finality', code: 'NOT_FINAL_YET' });
  });
  test('are none of the tracked block, above the head, or below what is remembered', () => {
    const at = (number: number) => conflict([sealed.headers[number - 1] as Uint8Array]);
    expect(at(height)).toMatchObject({ check: 'conflict', code: 'BLOCK_NOT_CONFLICTING' });
    expect(at(chain.head.number - 5)).toMatchObject({ check: 'remembered', code: 'BLOCK_TOO_OLD' });
    expect(
      conflict([sealBlock({ ...sealed.ground(), parent: { ...sealed.ground().parent, number: 50 } }).rlp]),
    ).toMatchObject({ check: 'remembered' });
    expect(conflict([new Uint8Array(3)])).toMatchObject({ check: 'form' });
  });
  test('at the checkpoint are not proven: who sealed it is not known', () => {
    const young = fresh({ rule, from: 8, epochLength: 8 });
    const ground = { ...young.ground(), parent: { ...young.ground().parent, number: 7 } };
    const start = chainFrom(young.finality);
    const forged = sealBlock(ground).rlp;
    expect(verifyConflict(start, young.finality, [forged, forged], recoverSealer)).toMatchObject({
      check: 'remembered',
    });
  });
  test('are not proven by strangers, nor by too few', () => {
    expect(conflict(branch(3, { receiptsRoot: otherRoot, proposer: stranger }))).toMatchObject({ check: 'proposer' });
    const few = conflict(branch(1, { receiptsRoot: otherRoot, sealers: [a, b] }));
    expect(few).toMatchObject({ check: rule === 'clique' ? 'finality' : 'quorum' });
  });
  test('of a block on an unknown parent do not count: the same keys may seal another chain', () => {
    const ground = sealed.ground(height - 1);
    const parent = { ...ground.parent, hash: otherRoot };
    const lone = conflict([sealBlock({ ...ground, parent }).rlp]);
    expect(lone).toMatchObject({ check: 'parent' });
  });
});

test('conflicts are judged by the set of their height, not by the set of today', () => {
  const sealed = fresh();
  const [a, b, c, d] = sealed.validators as [Signer, Signer, Signer, Signer];
  for (const proposer of [a, b, c]) sealed.add({ proposer, vote: { candidate: d.address, add: false } });
  const before = sealed.ground(1);
  sealed.validators = [a, b, c];
  const { chain } = proofOf(sealed.grow(2));
  const conflict = (rlp: Uint8Array) => verifyConflict(chain, sealed.finality, [rlp], recoverSealer);
  expect(conflict(sealBlock(before, { receiptsRoot: otherRoot, sealers: [b, c, d] }).rlp)).toMatchObject({ number: 2 });
  const after = sealed.ground(4);
  const four = { ...after, validators: [a, b, c, d] };
  expect(conflict(sealBlock(four, { proposer: a, sealers: [b, c, d] }).rlp)).toMatchObject({ check: 'set' });
  expect(conflict(sealBlock(after, { proposer: a, receiptsRoot: otherRoot, sealers: [b, d] }).rlp)).toMatchObject({
    check: 'sealer',
  });
});

test('each check has a code of its own', () => {
  const codes = CONSENSUS_CHECKS.map((check) => refuse(check, '').code);
  expect(new Set(codes).size).toBe(CONSENSUS_CHECKS.length);
});
