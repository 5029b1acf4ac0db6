import { toHex } from '@drawbridge/protocol/bytes32';
import { expect, test } from '@jest/globals';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { keccak256 } from './keccak.ts';

test('nothing hashes to the known word', () => {
  expect(toHex(keccak256(new Uint8Array()))).toBe('0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470');
});

test('is what another library computes, at every length around blocks and chunks', () => {
  const lengths = [...Array.from({ length: 300 }, (_, i) => i), 16_383, 16_384, 16_385, 70_000, 983_040];
  const wrong = lengths.filter((length) => {
    const input = Uint8Array.from({ length }, (_, i) => (i * 31 + length) & 0xff);
    return toHex(keccak256(input)) !== toHex(keccak_256(input));
  });
  expect(wrong).toEqual([]);
});

test('earlier hashes are not changed by later ones, and a view is hashed, not what it views', () => {
  const first = keccak256(Uint8Array.of(1));
  const copy = toHex(first);
  keccak256(Uint8Array.of(2));
  expect(toHex(first)).toBe(copy);
  expect(toHex(keccak256(Uint8Array.of(9, 1, 9).subarray(1, 2)))).toBe(copy);
});
