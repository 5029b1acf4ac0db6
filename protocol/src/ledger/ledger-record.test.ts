import { describe, expect, test } from '@jest/globals';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { fitsKind, frameEntry, readEntryFrame } from './entry-frame.ts';
import { ledgerKind } from './ledger-kind.ts';
import {
  decodeRecord,
  encodeRecord,
  type LedgerRecord,
  leafOf,
  MAX_RECORD_BODY_BYTES,
  MIN_RECORD_BODY_BYTES,
  recordBytes,
  writeSetDigest,
} from './ledger-record.ts';

const record: LedgerRecord = {
  kind: 'settlement',
  view: 2,
  seqno: 2 ** 40 + 7,
  epoch: 3,
  commitEvidenceDigest: new Uint8Array(32).fill(0xce),
  claimsDigest: new Uint8Array(32).fill(0xc1),
  data: Uint8Array.of(1, 1, 0xaa, 0xbb),
};
const bytes = encodeRecord(record);
const refused = expect.objectContaining({ code: 'LEDGER_INVALID' });
const decoding = (input: Uint8Array) => () => decodeRecord(input, 0);

describe('a record', () => {
  test('has the bytes that the format says', () => {
    expect(bytesToHex(bytes)).toBe(
      `0000005a010100000000000000020000010000000007${'00000003'}${'ce'.repeat(32)}${'c1'.repeat(32)}0101aabb`,
    );
    expect(bytes).toHaveLength(recordBytes(record));
  });

  test('has a leaf over what is written, evidence and claims', () => {
    const written = hexToBytes('01010000000000000002000001000000000700000003' + '0101aabb');
    expect(writeSetDigest(record, sha256)).toEqual(sha256(written));
    expect(leafOf(record, sha256)).toEqual(
      sha256(concatBytes(sha256(written), record.commitEvidenceDigest, record.claimsDigest)),
    );
  });

  test('comes back, wherever it stands', () => {
    const kinds = fc.constantFrom('settlement', 'governance', 'service', 'signature', 'empty', 'members', 'genesis');
    const digests = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const numbers = fc.integer({ min: 2, max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(
        kinds,
        fc.record({ view: numbers, seqno: numbers, epoch: fc.nat(0xffff_ffff) }),
        fc.record({ commitEvidenceDigest: digests, claimsDigest: digests }),
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.nat(40),
        (kind, numbers, digests, payload, before) => {
          const framed = kind !== 'empty' && kind !== 'members' && kind !== 'genesis';
          const data = kind === 'empty' ? new Uint8Array() : framed ? frameEntry(kind, payload) : payload;
          const written: LedgerRecord = {
            kind,
            ...numbers,
            seqno: kind === 'genesis' ? 1 : numbers.seqno,
            ...digests,
            data,
          };
          const encoded = encodeRecord(written);
          const placed = concatBytes(new Uint8Array(before).fill(0xff), encoded, Uint8Array.of(1));
          expect(decodeRecord(placed, before)).toEqual({ record: written, next: before + encoded.length });
        },
      ),
      { numRuns: 100 },
    );
  });

  test('that is cut anywhere is torn', () => {
    for (let length = 0; length < bytes.length; length++)
      expect(decodeRecord(bytes.subarray(0, length), 0)).toBe('torn');
  });

  test.each<[string, Uint8Array]>([
    ['a length below the least', bytes.with(3, MIN_RECORD_BODY_BYTES - 1)],
    ['a length of zero', new Uint8Array(100)],
    ['a length above the most', bytes.with(0, 0x7f)],
    ['another version', bytes.with(4, 2)],
    ['an unknown kind', bytes.with(5, 7)],
    ['the kind of other data', bytes.with(5, ledgerKind.service)],
    ['the kind of no data', bytes.with(5, ledgerKind.empty)],
    ['a view of zero', bytes.with(13, 0)],
    ['a view above 2^53', bytes.with(6, 1)],
    ['a seqno above 2^53', bytes.with(14, 0x80)],
    ['genesis after the first', bytes.with(5, ledgerKind.genesis)],
  ])('with %s is refused', (_, input) => {
    expect(decoding(input)).toThrow(refused);
  });

  test.each<[string, Partial<LedgerRecord>]>([
    ['a seqno of zero', { seqno: 0 }],
    ['a broken view', { view: 1.5 }],
    ['an epoch that is too large', { epoch: 2 ** 32 }],
    ['a short digest', { claimsDigest: new Uint8Array(31) }],
    ['data of another kind', { kind: 'signature' }],
    ['something else than genesis at first', { seqno: 1 }],
    ['too much data', { kind: 'members', data: new Uint8Array(MAX_RECORD_BODY_BYTES) }],
  ])('with %s is not written', (_, change) => {
    expect(() => encodeRecord({ ...record, ...change })).toThrow(refused);
  });
});

describe('the data of an entry', () => {
  test('begins with format and kind', () => {
    const data = frameEntry('signature', Uint8Array.of(9));
    expect([...data]).toEqual([1, 4, 9]);
    expect(readEntryFrame(data)).toEqual({ kind: 'signature', payload: Uint8Array.of(9) });
  });

  test.each([[[]], [[1]], [[2, 1, 0]], [[1, 0, 0]], [[1, 5, 0]], [[1, 6, 0]]])('%j is no entry of ours', (data) => {
    expect(() => readEntryFrame(Uint8Array.from(data))).toThrow(refused);
  });

  test('fits one kind', () => {
    expect(fitsKind('empty', new Uint8Array())).toBe(true);
    expect(fitsKind('members', new Uint8Array())).toBe(true);
    expect(fitsKind('settlement', Uint8Array.of(1, 1))).toBe(false);
    expect(fitsKind('settlement', Uint8Array.of(1, 1, 0))).toBe(true);
    expect(fitsKind('governance', Uint8Array.of(1, 1, 0))).toBe(false);
    expect(fitsKind('genesis', new Uint8Array())).toBe(false);
  });
});
