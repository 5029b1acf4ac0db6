import { toBytes32 } from '@drawbridge/protocol/bytes32';
import { MAX_HEADER_BYTES } from '@drawbridge/protocol/consensus-evidence';
import { type NestedUint8Array, RLP } from '@ethereumjs/rlp';
import { describe, expect, test } from '@jest/globals';
import { concatBytes } from '@noble/hashes/utils.js';
import { decodeRlp, itemsAround, listOfEncoded } from './bounded-rlp.ts';
import { decodeHeader, headerHash, NO_UNCLES } from './ethereum-header.ts';
import { SealedChain } from './testing/sealed-chain.ts';

const chain = new SealedChain({ rule: 'clique', validators: 1, fieldCount: 16 });
const block = chain.next();
const FIELDS = chain.finality.headerFields;
const fields = RLP.decode(block.rlp) as Uint8Array[];
const refusal = (input: Uint8Array, expected = FIELDS): string => {
  const decoded = decodeHeader(input, expected);
  return decoded.ok ? 'taken' : decoded.check;
};
const withField = (at: number, value: NestedUint8Array[number]): Uint8Array =>
  RLP.encode(fields.with(at, value as Uint8Array));

describe('a header', () => {
  test('is read, and hashes to the block', () => {
    const decoded = decodeHeader(block.rlp, FIELDS);
    if (!decoded.ok) throw new Error(decoded.detail);
    const { header } = decoded;
    expect(header).toMatchObject({ number: 1, difficulty: 2, unclesHash: NO_UNCLES, nonce: '0x0000000000000000' });
    expect(header).toMatchObject({ timestampS: block.timestampS, parentHash: chain.finality.checkpoint.blockHash });
    expect(header.rlp).toEqual(block.rlp);
    expect(toBytes32(headerHash(header))).toBe(block.hash);
    const sealless = decodeHeader(withField(12, new Uint8Array(7)), FIELDS);
    expect(sealless.ok && headerHash(sealless.header)).toEqual(headerHash(header, new Uint8Array(7)));
  });

  test('with trailing bytes, truncated or empty is refused', () => {
    expect(refusal(concatBytes(block.rlp, Uint8Array.of(0)))).toBe('form');
    expect(refusal(concatBytes(block.rlp, block.rlp))).toBe('form');
    expect(refusal(block.rlp.subarray(0, -1))).toBe('form');
    expect(refusal(new Uint8Array())).toBe('form');
  });
  test('in RLP that is not minimal is refused', () => {
    const content = block.rlp.subarray(3);
    const length = [content.length >> 8, content.length & 255];
    expect(refusal(concatBytes(Uint8Array.of(0xf9, ...length), content))).toBe('taken');
    expect(refusal(concatBytes(Uint8Array.of(0xfa, 0, ...length), content))).toBe('form');
    // The number 1 as a string of one byte.
    const at = RLP.encode(fields.slice(0, 8)).length - 3;
    const longer = concatBytes(content.subarray(0, at), Uint8Array.of(0x81), content.subarray(at));
    expect(content[at]).toBe(1);
    expect(refusal(concatBytes(Uint8Array.of(0xf9, longer.length >> 8, longer.length & 255), longer))).toBe('form');
  });
  test('that is no list, or has a list in it, is refused', () => {
    expect(refusal(RLP.encode(block.rlp))).toBe('form');
    expect(refusal(withField(12, [Uint8Array.of(1)]))).toBe('form');
    expect(refusal(withField(8, []))).toBe('form');
  });
  test('with another number of fields than its height has is refused; a fork has its entry', () => {
    expect(refusal(RLP.encode(fields.slice(0, 15)))).toBe('fields');
    expect(refusal(RLP.encode([...fields, new Uint8Array(32)]))).toBe('fields');
    expect(refusal(RLP.encode(fields.slice(0, 8)))).toBe('form');
    const fork = [
      { fromBlock: 0, count: 15 },
      { fromBlock: 1, count: 16 },
      { fromBlock: 2, count: 17 },
    ];
    expect(refusal(block.rlp, fork)).toBe('taken');
    expect(refusal(block.rlp, fork.slice(0, 1))).toBe('fields');
    expect(refusal(block.rlp, fork.slice(1).toReversed())).toBe('taken');
  });
  test.each([0, 1, 2, 3, 4, 5, 6, 13, 14])('with field %i of another length is refused', (at) => {
    const field = fields[at] ?? new Uint8Array();
    expect(refusal(withField(at, field.subarray(1)))).toBe('form');
    expect(refusal(withField(at, concatBytes(field, Uint8Array.of(1))))).toBe('form');
  });
  test.each([9, 10])('with gas %i of any size is taken, if it is minimal', (at) => {
    expect(refusal(withField(at, new Uint8Array(32).fill(1)))).toBe('taken');
    expect(refusal(withField(at, new Uint8Array(33).fill(1)))).toBe('form');
    expect(refusal(withField(at, concatBytes(Uint8Array.of(0), fields[at] ?? new Uint8Array())))).toBe('form');
  });
  test.each([7, 8, 11])('with number %i not minimal, or beyond counting, is refused', (at) => {
    expect(refusal(withField(at, concatBytes(Uint8Array.of(0), fields[at] ?? new Uint8Array())))).toBe('form');
    expect(refusal(withField(at, Uint8Array.of(0x20, 0, 0, 0, 0, 0, 0)))).toBe('form');
    expect(refusal(withField(at, new Uint8Array(8).fill(1)))).toBe('form');
  });
  test('larger than any header is refused', () => {
    expect(refusal(withField(12, new Uint8Array(MAX_HEADER_BYTES - 600)))).toBe('taken');
    expect(refusal(withField(12, new Uint8Array(MAX_HEADER_BYTES)))).toBe('form');
  });
});

describe('RLP within bounds', () => {
  const bounds = { bytes: 100, items: 5, depth: 2 };
  const one = Uint8Array.of(1);
  test('is decoded', () => {
    expect(decodeRlp(RLP.encode([one, [one, one]]), bounds)).toEqual([one, [one, one]]);
    expect(decodeRlp(RLP.encode([new Uint8Array(90)]), bounds)).toEqual([new Uint8Array(90)]);
  });
  test('has no more bytes, items or depth than is allowed', () => {
    expect(decodeRlp(RLP.encode([new Uint8Array(100)]), bounds)).toBeUndefined();
    expect(decodeRlp(RLP.encode([one, [one, one, one]]), bounds)).toBeUndefined();
    expect(decodeRlp(RLP.encode([[[]]]), bounds)).toBeUndefined();
    expect(decodeRlp(RLP.encode([[], [], []]), bounds)).toEqual([[], [], []]);
  });
  test('is not looked for in what goes deep or wide at a cost', () => {
    const wide = RLP.encode(Array.from({ length: 30_000 }, () => new Uint8Array()));
    const wrapped = (content: Uint8Array): Uint8Array =>
      concatBytes(Uint8Array.of(0xf9, content.length >> 8, content.length & 255), content);
    let lists: Uint8Array = new Uint8Array(60).fill(0xc0);
    while (lists.length < 32_000) lists = wrapped(lists);
    const generous = { bytes: 40_000, items: 1_000, depth: 2 };
    expect(decodeRlp(wide, generous)).toBeUndefined();
    expect(decodeRlp(lists, generous)).toBeUndefined();
  });
});

describe('encoded items', () => {
  test.each([0, 1, 54, 55, 56, 253, 254, 255, 256, 65_533, 65_536])(
    'make the list of %i bytes that they are of',
    (length) => {
      const item = new Uint8Array(length).fill(0x80);
      expect(listOfEncoded(RLP.encode(item), Uint8Array.of(0xc0))).toEqual(RLP.encode([item, []]));
    },
  );

  test('stand around each item of a list', () => {
    const items = [new Uint8Array(60), Uint8Array.of(1), [Uint8Array.of(2), []], new Uint8Array(300), new Uint8Array()];
    const encoded = items.map((item) => RLP.encode(item as Uint8Array));
    for (const at of items.keys()) {
      expect(itemsAround(RLP.encode(items as Uint8Array[]), at)).toEqual({
        before: concatBytes(...encoded.slice(0, at)),
        behind: concatBytes(...encoded.slice(at + 1)),
      });
    }
  });
});
