import { highSeal } from '@drawbridge/evidence/testing/sealed-chain';
import { signers } from '@drawbridge/evidence/testing/secp256k1-signers';
import { fromHex } from '@drawbridge/protocol/bytes32';
import { expect, test } from '@jest/globals';
import { recoverSealer } from './secp256k1.ts';

const [signer] = signers(1);
if (signer === undefined) throw new RangeError('there is no signer');
const digest = new Uint8Array(32).fill(7);
const seal = signer.seal(digest);
const recovered = (whole: Uint8Array, over = digest) =>
  recoverSealer(over, whole.subarray(0, 64), whole[64] === 1 ? 1 : 0);

test('finds who sealed, and somebody else for another digest', () => {
  expect(recovered(seal)).toBe(signer.address);
  expect(recovered(seal, new Uint8Array(32).fill(8))).not.toBe(signer.address);
});

/** Of GoQuorum 24.4.1, with the validator that its nodes named. */
test('finds the validator of a recorded seal', () => {
  const hash = fromHex('0x46119dd653013b3a28a9a61c805664a5ee42a2189d8f71babcc405a01dd53f83');
  const signature = fromHex(
    '0xe06c29f2b6f740bbf2799be5e89268b0f7435d31da525f99f7ee073e56f7aef256df02fd3c703c60f38f6f3431e8887d60cfc28d2f3a09bfeeb4aa444f91f894',
  );
  expect(recoverSealer(hash, signature, 0)).toBe('0xb7d1b7616c7970c87aa669dff8f984d92d7a5d7a');
});

test('refuses the high s of the same seal', () => {
  expect(recovered(highSeal(seal))).toBeUndefined();
});

test.each([
  ['zeros', new Uint8Array(65)],
  ['ones', new Uint8Array(65).fill(0xff)],
  ['a cut seal', seal.subarray(0, 63)],
])('refuses %s', (_, whole) => {
  expect(recovered(whole)).toBeUndefined();
});

test('refuses a digest of another length, and a recovery bit that is none', () => {
  expect(recovered(seal, digest.subarray(1))).toBeUndefined();
  expect(recoverSealer(digest, seal.subarray(0, 64), 2 as 0)).toBeUndefined();
});
