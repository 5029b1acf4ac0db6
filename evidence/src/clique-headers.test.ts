/** Sound and forged headers of rule `clique`. Forgeries are truly sealed but for what they forge. */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { RLP } from '@ethereumjs/rlp';
import { describe, expect, test } from '@jest/globals';
import { type ChainOptions, highSeal, type Plan, SealedChain, sealBlock } from './testing/sealed-chain.ts';
import { recoverSealer, type Signer, signer } from './testing/secp256k1-signers.ts';
import { chainFrom, nextValidators, type TrackedChain, verifyHeaders } from './tracked-chain.ts';

const stranger = signer(900);
const candidate = signer(901);
const adding = { candidate: candidate.address, add: true };
const fresh = (options: Partial<ChainOptions> = {}): SealedChain =>
  new SealedChain({ rule: 'clique', validators: 3, periodS: 1, ...options });
const verify = (chain: SealedChain, headers: readonly Uint8Array[]) =>
  verifyHeaders(chainFrom(chain.finality), chain.finality, headers, recoverSealer);
const verdict = (chain: SealedChain, headers: readonly Uint8Array[]): string => {
  const proof = verify(chain, headers);
  return proof.ok ? `${proof.blocks.length} final` : proof.check;
};
/** Of a block on the chain; those before it are sound. */
const next = (chain: SealedChain, plan: Plan): string => verdict(chain, [...chain.headers, chain.next(plan).rlp]);
function tracked(chain: SealedChain): TrackedChain {
  const proof = verify(chain, chain.headers);
  if (!proof.ok) throw new Error(proof.detail);
  return proof.chain;
}
const member = (chain: SealedChain, at: number): Signer => chain.validators.at(at % chain.validators.length) as Signer;
/** Who seals block `number` in turn, and the next after. */
const turn = (chain: SealedChain, number: number): Signer => member(chain, number);

describe('finality by stacked difficulty', () => {
  /** Sealers by how far they are from their turn. */
  const stacked = (validators: number, ...late: readonly number[]): string => {
    const chain = fresh({ validators });
    for (const offset of late) chain.add({ proposer: turn(chain, chain.blocks.length + 1 + offset) });
    return verdict(chain, chain.headers);
  };
  test('one signer is final at once', () => expect(stacked(1, 0)).toBe('1 final'));
  test('of two signers both must have sealed, whatever the difficulty', () => {
    expect(stacked(2, 0)).toBe('finality');
    expect(stacked(2, 0, 0)).toBe('1 final');
  });
  test('of three, difficulty above 2', () => {
    expect(stacked(3, 0)).toBe('finality');
    expect(stacked(3, 1, 1)).toBe('finality');
    expect(stacked(3, 1, 1, 1)).toBe('1 final');
    expect(stacked(3, 0, 0)).toBe('1 final');
    expect(stacked(3, 0, 1)).toBe('1 final');
    expect(stacked(3, 0, 0, 0, 0, 0)).toBe('4 final');
  });
  test('of four, also three sealers', () => {
    expect(stacked(4, 0, 0)).toBe('finality');
    expect(stacked(4, 0, 0, 0)).toBe('1 final');
  });
  test('of twenty-one, difficulty above 20', () => {
    expect(stacked(21, ...Array.from({ length: 10 }, () => 0))).toBe('finality');
    expect(stacked(21, ...Array.from({ length: 11 }, () => 0))).toBe('1 final');
    expect(stacked(21, ...Array.from({ length: 20 }, () => 1))).toBe('finality');
    expect(stacked(21, ...Array.from({ length: 21 }, () => 1))).toBe('1 final');
  });
  test('blocks that only vouch do not move the chain; they are verified all the same', () => {
    const chain = fresh().grow(4);
    const proof = verify(chain, chain.headers);
    expect(proof).toMatchObject({ ok: true, blocks: [{ number: 1 }, { number: 2 }, { number: 3 }] });
    expect(tracked(chain).head.hash).toBe(chain.blocks[2]?.hash);
    expect(tracked(chain).recents.map(({ number }) => number)).toEqual([2, 3]);
    expect(next(chain, { proposer: stranger })).toBe('proposer');
  });
  test('the margin is that of the largest set of the run', () => {
    const chain = fresh({ validators: 4 });
    for (let number = 1; number <= 3; number++) chain.add({ proposer: turn(chain, number + 1), vote: adding });
    chain.validators = [...chain.validators, candidate].toSorted((a, b) => (a.address < b.address ? -1 : 1));
    const sealed = new Set(chain.blocks.slice(1).map(({ proposer }) => proposer));
    const number = chain.blocks.length + 1;
    const idle = chain.validators.filter((one) => !sealed.has(one));
    const outOfTurn = idle.find((one) => one !== turn(chain, number)) as Signer;
    chain.add({ proposer: outOfTurn, difficulty: 1 });
    // 1 + 1 + 1 + 1: from the second on more than four signers need, but five need more than 4.
    expect(verdict(chain, chain.headers)).toBe('finality');
  });
});

describe('who seals', () => {
  const chain = fresh({ validators: 3 }).grow(3);
  const last = chain.blocks.at(-1)?.proposer as Signer;
  const due = turn(chain, 4);
  const other = chain.validators.find((one) => one !== last && one !== due) as Signer;
  test('is in turn with difficulty 2, or out of it with 1', () => {
    expect(next(chain, { proposer: due, difficulty: 2 })).toBe('3 final');
    expect(next(chain, { proposer: other, difficulty: 1 })).toBe('3 final');
    expect(next(chain, { proposer: due, difficulty: 1 })).toBe('turn');
    expect(next(chain, { proposer: other, difficulty: 2 })).toBe('turn');
    expect(next(chain, { proposer: other, difficulty: 3 })).toBe('turn');
  });
  test('sealed none of the latest blocks', () => expect(next(chain, { proposer: last })).toBe('recent'));
  test('of five, none of the latest two', () => {
    const five = fresh({ validators: 5 }).grow(3);
    expect(next(five, { proposer: turn(five, 3) })).toBe('recent');
    expect(next(five, { proposer: turn(five, 2) })).toBe('recent');
    expect(next(five, { proposer: turn(five, 1) })).toBe('2 final');
  });
  test('is a stranger', () => {
    expect(next(chain, { proposer: stranger })).toBe('proposer');
    expect(next(chain, { proposer: stranger, vote: adding })).toBe('proposer');
  });
  test('seals with 65 bytes, a recovery id of 0 or 1, and low s', () => {
    const seal = (change: (seal: Uint8Array) => Uint8Array): string =>
      next(chain, { seals: ([made]) => [change(made as Uint8Array)] });
    expect(seal((made) => made.subarray(0, 64))).not.toMatch(/final/);
    expect(seal((made) => Uint8Array.from([...made, 0]))).toBe('extra');
    expect(seal((made) => made.with(64, 26 + (made[64] ?? 0)))).toBe('seal');
    expect(seal(highSeal)).toBe('seal');
    expect(seal(() => new Uint8Array(65))).toBe('seal');
  });
});

describe('fields', () => {
  const chain = fresh().grow(3);
  const field = (at: number, value: Uint8Array): string => next(chain, { fields: { [at]: value } });
  test('that the rule fixes', () => {
    expect(field(13, new Uint8Array(32).fill(1))).toBe('constants');
    expect(field(1, new Uint8Array(32).fill(1))).toBe('constants');
    expect(field(14, new Uint8Array(8).fill(1))).toBe('constants');
  });
  test('extra data without room for a seal', () => {
    const fields = RLP.decode(chain.next().rlp) as Uint8Array[];
    expect(verdict(chain, [...chain.headers, RLP.encode(fields.with(12, new Uint8Array(96)))])).toBe('extra');
    expect(verdict(chain, [...chain.headers, RLP.encode(fields.with(12, new Uint8Array()))])).toBe('extra');
  });
  test('signers listed within an epoch', () => {
    expect(next(chain, { listed: chain.validators.map(({ address }) => address) })).toBe('extra');
  });
  test('number, parent and time', () => {
    const ground = chain.ground();
    const at = (change: Partial<typeof ground.parent>, plan: Plan = {}): string =>
      verdict(chain, [...chain.headers, sealBlock({ ...ground, parent: { ...ground.parent, ...change } }, plan).rlp]);
    const [first, , third] = chain.headers as [Uint8Array, Uint8Array, Uint8Array];
    expect(verdict(chain, [first, third])).toBe('number');
    expect(at({ hash: `0x${'99'.repeat(32)}` as Bytes32 })).toBe('parent');
    expect(at({}, { timestampS: ground.parent.timestampS })).toBe('timestamp');
    expect(at({}, { timestampS: ground.parent.timestampS - 1 })).toBe('timestamp');
    expect(at({ number: ground.parent.number + 1 })).toBe('number');
  });
  test('a period of five seconds is kept; one of none lets two blocks have one second', () => {
    const slow = fresh({ periodS: 5, validators: 1 });
    const { timestampS } = slow.finality.checkpoint;
    expect(next(slow, { timestampS: timestampS + 4 })).toBe('timestamp');
    expect(next(slow, { timestampS: timestampS + 5 })).toBe('1 final');
    const onDemand = fresh({ periodS: 0, validators: 1 });
    expect(next(onDemand, { timestampS })).toBe('1 final');
    expect(next(onDemand, { timestampS: timestampS - 1 })).toBe('timestamp');
  });
});

describe('epoch blocks', () => {
  const chain = fresh({ epochLength: 4 }).grow(3);
  const [first, second] = chain.validators as [Signer, Signer, Signer];
  const all = chain.validators.map(({ address }) => address);
  test('list the set', () => {
    expect(next(chain, {})).toBe('3 final');
    expect(next(chain, { listed: [] })).toBe('listed');
    expect(next(chain, { listed: all.slice(1) })).toBe('set');
    expect(next(chain, { listed: [...all, stranger.address] })).toBe('set');
    expect(next(chain, { listed: [...all.slice(1), stranger.address] })).toBe('set');
    expect(next(chain, { vanity: new Uint8Array(33) })).toBe('extra');
  });
  test('hold no vote', () => {
    expect(next(chain, { vote: adding })).toBe('constants');
    expect(next(chain, { vote: { ...adding, add: false } })).toBe('constants');
    expect(next(chain, { fields: { 14: new Uint8Array(8).fill(255) } })).toBe('constants');
  });
  test('end the votes before them', () => {
    const voting = fresh({ epochLength: 4, from: 4 }).grow(2);
    voting.add({ vote: adding });
    expect(verify(voting, voting.headers)).toMatchObject({ ok: true });
    voting.grow(1);
    voting.add({ vote: adding });
    voting.grow(3);
    expect(tracked(voting).head.number).toBeGreaterThanOrEqual(9);
    expect(tracked(voting).votes).toHaveLength(1);
    expect(nextValidators(tracked(voting))).toEqual([...all]);
    expect(first).not.toBe(second);
  });
});

describe('votes', () => {
  test('of more than half add a signer, who seals from the next block on', () => {
    const chain = fresh().grow(1);
    chain.add({ vote: adding });
    expect(next(chain, { proposer: candidate })).toBe('proposer');
    chain.add({ vote: adding });
    chain.validators = [...chain.validators, candidate].toSorted((a, b) => (a.address < b.address ? -1 : 1));
    expect(next(chain, { proposer: candidate })).toMatch(/final/);
  });
  test('drop a signer, and the others need not wait as long any more', () => {
    const chain = fresh({ validators: 4 });
    const out = turn(chain, 4);
    for (let i = 0; i < 3; i++) chain.add({ vote: { candidate: out.address, add: false } });
    chain.validators = chain.validators.filter((one) => one !== out);
    const [, second, third] = chain.blocks.map(({ proposer }) => proposer) as [Signer, Signer, Signer];
    expect(next(chain, { proposer: out })).toBe('proposer');
    expect(next(chain, { proposer: third })).toBe('recent');
    expect(next(chain, { proposer: second })).toMatch(/final/);
  });
  test('on nobody are none', () => {
    const chain = fresh().grow(4);
    expect(tracked(chain).votes).toEqual([]);
    expect(verify(chain, chain.headers)).toMatchObject({ ok: true });
  });
});
