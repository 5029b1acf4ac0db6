import type { SealRecovery } from '@drawbridge/evidence/sealed-header';
import { fromHex, toHex } from '@drawbridge/protocol/bytes32';
import { describe, expect, test } from '@jest/globals';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { numberToBytesBE } from '@noble/curves/utils.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { addressRecovery, libsecp256k1, nobleSecp256k1, RECOVERY_LIBRARY, recoverSealer } from './secp256k1.ts';

const native = await libsecp256k1();
const LIBRARIES: readonly [string, SealRecovery][] = [
  ['@noble/curves', addressRecovery(nobleSecp256k1)],
  ['the library in use', recoverSealer],
];

type Signed = Readonly<{ address: string; digest: Uint8Array; r: bigint; s: bigint; recovery: 0 | 1 }>;

const { n: ORDER } = secp256k1.Point.CURVE();
const scalar = (value: bigint): Uint8Array => numberToBytesBE(value, 32);
const pair = (r: bigint, s: bigint): Uint8Array => concatBytes(scalar(r), scalar(s));

function signed(secret: Uint8Array, digest: Uint8Array): Signed {
  const made = secp256k1.sign(digest, secret, { prehash: false, format: 'recovered', lowS: true });
  const { r, s } = secp256k1.Signature.fromBytes(made.slice(1), 'compact');
  const address = toHex(keccak_256(secp256k1.getPublicKey(secret, false).subarray(1)).subarray(12));
  return { address, digest, r, s, recovery: made[0] === 1 ? 1 : 0 };
}
const SOUND = signed(scalar(46_109n), keccak_256(Uint8Array.of(1, 2, 3)));

/** Commit seals of GoQuorum 24.4.1 with the signers that its nodes named: QBFT, then IBFT. */
const RECORDED: readonly [string, string, string, 0 | 1][] = [
  [
    '0xb7d1b7616c7970c87aa669dff8f984d92d7a5d7a',
    '0x46119dd653013b3a28a9a61c805664a5ee42a2189d8f71babcc405a01dd53f83',
    '0xe06c29f2b6f740bbf2799be5e89268b0f7435d31da525f99f7ee073e56f7aef256df02fd3c703c60f38f6f3431e8887d60cfc28d2f3a09bfeeb4aa444f91f894',
    0,
  ],
  [
    '0xf16898bf307c7f235bd456f2702cb376b1ab78a2',
    '0x5e438ec796c0a082558a4f69610d7e192fba90d2dbb0900440f6282a96c92955',
    '0xc3a0f4c41486203b253edf415acb1928601728c7742b24fc9e3a3a52ef6f732a11d944e0ad6da4ac16065312c77d3819344637225687ffc10e07e0293acdb355',
    1,
  ],
];

describe.each(LIBRARIES)('%s', (_, recover) => {
  const { digest, r, s, recovery } = SOUND;
  const other = recovery === 0 ? 1 : 0;

  test.each(RECORDED)('finds the validator %s', (address, hash, signature, bit) => {
    expect(recover(fromHex(hash), fromHex(signature), bit)).toBe(address);
  });

  test('finds the signers of 8 signatures, and no other with the other bit', () => {
    for (let i = 1; i <= 8; i++) {
      const item = signed(scalar((BigInt(i) * 7n ** 90n) % ORDER), keccak_256(Uint8Array.of(i)));
      expect(recover(item.digest, pair(item.r, item.s), item.recovery)).toBe(item.address);
      expect(recover(item.digest, pair(item.r, item.s), item.recovery === 0 ? 1 : 0)).not.toBe(item.address);
    }
  });

  test('finds another signer for another digest', () => {
    expect(recover(keccak_256(digest), pair(r, s), recovery)).not.toBe(SOUND.address);
  });

  test('refuses the high s of the same signature, which is of the same signer', () => {
    expect(recover(digest, pair(r, s), recovery)).toBe(SOUND.address);
    const high = pair(r, ORDER - s);
    const twin = secp256k1.Signature.fromBytes(high, 'compact').addRecoveryBit(other).recoverPublicKey(digest);
    expect(toHex(keccak_256(twin.toBytes(false).subarray(1)).subarray(12))).toBe(SOUND.address);
    expect(recover(digest, high, other)).toBeUndefined();
  });

  test('takes the largest low s and refuses the next', () => {
    expect(recover(digest, pair(r, ORDER / 2n), 0)).toMatch(/^0x[0-9a-f]{40}$/);
    expect(recover(digest, pair(r, ORDER / 2n + 1n), 0)).toBeUndefined();
  });

  test.each([
    ['r zero', pair(0n, s)],
    ['s zero', pair(r, 0n)],
    ['both zero', pair(0n, 0n)],
    ['r of the order', pair(ORDER, s)],
    ['r above the order', pair(2n ** 256n - 1n, s)],
    ['s of the order', pair(r, ORDER)],
    ['r that is no point', pair(5n, s)],
    ['63 bytes', pair(r, s).subarray(1)],
    ['65 bytes', concatBytes(pair(r, s), Uint8Array.of(0))],
    ['nothing', new Uint8Array()],
  ])('refuses %s', (_name, signature) => {
    expect(recover(digest, signature, 0)).toBeUndefined();
    expect(recover(digest, signature, 1)).toBeUndefined();
  });

  test.each([2, 3, 27, 28, -1, 0.5, Number.NaN])('refuses recovery bit %p', (bit) => {
    expect(recover(digest, pair(r, s), bit as 0)).toBeUndefined();
  });

  test.each([0, 31, 33])('refuses a digest of %i bytes', (length) => {
    expect(recover(new Uint8Array(length), pair(r, s), recovery)).toBeUndefined();
  });

  test('refuses a key at infinity', () => {
    // R = k·G with s·R = digest·G: the key would be r⁻¹(s·R − digest·G) = 0.
    const k = 7n;
    const point = secp256k1.Point.BASE.multiply(k).toAffine();
    const infinite = pair(point.x % ORDER, 1n);
    expect(recover(scalar(k), infinite, (point.y & 1n) === 0n ? 0 : 1)).toBeUndefined();
  });

  test('answers anew each time', () => {
    const first = recover(digest, pair(r, s), recovery);
    const [address, hash, signature, bit] = RECORDED[0] ?? ['', '', '', 0];
    expect(recover(fromHex(hash), fromHex(signature), bit)).toBe(address);
    expect(first).toBe(SOUND.address);
  });
});

describe('decided before a library is asked is', () => {
  const { digest, r, s, recovery } = SOUND;
  /** Finds a key for everything. */
  const recover = addressRecovery((_signature, _recovery, _digest, output) => {
    output.fill(4);
  });

  test('control: nothing about a sound signature', () => {
    expect(recover(digest, pair(r, s), recovery)).toMatch(/^0x[0-9a-f]{40}$/);
  });

  test.each([
    ['r zero', pair(0n, s)],
    ['s zero', pair(r, 0n)],
    ['r of the order', pair(ORDER, s)],
    ['r above the order', pair(2n ** 256n - 1n, s)],
    ['s above half of it', pair(r, ORDER / 2n + 1n)],
    ['63 bytes', pair(r, s).subarray(0, 63)],
    ['65 bytes', concatBytes(pair(r, s), Uint8Array.of(0))],
  ])('%s', (_name, signature) => {
    expect(recover(digest, signature, recovery)).toBeUndefined();
  });

  test('a digest of another length, and a recovery bit that is none', () => {
    expect(recover(digest.subarray(1), pair(r, s), recovery)).toBeUndefined();
    expect(recover(digest, pair(r, s), 2 as 0)).toBeUndefined();
  });
});

test('both libraries say the same of random bytes', () => {
  const [[, first], [, second]] = LIBRARIES as [[string, SealRecovery], [string, SealRecovery]];
  for (let i = 0; i < 40; i++) {
    const digest = keccak_256(Uint8Array.of(1, i));
    const signature = concatBytes(keccak_256(Uint8Array.of(2, i)), keccak_256(Uint8Array.of(3, i)));
    // Half of all are high; the others are made low enough to be looked at.
    const low = signature.with(32, (signature[32] ?? 0) & 0x7f);
    expect(second(digest, low, 0)).toBe(first(digest, low, 0));
  }
});

test('libsecp256k1 is used where its package has a binary', () => {
  expect(RECOVERY_LIBRARY).toBe(native ? 'libsecp256k1' : '@noble/curves');
});
