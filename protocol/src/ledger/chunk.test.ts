import { describe, expect, test } from '@jest/globals';
import { bytesToHex } from '@noble/hashes/utils.js';
import { parseBytes32 } from '../bytes32.ts';
import {
  type ChunkHeader,
  chunkName,
  decodeChunkHeader,
  encodeChunkHeader,
  MAX_CHUNK_HEADER_BYTES,
  parseChunkName,
} from './chunk.ts';

const refused = expect.objectContaining({ code: 'LEDGER_INVALID' });
/** 5 = 101 in binary: two peaks. */
const header: ChunkHeader = {
  serviceId: parseBytes32(`0x${'5e'.repeat(32)}`),
  first: 5,
  peaks: [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)],
};
const bytes = encodeChunkHeader(header);

describe('the header of a chunk', () => {
  test('has the bytes that the format says, and comes back', () => {
    expect(bytesToHex(bytes)).toBe(
      `44424c4544474552${'00000001'}${'5e'.repeat(32)}${'0000000000000005'}02${'01'.repeat(32)}${'02'.repeat(32)}`,
    );
    const more = new Uint8Array([...bytes, 7, 7]);
    expect(decodeChunkHeader(more)).toEqual({ header, next: bytes.length });
  });

  test('that is cut anywhere is torn', () => {
    for (let length = 0; length < bytes.length; length++)
      expect(decodeChunkHeader(bytes.subarray(0, length))).toBe('torn');
  });

  test('has room for the largest seqno', () => {
    const first = Number.MAX_SAFE_INTEGER;
    const largest = encodeChunkHeader({
      ...header,
      first,
      peaks: Array.from({ length: 53 }, () => new Uint8Array(32)),
    });
    expect(largest).toHaveLength(MAX_CHUNK_HEADER_BYTES);
    expect(decodeChunkHeader(largest)).toMatchObject({ header: { first } });
  });

  test.each<[string, Uint8Array]>([
    ['another magic', bytes.with(0, 0)],
    ['another format', bytes.with(11, 2)],
    ['a first seqno of zero', bytes.with(51, 0).with(52, 0)],
    ['one peak too few', bytes.with(52, 1)],
    ['one peak too many', bytes.with(52, 3)],
    ['a seqno above 2^53', bytes.with(44, 0x40)],
  ])('with %s is refused', (_, input) => {
    expect(() => decodeChunkHeader(input)).toThrow(refused);
  });

  test('with other peaks than its size has is not written', () => {
    expect(() => encodeChunkHeader({ ...header, first: 4 })).toThrow(refused);
    expect(() => encodeChunkHeader({ ...header, first: 1.5 })).toThrow(refused);
    expect(() => encodeChunkHeader({ ...header, peaks: [new Uint8Array(31), new Uint8Array(32)] })).toThrow(refused);
  });
});

describe('the name of a chunk', () => {
  test('says where it begins and, once closed, ends', () => {
    expect([chunkName(1), chunkName(1, 500)]).toEqual(['ledger_1', 'ledger_1-500.committed']);
    expect(parseChunkName('ledger_12')).toEqual({ first: 12 });
    expect(parseChunkName('ledger_12-12.committed')).toEqual({ first: 12, last: 12 });
  });

  test.each([
    ['ledger_0'],
    ['ledger_01'],
    ['ledger_1-0.committed'],
    ['ledger_5-4.committed'],
    ['ledger_1-2'],
    ['ledger_1.committed'],
    ['ledger_1-2.committed.bak'],
    ['xledger_1'],
    ['ledger_9999999999999999'],
    ['ledger_1-9999999999999999.committed'],
    ['tree.mmr'],
  ])('%s is none', (name) => {
    expect(parseChunkName(name)).toBeUndefined();
  });
});
