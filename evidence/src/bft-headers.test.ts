/** Sound and forged headers of the three Istanbul rules. Forgeries carry true seals of everybody but for what they forge. */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { RLP } from '@ethereumjs/rlp';
import { describe, expect, test } from '@jest/globals';
import { concatBytes } from '@noble/hashes/utils.js';
import { quorumOf } from './sealed-header.ts';
import { highSeal, type Plan, quorum, SealedChain, sealBlock } from './testing/sealed-chain.ts';
import { recoverSealer, type Signer, signer } from './testing/secp256k1-signers.ts';
import { chainFrom, nextValidators, type TrackedChain, verifyHeaders } from './tracked-chain.ts';

const RULES = ['qbft', 'ibft', 'ibft2'] as const;
type Four = [Signer, Signer, Signer, Signer];
const stranger = signer(900);
const candidate = signer(901);
/** The recovery id with more in it than its one bit. */
const withV = (v: number) => (seals: readonly Uint8Array[]) => seals.map((seal) => seal.with(64, v + (seal[64] ?? 0)));

function verdict(
  chain: SealedChain,
  headers: readonly Uint8Array[],
  from: TrackedChain = chainFrom(chain.finality),
): string {
  const proof = verifyHeaders(from, chain.finality, headers, recoverSealer);
  return proof.ok ? 'taken' : proof.check;
}
function tracked(chain: SealedChain): TrackedChain {
  const proof = verifyHeaders(chainFrom(chain.finality), chain.finality, chain.headers, recoverSealer);
  if (!proof.ok) throw new Error(`${proof.check}: ${proof.detail}`);
  return proof.chain;
}
/** Blocks in which `voters` vote; the factory's set is changed by hand after it. */
function voted(chain: SealedChain, voters: readonly Signer[], vote: NonNullable<Plan['vote']>): SealedChain {
  for (const proposer of voters) chain.add({ proposer, vote });
  return chain;
}

test('the quorum is two thirds, rounded up', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 21, 100].map(quorumOf)).toEqual([1, 2, 2, 3, 4, 4, 5, 14, 67]);
  for (let size = 1; size <= 300; size++) expect(quorumOf(size)).toBe(quorum(size));
});

describe.each(RULES)('%s', (rule) => {
  const fresh = (validators = 4): SealedChain => new SealedChain({ rule, validators });
  const base = fresh();
  const [a, b, c, d] = base.validators as Four;
  const one = (plan: Plan): string => verdict(base, [base.next(plan).rlp]);

  test('sealed chains are taken, whatever sets of seals their copies have', () => {
    expect(one({})).toBe('taken');
    expect(one({ sealers: [d, b, c] })).toBe('taken');
    expect(one({ sealers: [c, d, a, b] })).toBe('taken');
    expect(one({ proposer: d, timestampS: base.ground().parent.timestampS + 1_000 })).toBe('taken');
    const chain = fresh().grow(3);
    expect(tracked(chain).head).toEqual({
      number: 3,
      hash: chain.blocks[2]?.hash,
      timestampS: chain.blocks[2]?.timestampS,
    });
    const copies = [
      [a, b, c],
      [d, c, a],
    ].map((sealers) => chain.next({ sealers }));
    expect(copies[0]?.hash).toBe(copies[1]?.hash);
    expect(copies[0]?.rlp).not.toEqual(copies[1]?.rlp);
  });
  test('sets of 1 to 21 are taken with a quorum, and not with one seal less', () => {
    for (const size of [1, 2, 3, 5, 7, 21]) {
      const chain = fresh(size);
      const few = chain.validators.slice(0, quorum(size) - 1);
      expect(verdict(chain, [chain.next().rlp])).toBe('taken');
      expect(verdict(chain, [chain.next({ sealers: few }).rlp])).toBe('quorum');
    }
  });
  test('facts name proposer and vote', () => {
    const chain = fresh();
    chain.add({ proposer: c, vote: { candidate: candidate.address, add: true } });
    const proof = verifyHeaders(chainFrom(chain.finality), chain.finality, chain.headers, recoverSealer);
    expect(proof).toMatchObject({
      ok: true,
      blocks: [{ number: 1, proposer: c.address, vote: { candidate: candidate.address, add: true } }],
    });
    const none = verifyHeaders(chainFrom(base.finality), base.finality, [base.next().rlp], recoverSealer);
    if (none.ok) expect(none.blocks[0]).not.toHaveProperty('vote');
  });

  describe('seals', () => {
    test('too few', () => expect(one({ sealers: [a, b] })).toBe('quorum'));
    test('none', () => expect(one({ sealers: [] })).toBe('quorum'));
    test('a member twice', () => expect(one({ sealers: [a, b, a] })).toBe('distinctSealers'));
    test('a member twice, once in a copy of a quorum', () =>
      expect(one({ sealers: [a, b, c, c] })).toBe('distinctSealers'));
    test('a stranger among them', () => expect(one({ sealers: [a, b, stranger] })).toBe('sealer'));
    test('a stranger beside a quorum', () => expect(one({ sealers: [a, b, c, stranger] })).toBe('sealer'));
    test('more than members', () => expect(one({ sealers: [a, b, c, d, a] })).toBe('sealCount'));
    test('high s', () =>
      expect(one({ seals: ([first, ...rest]) => [highSeal(first as Uint8Array), ...rest] })).toBe('seal'));
    test('a recovery id from 26 on, or from 2 on', () => {
      expect(one({ seals: withV(26) })).toBe('seal');
      expect(one({ seals: withV(2) })).toBe('seal');
    });
    test('the other recovery id', () => {
      expect(one({ seals: (seals) => seals.map((seal) => seal.with(64, 1 - (seal[64] ?? 0))) })).toMatch(/^seal(er)?$/);
    });
    test('64 bytes', () => expect(one({ seals: (seals) => seals.map((seal) => seal.subarray(0, 64)) })).toBe('seal'));
    test('66 bytes', () => {
      expect(one({ seals: (seals) => seals.map((seal) => concatBytes(seal, Uint8Array.of(0))) })).toBe('seal');
    });
    test('zeros', () => expect(one({ seals: (seals) => seals.map(() => new Uint8Array(65)) })).toBe('seal'));
    test('of another block', () => {
      const other = base.next({ receiptsRoot: `0x${'77'.repeat(32)}` as Bytes32, sealers: [a, b, c] });
      expect(verdict(base, [other.rlp])).toBe('taken');
      let seals: readonly Uint8Array[] = [];
      base.next({ receiptsRoot: `0x${'77'.repeat(32)}` as Bytes32, seals: (made) => (seals = made) });
      expect(one({ seals: () => seals })).toMatch(/^seal(er)?$/);
    });
  });

  describe('the set', () => {
    const listed = (...members: readonly Signer[]): Plan => ({ listed: members.map(({ address }) => address) });
    test('grows without votes', () => expect(one(listed(a, b, c, d, stranger))).toBe('set'));
    test('shrinks without votes', () => expect(one(listed(a, b, c))).toBe('set'));
    test('has a member changed for a stranger', () => expect(one(listed(a, b, c, stranger))).toBe('set'));
    test('names a member twice in place of another', () => expect(one(listed(a, b, c, c))).toBe('set'));
    test('is not listed: contract mode', () => expect(one(listed())).toBe('listed'));
    test('may be listed in any order', () => expect(one(listed(d, b, a, c))).toBe('taken'));

    const adding = { candidate: candidate.address, add: true };
    test('changes by more than half the votes, from the next block on', () => {
      const chain = voted(fresh(), [a, b, c], adding);
      expect(nextValidators(tracked(chain))).toHaveLength(5);
      expect(verdict(chain, [...chain.headers, chain.next().rlp])).toBe('set');
      chain.validators = [...chain.validators, candidate];
      const four = { sealers: [a, b, c, candidate] };
      expect(verdict(chain, [...chain.headers, chain.next(four).rlp])).toBe('taken');
    });
    test('sealed by less than the quorum of the new set', () => {
      const chain = voted(fresh(), [a, b, c], adding);
      chain.validators = [...chain.validators, candidate];
      expect(verdict(chain, [...chain.headers, chain.next({ sealers: [a, b, c] }).rlp])).toBe('quorum');
    });
    test('changed with exactly half the votes', () => {
      const chain = voted(fresh(), [a, b], adding);
      chain.validators = [...chain.validators, candidate];
      expect(verdict(chain, [...chain.headers, chain.next({ sealers: [a, b, c, d] }).rlp])).toBe('set');
    });
    test('changed with votes that one member cast again and again', () => {
      const chain = voted(fresh(), [a, a, a, a], adding);
      chain.validators = [...chain.validators, candidate];
      expect(verdict(chain, [...chain.headers, chain.next({ sealers: [a, b, c, d] }).rlp])).toBe('set');
    });
    test('changed with a vote that was taken back', () => {
      const chain = voted(fresh(), [a, b], adding);
      voted(chain, [a], { ...adding, add: false });
      voted(chain, [c], adding);
      chain.validators = [...chain.validators, candidate];
      expect(verdict(chain, [...chain.headers, chain.next({ sealers: [a, b, c, d] }).rlp])).toBe('set');
    });
    test('changed by two at once', () => {
      const chain = voted(fresh(), [a, b, c], adding);
      chain.validators = [...chain.validators, candidate, stranger];
      expect(verdict(chain, [...chain.headers, chain.next({ sealers: [a, b, c, d] }).rlp])).toBe('set');
    });
    test('a member that is voted out seals no more', () => {
      const chain = voted(fresh(), [a, b, c], { candidate: d.address, add: false });
      chain.validators = [a, b, c];
      expect(nextValidators(tracked(chain))).toEqual([a, b, c].map(({ address }) => address));
      expect(verdict(chain, [...chain.headers, chain.next({ proposer: a, sealers: [a, b] }).rlp])).toBe('taken');
      expect(verdict(chain, [...chain.headers, chain.next({ proposer: a, sealers: [a, d] }).rlp])).toBe('sealer');
      expect(verdict(chain, [...chain.headers, chain.next({ proposer: d, sealers: [a, b] }).rlp])).toBe('proposer');
    });
    test('the last member cannot be voted out', () => {
      const chain = fresh(1);
      const only = chain.validators[0] as Signer;
      expect(verdict(chain, [chain.next({ vote: { candidate: only.address, add: false } }).rlp])).toBe('setSize');
    });
    test('votes end with an epoch', () => {
      const chain = new SealedChain({ rule, validators: 4, epochLength: 4 });
      voted(chain, [a, b], adding).grow(2);
      voted(chain, [c], adding);
      expect(tracked(chain).votes).toEqual([{ voter: c.address, ...adding }]);
      chain.validators = [...chain.validators, candidate];
      expect(verdict(chain, [...chain.headers, chain.next({ proposer: a, sealers: [a, b, c, d] }).rlp])).toBe('set');
    });
    test('a vote in an epoch block counts from there on, but not with Besu', () => {
      const chain = new SealedChain({ rule, validators: 4, epochLength: 4 }).grow(3);
      voted(chain, [a], adding);
      expect(tracked(chain).votes).toHaveLength(rule === 'ibft2' ? 0 : 1);
    });
  });

  describe('the proposer', () => {
    test('is a stranger', () => expect(one({ proposer: stranger })).toBe('proposer'));
    test('is a stranger who votes', () => {
      expect(one({ proposer: stranger, vote: { candidate: candidate.address, add: true } })).toBe('proposer');
    });
  });

  describe('the place in the chain', () => {
    const chain = fresh().grow(3);
    const [first, second, third] = chain.headers as [Uint8Array, Uint8Array, Uint8Array];
    const at = chain.ground().parent;
    const next = (change: Partial<typeof at>, plan: Plan = {}): string =>
      verdict(chain, [...chain.headers, sealBlock({ ...chain.ground(), parent: { ...at, ...change } }, plan).rlp]);
    test('a header is withheld', () => {
      expect(verdict(chain, [first, third])).toBe('number');
      expect(verdict(chain, [second, third])).toBe('number');
    });
    test('headers come twice or in another order', () => {
      expect(verdict(chain, [first, first])).toBe('number');
      expect(verdict(chain, [second, first])).toBe('number');
    });
    test('the parent is another', () => expect(next({ hash: `0x${'99'.repeat(32)}` as Bytes32 })).toBe('parent'));
    test('the number is another', () => expect(next({ number: at.number + 1 })).toBe('number'));
    test('the timestamp does not rise', () => {
      expect(next({}, { timestampS: at.timestampS })).toBe('timestamp');
      expect(next({}, { timestampS: at.timestampS - 1 })).toBe('timestamp');
    });
    test('one bad header refuses the batch', () => {
      expect(verdict(chain, [...chain.headers, chain.next({ sealers: [a, b] }).rlp])).toBe('quorum');
    });
  });

  describe('fields that the rule fixes', () => {
    test('mix hash', () => expect(one({ fields: { 13: new Uint8Array(32) } })).toBe('constants'));
    test('nonce', () => expect(one({ fields: { 14: new Uint8Array(8).fill(1) } })).toBe('constants'));
    test('difficulty', () => expect(one({ fields: { 7: Uint8Array.of(2) } })).toBe('constants'));
    test('uncles', () => expect(one({ fields: { 1: new Uint8Array(32).fill(1) } })).toBe('constants'));
    test('number of fields, but for a fork that is registered', () => {
      const forked = new SealedChain({ rule, validators: 4, fieldCount: 17 });
      expect(verdict(base, [forked.next().rlp])).toBe('fields');
      expect(verdict(forked, [forked.next().rlp])).toBe('taken');
    });
  });

  test('former validators rewrite the time after they were voted out', () => {
    const chain = fresh();
    voted(chain, [a, b, c], { candidate: d.address, add: false });
    chain.validators = [a, b, c];
    voted(chain, [a, b], { candidate: c.address, add: false });
    chain.validators = [a, b];
    const ground = chain.ground();
    const forged = sealBlock({ ...ground, validators: [c, d] }, { proposer: c, sealers: [c, d] });
    const disguised = sealBlock(ground, { proposer: a, sealers: [c, d] });
    const old = sealBlock({ ...ground, validators: [a, b, c, d] }, { proposer: a, sealers: [a, c, d] });
    expect(verdict(chain, [...chain.headers, forged.rlp])).toBe('proposer');
    expect(verdict(chain, [...chain.headers, disguised.rlp])).toBe('sealer');
    expect(verdict(chain, [...chain.headers, old.rlp])).toBe('set');
  });

  test('extra data in another form', () => {
    const reformed = (change: (extra: unknown[]) => unknown[]): string => {
      const fields = RLP.decode(base.next().rlp) as Uint8Array[];
      const extra = fields[12] ?? new Uint8Array();
      const cut = rule === 'ibft' ? 32 : 0;
      const list = RLP.decode(extra.subarray(cut)) as Uint8Array[];
      const changed = concatBytes(extra.subarray(0, cut), RLP.encode(change(list) as Uint8Array[]));
      return verdict(base, [RLP.encode(fields.with(12, changed))]);
    };
    const at = rule === 'ibft' ? { set: 0, seals: 2 } : { set: 1, seals: 4 };
    expect(reformed((list) => list)).toBe('taken');
    expect(reformed((list) => [...list, new Uint8Array()])).toBe('extra');
    expect(reformed((list) => list.slice(0, -1))).toBe('extra');
    expect(reformed((list) => list.with(at.set, new Uint8Array()))).toBe('extra');
    expect(reformed((list) => list.with(at.set, [new Uint8Array(19)]))).toBe('extra');
    expect(reformed((list) => list.with(at.set, [[]]))).toBe('extra');
    expect(reformed((list) => list.with(at.seals, new Uint8Array()))).toBe('extra');
    expect(reformed((list) => list.with(at.seals, [[]]))).toBe('extra');
    const padded = { fields: { 12: new Uint8Array(31) } };
    const fields = RLP.decode(base.next(padded).rlp) as Uint8Array[];
    const trailing = concatBytes(fields[12] ?? new Uint8Array(), Uint8Array.of(0));
    expect(verdict(base, [RLP.encode(fields.with(12, trailing))])).toBe('extra');
    expect(verdict(base, [RLP.encode(fields.with(12, (fields[12] ?? trailing).subarray(0, -1)))])).toBe('extra');
    expect(verdict(base, [RLP.encode(fields.with(12, new Uint8Array()))])).toBe('extra');
  });
});

describe.each(['qbft', 'ibft2'] as const)('%s', (rule) => {
  const base = new SealedChain({ rule, validators: 4 });
  const [a] = base.validators as Four;
  const one = (plan: Plan): string => verdict(base, [base.next(plan).rlp]);
  const withExtra = (plan: Plan, at: number, item: unknown): string => {
    const fields = RLP.decode(base.next(plan).rlp) as Uint8Array[];
    const extra = RLP.decode(fields[12] ?? new Uint8Array()) as Uint8Array[];
    return verdict(base, [RLP.encode(fields.with(12, RLP.encode(extra.with(at, item as Uint8Array))))]);
  };

  test('a later round is sealed as such, and does not change the hash', () => {
    expect(one({ round: 7 })).toBe('taken');
    expect(base.next({ round: 7 }).hash).toBe(base.next().hash);
  });
  test('the round under the seals is another than the one in the header', () => {
    expect(one({ round: 1, sealedRound: 0 })).toBe('sealer');
    expect(one({ round: 0, sealedRound: 1 })).toBe('sealer');
  });
  test('the round has another form', () => {
    const forms = rule === 'qbft' ? [Uint8Array.of(0, 1), new Uint8Array(5).fill(1), []] : [new Uint8Array(3), []];
    for (const form of forms) expect(withExtra({}, 3, form)).toBe('extra');
  });
  test('the vanity has another length', () => {
    expect(one({ vanity: new Uint8Array(31) })).toBe('extra');
    expect(one({ vanity: new Uint8Array(33) })).toBe('extra');
  });
  test('a vote is malformed', () => {
    const candidateBytes = new Uint8Array(20).fill(9);
    const forms = [
      [candidateBytes],
      [candidateBytes, Uint8Array.of(1)],
      [candidateBytes.subarray(1), Uint8Array.of(0xff)],
      [candidateBytes, Uint8Array.of(0xff), Uint8Array.of(1)],
      [candidateBytes, [Uint8Array.of(0xff)]],
      rule === 'qbft' ? new Uint8Array() : [],
    ];
    for (const form of forms) expect(withExtra({}, 2, form)).toBe('extra');
  });
  test('a vote is put in, turned or written another way after the seals: that is another block', () => {
    const vote = { candidate: candidate.address, add: true };
    const bytes = new Uint8Array(20).fill(9);
    expect(withExtra({}, 2, [bytes, Uint8Array.of(0xff)])).toBe('sealer');
    expect(withExtra({ vote }, 2, rule === 'qbft' ? [] : new Uint8Array())).toBe('sealer');
    const dropping = { vote: { candidate: a.address, add: false }, dropMark: Uint8Array.of(0) };
    const plain = RLP.decode(base.next(dropping).rlp) as Uint8Array[];
    const [, , ballot] = RLP.decode(plain[12] ?? new Uint8Array()) as unknown as [unknown, unknown, Uint8Array[]];
    expect(one(dropping)).toBe('taken');
    expect(withExtra(dropping, 2, [ballot[0], new Uint8Array()])).toBe('sealer');
  });
  test('a vote to drop counts in either way of writing it', () => {
    for (const dropMark of rule === 'qbft' ? [Uint8Array.of(0), new Uint8Array()] : [Uint8Array.of(0)]) {
      const chain = new SealedChain({ rule, validators: 4 });
      chain.add({ vote: { candidate: a.address, add: false }, dropMark });
      expect(tracked(chain).votes).toMatchObject([{ candidate: a.address, add: false }]);
    }
  });
});

describe('ibft', () => {
  const base = new SealedChain({ rule: 'ibft', validators: 4 });
  const [a] = base.validators as Four;
  const one = (plan: Plan): string => verdict(base, [base.next(plan).rlp]);
  test('the seal of the proposer is of a stranger, of another form or high', () => {
    expect(one({ proposerSeal: a.seal })).toBe('taken');
    expect(one({ proposerSeal: stranger.seal })).toBe('proposer');
    expect(one({ proposerSeal: (digest) => a.seal(digest).subarray(1) })).toBe('seal');
    expect(one({ proposerSeal: (digest) => highSeal(a.seal(digest)) })).toBe('seal');
    expect(one({ proposerSeal: () => new Uint8Array() })).toBe('seal');
    const fields = RLP.decode(base.next().rlp) as Uint8Array[];
    const extra = fields[12] ?? new Uint8Array();
    const list = RLP.decode(extra.subarray(32)) as Uint8Array[];
    const changed = concatBytes(extra.subarray(0, 32), RLP.encode(list.with(1, [] as unknown as Uint8Array)));
    expect(verdict(base, [RLP.encode(fields.with(12, changed))])).toBe('extra');
  });
  test('the vote stands in miner and nonce, and is bound by the seals', () => {
    const chain = new SealedChain({ rule: 'ibft', validators: 4 });
    const vote = { candidate: candidate.address, add: true };
    chain.add({ proposer: a, vote });
    expect(tracked(chain).votes).toEqual([{ voter: a.address, ...vote }]);
    const fields = RLP.decode(chain.headers[0] ?? new Uint8Array()) as Uint8Array[];
    const turned = RLP.encode(fields.with(14, new Uint8Array(8)));
    expect(verdict(chain, [turned])).not.toBe('taken');
  });
});
