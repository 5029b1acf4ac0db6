import { describe, expect, test } from '@jest/globals';
import { encode } from 'cborg';
import fc from 'fast-check';
import { CanonicalReader } from './canonical-reader.ts';

const reader = (...bytes: readonly number[]): CanonicalReader =>
  new CanonicalReader(Uint8Array.from(bytes), 'EVIDENCE_INVALID');
const of = (value: unknown): CanonicalReader => new CanonicalReader(encode(value), 'EVIDENCE_INVALID');
const ANY = { min: 0, max: 2 ** 32 } as const;
const refused = expect.objectContaining({ name: 'ProtocolError', code: 'EVIDENCE_INVALID' });

describe('what cborg writes is read', () => {
  test.each([0, 1, 23, 24, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 32 - 1])('the number %i', (value) => {
    const r = of(value);
    expect(r.whole(ANY, 'it')).toBe(value);
    r.end('it');
  });

  test.each([0, 1, 23, 24, 255, 256, 65_536])('%i bytes, and as much ASCII', (length) => {
    const bytes = new Uint8Array(length).fill(0x61);
    expect(of(bytes).bytes(ANY, 'it')).toEqual(bytes);
    expect(of('a'.repeat(length)).ascii(65_536, 'it')).toBe('a'.repeat(length));
  });

  test.each([0, 23, 24, 300])('a list of %i', (count) => {
    const r = of(Array.from({ length: count }, () => null));
    expect(r.listOf(ANY, 'it')).toBe(count);
    for (let i = 0; i < count; i++) expect(r.isNull()).toBe(true);
    expect(r.isNull()).toBe(false);
    r.end('it');
  });
});

describe('bounds', () => {
  test.each([3, 5])('hold %i outside of 4', (size) => {
    const bounds = { min: 4, max: 4 };
    expect(() => of(size).whole(bounds, 'it')).toThrow(refused);
    expect(() => of(new Uint8Array(size)).bytes(bounds, 'it')).toThrow(refused);
    expect(() => of(Array.from({ length: size }, () => 1)).listOf(bounds, 'it')).toThrow(refused);
    const read = () => of('a'.repeat(size)).ascii(4, 'it');
    if (size > 4) expect(read).toThrow(refused);
    else expect(read()).toBe('aaa');
  });
});

describe('refused is', () => {
  test.each<readonly [string, readonly number[]]>([
    ['nothing', []],
    ['a number below 24 in two bytes', [0x18, 23]],
    ['a number below 256 in three bytes', [0x19, 0, 255]],
    ['a number below 65,536 in five bytes', [0x1a, 0, 0, 255, 255]],
    ['a number of 64 bits', [0x1b, 0, 0, 0, 1, 0, 0, 0, 0]],
    ['a length of no meaning', [0x1c]],
    ['an indefinite number', [0x1f]],
    ['a number that ends early', [0x19, 1]],
    ['a negative number', [0x20]],
    ['bytes', [0x40]],
    ['a tag', [0xc0, 0]],
    ['a fraction', [0xf9, 0x3c, 0]],
    ['true', [0xf5]],
    ['null', [0xf6]],
  ])('%s, for a number', (_, bytes) => expect(() => reader(...bytes).whole(ANY, 'it')).toThrow(refused));

  test.each<readonly [string, readonly number[]]>([
    ['text', [0x61, 0x61]],
    ['bytes that end early', [0x42, 1]],
    ['a length in two bytes without need', [0x58, 1, 9]],
    ['bytes in pieces', [0x5f, 0x41, 1, 0xff]],
  ])('%s, for bytes', (_, bytes) => expect(() => reader(...bytes).bytes(ANY, 'it')).toThrow(refused));

  test.each<readonly [string, readonly number[]]>([
    ['bytes', [0x41, 0x61]],
    ['a letter of two bytes', [0x62, 0xc3, 0xbc]],
    ['text that ends early', [0x62, 0x61]],
  ])('%s, for ASCII', (_, bytes) => expect(() => reader(...bytes).ascii(9, 'it')).toThrow(refused));

  test.each<readonly [string, readonly number[]]>([
    ['a map', [0xa0]],
    ['an indefinite list', [0x9f, 0xff]],
  ])('%s, for a list', (_, bytes) => expect(() => reader(...bytes).listOf(ANY, 'it')).toThrow(refused));

  test('what follows the end', () => {
    const r = reader(0, 0);
    r.whole(ANY, 'it');
    expect(() => r.end('it')).toThrow(refused);
  });
});

test('whatever is read encodes to the very bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      const r = new CanonicalReader(bytes, 'EVIDENCE_INVALID');
      let read: unknown;
      try {
        const count = r.listOf({ min: 0, max: 3 }, 'it');
        read = Array.from({ length: count }, () => (r.isNull() ? null : r.whole(ANY, 'it')));
        r.end('it');
      } catch {
        return;
      }
      expect(encode(read)).toEqual(bytes);
    }),
  );
});
