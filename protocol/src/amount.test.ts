import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatAmount, MAX_AMOUNT_MINOR, parseAmountMinor } from './amount.ts';

test('every amount has one text, and it comes back', () => {
  fc.assert(
    fc.property(fc.bigInt(1n, MAX_AMOUNT_MINOR), (amount) => expect(parseAmountMinor(`${amount}`)).toBe(amount)),
  );
});

test('2^63 - 1 is the largest', () => {
  expect(parseAmountMinor('9223372036854775807')).toBe(MAX_AMOUNT_MINOR);
  expect(() => parseAmountMinor('9223372036854775808')).toThrow(expect.objectContaining({ code: 'AMOUNT_INVALID' }));
});

test.each(['', '0', '-1', '+1', '01', '1.0', '1e3', ' 1', '1 ', '1\n', '0x1', '１', '10000000000000000000'])(
  'refuses %j',
  (text) => expect(() => parseAmountMinor(text)).toThrow(expect.objectContaining({ code: 'AMOUNT_INVALID' })),
);

test.each([
  [12345n, 2, '123.45'],
  [5n, 2, '0.05'],
  [0n, 2, '0.00'],
  [-5n, 2, '-0.05'],
  [-12345n, 0, '-12345'],
  [7n, 0, '7'],
  [1n, 8, '0.00000001'],
] as const)('%s with scale %s reads %s', (amount, scale, text) => expect(formatAmount(amount, scale)).toBe(text));
