import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fromHex, parseBytes32, parseHex, toBytes32, toHex, ZERO_BYTES32 } from './bytes32.ts';

const INVALID = expect.objectContaining({ code: 'HEX_INVALID' });

test('hex and bytes are two forms of one value', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => expect(fromHex(toHex(bytes))).toEqual(bytes)));
  expect(fromHex('0aff')).toEqual(Uint8Array.of(10, 255));
});

test('upper case is folded', () => {
  expect(parseHex('0xABcd')).toBe('0xabcd');
  expect(parseBytes32(`0x${'AB'.repeat(32)}`)).toBe(`0x${'ab'.repeat(32)}`);
  expect(parseHex('0x')).toBe('0x');
});

test.each(['', '0', 'ab', '0X00', '0xabc', '0xgg', ' 0x00', '0x00 ', '0x00\n'])('refuses %j as hex', (text) => {
  expect(() => parseHex(text)).toThrow(INVALID);
});

test('32 bytes means 32', () => {
  expect(parseBytes32(ZERO_BYTES32)).toBe(ZERO_BYTES32);
  for (const length of [0, 31, 33]) {
    expect(() => parseBytes32(`0x${'00'.repeat(length)}`)).toThrow(INVALID);
    expect(() => toBytes32(new Uint8Array(length))).toThrow(INVALID);
  }
  expect(toBytes32(new Uint8Array(32))).toBe(ZERO_BYTES32);
});
