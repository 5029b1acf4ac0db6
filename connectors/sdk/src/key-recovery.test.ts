import { describe, expect, test } from '@jest/globals';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { type KeyRecovery, nativeRecovery, portableRecovery, recoverKey } from './key-recovery.ts';

const native = await nativeRecovery();
const libraries: [string, KeyRecovery][] = [
  ['portable', portableRecovery],
  ...(native ? [['native', native] as [string, KeyRecovery]] : []),
];

test('there is a native one on the machines that matter', () => {
  if (process.platform === 'linux' && process.arch === 'x64') expect(native).toBeDefined();
  expect(recoverKey === portableRecovery).toBe(native === undefined);
});

describe.each(libraries)('%s', (_, recover) => {
  test('finds who signed', () => {
    for (let n = 1; n <= 16; n += 1) {
      const key = sha256(Uint8Array.of(n));
      const digest = sha256(Uint8Array.of(n, n));
      const [recovery = 0, ...signature] = secp256k1.sign(digest, key, { prehash: false, format: 'recovered' });
      expect(recover(Uint8Array.from(signature), recovery, digest)).toEqual(secp256k1.getPublicKey(key, false));
    }
  });

  test('throws for an r that is no point', () => {
    // x³ + 7 has no root for x = 5.
    const signature = new Uint8Array(64);
    signature[31] = 5;
    signature[63] = 1;
    expect(() => recover(signature, 0, new Uint8Array(32))).toThrow();
  });
});
