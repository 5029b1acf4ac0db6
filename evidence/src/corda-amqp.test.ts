import { describe, expect, test } from '@jest/globals';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { AmqpFault, type AmqpValue, MAX_AMQP_DEPTH, MAX_AMQP_VALUES, readAmqp } from './corda-amqp.ts';
import { writeAmqp } from './testing/corda-amqp-writer.ts';

const of = (...bytes: readonly number[]): Uint8Array => Uint8Array.from(bytes);

describe('every encoding that Corda writes', () => {
  test.each<[string, Uint8Array, AmqpValue]>([
    ['null', of(0x40), { kind: 'null' }],
    ['true', of(0x41), { kind: 'boolean', value: true }],
    ['false', of(0x42), { kind: 'boolean', value: false }],
    ['a boolean with its byte', of(0x56, 1), { kind: 'boolean', value: true }],
    ['the other', of(0x56, 0), { kind: 'boolean', value: false }],
    ['uint 0', of(0x43), { kind: 'uint', value: 0 }],
    ['a short uint', of(0x52, 0xff), { kind: 'uint', value: 255 }],
    ['a uint', of(0x70, 0xff, 0, 0, 1), { kind: 'uint', value: 0xff00_0001 }],
    ['ulong 0', of(0x44), { kind: 'ulong', value: 0n }],
    ['a short ulong', of(0x53, 0x80), { kind: 'ulong', value: 128n }],
    ['a ulong', of(0x80, 0xff, 0, 0, 0, 0, 0, 0, 1), { kind: 'ulong', value: 0xff00_0000_0000_0001n }],
    ['a short int', of(0x54, 0x80), { kind: 'int', value: -128 }],
    ['an int', of(0x71, 0xff, 0xff, 0xff, 0x7f), { kind: 'int', value: -129 }],
    ['a short long', of(0x55, 0xff), { kind: 'long', value: -1n }],
    ['a long', of(0x81, 0x80, 0, 0, 0, 0, 0, 0, 0), { kind: 'long', value: -(2n ** 63n) }],
    ['bytes', of(0xa0, 2, 7, 8), { kind: 'binary', value: of(7, 8) }],
    ['long bytes', of(0xb0, 0, 0, 0, 1, 7), { kind: 'binary', value: of(7) }],
    ['text', of(0xa1, 2, 0xc3, 0xbc), { kind: 'string', value: 'ü' }],
    ['text with a mark at its start', of(0xa1, 3, 0xef, 0xbb, 0xbf), { kind: 'string', value: '\ufeff' }],
    ['long text', of(0xb1, 0, 0, 0, 1, 0x61), { kind: 'string', value: 'a' }],
    ['a symbol', of(0xa3, 1, 0x61), { kind: 'symbol', value: 'a' }],
    ['a long symbol', of(0xb3, 0, 0, 0, 1, 0x61), { kind: 'symbol', value: 'a' }],
    ['a UUID', of(0x98, ...new Uint8Array(16).fill(3)), { kind: 'uuid', value: new Uint8Array(16).fill(3) }],
    ['an empty list', of(0x45), { kind: 'list', items: [] }],
    [
      'a list',
      of(0xc0, 3, 2, 0x40, 0x41),
      { kind: 'list', items: [{ kind: 'null' }, { kind: 'boolean', value: true }] },
    ],
    ['a long list', of(0xd0, 0, 0, 0, 5, 0, 0, 0, 1, 0x40), { kind: 'list', items: [{ kind: 'null' }] }],
    ['a map', of(0xc1, 1, 0), { kind: 'map', items: [] }],
    ['a long map', of(0xd1, 0, 0, 0, 4, 0, 0, 0, 0), { kind: 'map', items: [] }],
    [
      'a described value',
      of(0, 0x53, 1, 0x40),
      { kind: 'described', descriptor: { kind: 'ulong', value: 1n }, value: { kind: 'null' } },
    ],
  ])('%s', (_, bytes, value) => {
    expect(readAmqp(bytes)).toEqual(value);
    expect(readAmqp(writeAmqp(value))).toEqual(value);
  });
});

const nested = (depth: number): Uint8Array => {
  let value: AmqpValue = { kind: 'null' };
  for (let i = 0; i < depth; i++) value = { kind: 'list', items: [value] };
  return writeAmqp(value);
};
const many = (count: number): Uint8Array => {
  const size = new Uint8Array(4);
  const number = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, 4 + count);
  new DataView(number.buffer).setUint32(0, count);
  return concatBytes(of(0xd0), size, number, new Uint8Array(count).fill(0x40));
};

describe('bytes that are refused', () => {
  test.each<[string, Uint8Array]>([
    ['none', of()],
    ['a byte after the value', of(0x40, 0x40)],
    ['an encoding that has no meaning, and no content', of(0x4f)],
    ['a float', of(0x72, 0, 0, 0, 0)],
    ['an array', of(0xe0, 2, 1, 0x40)],
    ['a timestamp', of(0x83, 0, 0, 0, 0, 0, 0, 0, 0)],
    ['a boolean that is neither', of(0x56, 2)],
    ['bytes beyond the end', of(0xa0, 2, 1)],
    ['a number beyond the end', of(0x71, 0, 0, 0)],
    ['text that is not UTF-8', of(0xa1, 2, 0xc3, 0x28)],
    ['text beyond the end', of(0xa1, 2, 0x61)],
    ['a symbol with a control character', of(0xa3, 1, 0x1f)],
    ['a symbol beyond ASCII', of(0xa3, 1, 0x7f)],
    ['a symbol that is too long', concatBytes(of(0xb3, 0, 0, 1, 1), new Uint8Array(257).fill(0x61))],
    ['a list that says less', of(0xc0, 2, 2, 0x40, 0x40)],
    ['a list that says more', of(0xc0, 3, 1, 0x40, 0x40)],
    ['a list beyond the end', of(0xc0, 9, 1, 0x40)],
    ['a list of more values than bytes', of(0xd0, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff)],
    ['lists nested too deeply', nested(MAX_AMQP_DEPTH + 1)],
    ['descriptors nested too deeply', new Uint8Array(100_000)],
    ['too many values', many(MAX_AMQP_VALUES)],
  ])('%s', (_, bytes) => {
    expect(() => readAmqp(bytes)).toThrow(AmqpFault);
  });

  test('the bounds themselves are allowed', () => {
    expect(readAmqp(nested(MAX_AMQP_DEPTH)).kind).toBe('list');
    expect(readAmqp(many(MAX_AMQP_VALUES - 1)).kind).toBe('list');
    expect(readAmqp(concatBytes(of(0xb3, 0, 0, 1, 0), utf8ToBytes('a'.repeat(256)))).kind).toBe('symbol');
  });
});
