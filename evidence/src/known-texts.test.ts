import { expect, test } from '@jest/globals';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { asciiOf } from './known-texts.ts';

test('text is that of its bytes, whatever came to its place before', () => {
  // More names than places, twice over, so that every place is taken by several.
  const names = Array.from({ length: 5_000 }, (_, n) => `net.corda:${n.toString(36)}`);
  for (const name of [...names, ...names.toReversed()]) expect(asciiOf(utf8ToBytes(name))).toBe(name);
  expect(asciiOf(new Uint8Array())).toBe('');
});

test('any ASCII', () => {
  const ascii = fc.uint8Array({ max: 0x7f, maxLength: 40 });
  fc.assert(fc.property(ascii, (bytes) => expect(asciiOf(bytes)).toBe(String.fromCharCode(...bytes))));
});
