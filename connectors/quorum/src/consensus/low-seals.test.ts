import { highSeal, SealedChain } from '@drawbridge/evidence/testing/sealed-chain';
import { recoverSealer } from '@drawbridge/evidence/testing/secp256k1-signers';
import { chainFrom, verifyHeaders } from '@drawbridge/evidence/tracked-chain';
import { describe, expect, it } from '@jest/globals';
import { withLowSeals } from './low-seals.ts';

describe.each(['qbft', 'ibft', 'ibft2'] as const)('a header of %s with a high seal', (rule) => {
  it('is refused as it is, and taken in the low form', () => {
    const chain = new SealedChain({ rule, validators: 4 });
    const { rlp } = chain.next({ seals: ([first, ...rest]) => (first ? [highSeal(first), ...rest] : rest) });
    const verdict = (header: Uint8Array) =>
      verifyHeaders(chainFrom(chain.finality), chain.finality, [header], recoverSealer);
    expect(verdict(rlp)).toMatchObject({ ok: false, check: 'seal' });
    expect(verdict(withLowSeals(rlp, rule))).toMatchObject({ ok: true });
  });

  it('with low ones only stays as it is, and so does what is none', () => {
    const { rlp } = new SealedChain({ rule, validators: 4 }).next();
    expect(withLowSeals(rlp, rule)).toBe(rlp);
    for (const other of [new Uint8Array(), Uint8Array.of(0xc0), rlp.subarray(0, 100)])
      expect(withLowSeals(other, rule)).toBe(other);
  });
});

it('the seal of Clique stays, since the hash binds it', () => {
  const { rlp } = new SealedChain({ rule: 'clique', validators: 1 }).next({
    seals: ([seal]) => (seal ? [highSeal(seal)] : []),
  });
  expect(withLowSeals(rlp, 'clique')).toBe(rlp);
});
