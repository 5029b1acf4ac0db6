import { toHex } from '@drawbridge/protocol/bytes32';
import { type NestedUint8Array, RLP } from '@ethereumjs/rlp';
import { describe, expect, test } from '@jest/globals';
import { concatBytes } from '@noble/hashes/utils.js';
import { decodeReceipt, logContent } from './ethereum-receipt.ts';

const ADDRESS = new Uint8Array(20).fill(0xab);
const TOPIC = new Uint8Array(32).fill(0x11);
const LOG = [ADDRESS, [TOPIC, TOPIC], Uint8Array.of(1, 2)];
const FIELDS: NestedUint8Array = [Uint8Array.of(1), Uint8Array.of(0x52, 0x08), new Uint8Array(256), [LOG]];
const sound = RLP.encode(FIELDS);

/** The sound receipt with one field replaced. */
const withField = (at: number, value: unknown): Uint8Array => RLP.encode(FIELDS.with(at, value as Uint8Array));
const withLog = (log: unknown): Uint8Array => withField(3, [LOG, log]);

describe('a receipt is read', () => {
  test.each([
    ['untyped', 0, sound],
    ['of an access-list transaction', 1, concatBytes(Uint8Array.of(1), sound)],
    ['of a fee-market transaction', 2, concatBytes(Uint8Array.of(2), sound)],
    ['of a blob transaction', 3, concatBytes(Uint8Array.of(3), sound)],
    ['of a set-code transaction', 4, concatBytes(Uint8Array.of(4), sound)],
  ])('%s', (_, type, input) => {
    const decoded = decodeReceipt(input);
    expect(decoded).toMatchObject({ ok: true, receipt: { type, succeeded: true } });
    expect(decoded.ok && decoded.receipt.logs.map(logContent)).toEqual([
      { address: toHex(ADDRESS), topics: [toHex(TOPIC), toHex(TOPIC)], data: '0x0102' },
    ]);
  });

  test('of a transaction that failed', () => {
    expect(decodeReceipt(withField(0, new Uint8Array()))).toMatchObject({ ok: true, receipt: { succeeded: false } });
  });
  test('without gas and logs', () => {
    const empty = RLP.encode([FIELDS[0], new Uint8Array(), FIELDS[2], []] as Uint8Array[]);
    expect(decodeReceipt(empty)).toMatchObject({ ok: true, receipt: { logs: [] } });
  });
});

describe('a receipt is refused with', () => {
  test.each([
    ['type 0 as a byte', concatBytes(Uint8Array.of(0), sound), 'type of the receipt is unknown'],
    ['type 5', concatBytes(Uint8Array.of(5), sound), 'type of the receipt is unknown'],
    ['a type of another network', concatBytes(Uint8Array.of(0x7e), sound), 'type of the receipt is unknown'],
    ['a string around it', RLP.encode(sound), 'type of the receipt is unknown'],
    ['nothing in it', new Uint8Array(), 'type of the receipt is unknown'],
    ['a type and nothing else', Uint8Array.of(2), 'not one RLP list'],
    ['two types', concatBytes(Uint8Array.of(2, 2), sound), 'not one RLP list'],
    ['a cut end', sound.subarray(0, -1), 'not one RLP list'],
    ['a trailing byte', concatBytes(sound, Uint8Array.of(0)), 'not one RLP list'],
    ['a length with a leading zero', concatBytes(Uint8Array.of(0xfa, 0), sound.subarray(1)), 'not one RLP list'],
    [
      'a short field behind a long length',
      concatBytes(Uint8Array.of(0xf9, 0, 4), RLP.encode(1), Uint8Array.of(0xb8, 1, 1)),
      'not one RLP list',
    ],
    ['three fields', RLP.encode(FIELDS.slice(0, 3)), 'has 3 fields'],
    ['five fields', RLP.encode([...FIELDS, new Uint8Array()]), 'has 5 fields'],
    ['a string behind its type', concatBytes(Uint8Array.of(2), RLP.encode(TOPIC)), 'not one RLP list'],
    ['a state root as status', withField(0, TOPIC), 'has no status'],
    ['a state root that begins like a status', withField(0, TOPIC.with(0, 1)), 'has no status'],
    ['status 2', withField(0, Uint8Array.of(2)), 'has no status'],
    ['status zero as a byte', withField(0, Uint8Array.of(0)), 'has no status'],
    ['a list as status', withField(0, []), 'has no status'],
    ['gas with a leading zero', withField(1, Uint8Array.of(0, 1)), 'gas is not a scalar'],
    ['gas beyond 64 bits', withField(1, new Uint8Array(9).fill(1)), 'gas is not a scalar'],
    ['a list as gas', withField(1, []), 'gas is not a scalar'],
    ['a short bloom', withField(2, new Uint8Array(255)), 'no bloom filter'],
    ['a list as bloom', withField(2, []), 'no bloom filter'],
    ['a list as long as a bloom', withField(2, Array(256).fill(ADDRESS)), 'no bloom filter'],
    ['bytes as logs', withField(3, ADDRESS), 'no list of logs'],
    ['a log of two parts', withLog([ADDRESS, []]), 'log 1 of the receipt is malformed'],
    ['a log of four parts', withLog([...LOG, ADDRESS]), 'log 1 of the receipt is malformed'],
    ['a log that is bytes', withLog(ADDRESS), 'log 1 of the receipt is malformed'],
    ['a short address', withLog([ADDRESS.subarray(1), [], ADDRESS]), 'log 1 of the receipt is malformed'],
    [
      'a list as long as an address',
      withLog([Array(20).fill(TOPIC), [], ADDRESS]),
      'log 1 of the receipt is malformed',
    ],
    ['a short topic', withLog([ADDRESS, [TOPIC, ADDRESS], ADDRESS]), 'log 1 of the receipt is malformed'],
    ['a topic in a list', withLog([ADDRESS, [[TOPIC]], ADDRESS]), 'not one RLP list'],
    ['nesting without end', new Uint8Array(65_536).fill(0xc1), 'not one RLP list'],
    ['parts without end', RLP.encode(Array(5_000).fill(TOPIC)), 'not one RLP list'],
    ['topics that are bytes', withLog([ADDRESS, new Uint8Array(3), ADDRESS]), 'log 1 of the receipt is malformed'],
    ['an empty string of topics', withLog([ADDRESS, new Uint8Array(), ADDRESS]), 'log 1 of the receipt is malformed'],
    ['five topics', withLog([ADDRESS, Array(5).fill(TOPIC), ADDRESS]), 'log 1 of the receipt is malformed'],
    ['a list as data', withLog([ADDRESS, [TOPIC], []]), 'log 1 of the receipt is malformed'],
  ])('%s', (_, input, detail) => {
    expect(decodeReceipt(input)).toEqual({ ok: false, detail: expect.stringContaining(detail) });
  });
});
