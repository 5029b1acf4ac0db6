/** Digests of guardians' typed data, against ethers. */
import { describe, expect, test } from '@jest/globals';
import { TypedDataEncoder } from 'ethers';
import { toBytes32 } from './bytes32.ts';
import { type GuardianAction, guardianDigest } from './guardian-action.ts';
import { parseEvmAddress } from './ids.ts';

const SALT = toBytes32(new Uint8Array(32).fill(7));
const AUTHORITY = parseEvmAddress(`0x${'ab'.repeat(20)}`);
const NONCE = [{ name: 'nonce', type: 'uint64' }];

describe("a guardian's digest", () => {
  test.each<readonly [string, GuardianAction, { name: string; type: string }[]]>([
    ['GuardianPause', { action: 'pause' }, NONCE],
    ['GuardianUnpause', { action: 'unpause' }, NONCE],
    ['GuardianCancel', { action: 'cancel' }, NONCE],
    [
      'GuardianReplaceAuthority',
      { action: 'propose', authority: AUTHORITY },
      [{ name: 'authority', type: 'address' }, ...NONCE],
    ],
  ])('is that of %s', (type, action, fields) => {
    const domain = { name: 'Drawbridge', version: '1', salt: SALT };
    for (const nonce of [0n, 1n, 2n ** 64n - 1n]) {
      const value = { nonce, ...('authority' in action && { authority: action.authority }) };
      expect(guardianDigest(SALT, action, nonce)).toBe(TypedDataEncoder.hash(domain, { [type]: fields }, value));
    }
  });
});
