import { describe, expect, test } from '@jest/globals';
import { decode, encode } from 'cborg';
import { toHex } from './bytes32.ts';
import { type EvmAddress, parseNetworkId } from './ids.ts';
import {
  decodeObserverEvidence,
  eventDigest,
  evidenceSubjectDigest,
  MAX_ATTESTATIONS,
  MAX_EVIDENCE_BYTES,
  observerStatement,
} from './observer-evidence.ts';
import {
  EXAMPLE,
  encoded,
  expectItemsComeBack,
  expectOneEncoding,
  OTHER,
  REFUSED,
  WORD,
} from './testing/evidence-items.ts';

/** The example's bytes with one part of the tree replaced. */
function withPart(path: readonly number[], value: unknown): Uint8Array {
  const tree = decode(encoded) as unknown[];
  const parent = path.slice(0, -1).reduce<unknown[]>((node, i) => node[i] as unknown[], tree);
  parent[path.at(-1) ?? 0] = value;
  return encode(tree);
}

describe('form', () => {
  test.each([
    ['version 2', withPart([0], 2)],
    ['version 1 as text', withPart([0], '1')],
    ['another rule', withPart([1], 'qbft')],
    ['a network that is not text', withPart([2], 7)],
    ['a network in a list', withPart([2], ['alpha'])],
    ['a network of wrong form', withPart([2], 'Alpha')],
    ['a genesis hash of 31 bytes', withPart([3], new Uint8Array(31))],
    ['a genesis hash as text', withPart([3], WORD)],
    ['a log of other length', withPart([4], [1, 2, 3])],
    ['a negative block number', withPart([4, 0], -1)],
    ['a block number beyond 2^53', withPart([4, 0], 2n ** 53n)],
    ['a block number as a fraction', withPart([4, 0], 1.5)],
    ['a block hash of 33 bytes', withPart([4, 1], new Uint8Array(33))],
    ['a transaction hash of 0 bytes', withPart([4, 2], new Uint8Array(0))],
    ['a log index that is null', withPart([4, 3], null)],
    ['an address of 32 bytes', withPart([4, 4], new Uint8Array(32))],
    ['topics that are bytes', withPart([4, 5], new Uint8Array(32))],
    ['five topics', withPart([4, 5], Array(5).fill(new Uint8Array(32)))],
    ['a short topic', withPart([4, 5], [new Uint8Array(31)])],
    ['data as text', withPart([4, 6], '0x')],
    ['attestations that are a map', withPart([5], {})],
    ['more attestations than the bound', withPart([5], Array(MAX_ATTESTATIONS + 1).fill(['a', 1, new Uint8Array(64)]))],
    ['an attestation of two parts', withPart([5, 0], ['a', 1])],
    ['an observer in a list', withPart([5, 0, 0], ['observer-1'])],
    ['an observer of wrong form', withPart([5, 0, 0], 'no such')],
    ['a depth as text', withPart([5, 0, 1], '3')],
    ['a signature of 63 bytes', withPart([5, 0, 2], new Uint8Array(63))],
    ['a seventh part', encode([...(decode(encoded) as unknown[]), 0])],
    ['a map', encode({ version: 1 })],
    ['nothing', new Uint8Array()],
    ['a cut end', encoded.subarray(0, -1)],
    ['a trailing byte', Uint8Array.of(...encoded, 0)],
    ['the item twice', Uint8Array.of(...encoded, ...encoded)],
    ['too many bytes', withPart([4, 6], new Uint8Array(MAX_EVIDENCE_BYTES))],
    ['nesting without end', new Uint8Array(MAX_EVIDENCE_BYTES).fill(0x81)],
    ['a tag in front', Uint8Array.of(0xc1, ...encoded)],
  ])('refuses %s', (_, input) => expect(() => decodeObserverEvidence(input)).toThrow(REFUSED));
});

describe('canonical encoding', () => {
  const rest = encoded.subarray(2);
  test.each([
    ['a list of indefinite length', Uint8Array.of(0x9f, ...encoded.subarray(1), 0xff)],
    ['a length in more bytes than it needs', Uint8Array.of(0x98, 6, ...encoded.subarray(1))],
    ['a number in more bytes than it needs', Uint8Array.of(0x86, 0x18, 1, ...rest)],
    ['a number as a float', Uint8Array.of(0x86, 0xf9, 0x3c, 0, ...rest)],
    [
      'a text of indefinite length',
      Uint8Array.of(0x86, 1, 0x7f, ...encoded.subarray(2, 12), 0xff, ...encoded.subarray(12)),
    ],
  ])('refuses %s', (_, input) => {
    expect(encoded[0]).toBe(0x86);
    expect(() => decodeObserverEvidence(input)).toThrow(REFUSED);
  });
});

test('an item comes back from its bytes, for some', () => expectItemsComeBack(15));
test('whatever decodes is in its one encoding, for some changes', () => expectOneEncoding(50));

test('every part of what an observer says changes the statement', () => {
  const { log } = EXAMPLE;
  const base = { serviceId: WORD, network: EXAMPLE.network, genesisHash: WORD, log, depthBlocks: 3 };
  const statements = [
    base,
    { ...base, serviceId: OTHER },
    { ...base, network: parseNetworkId('beta') },
    { ...base, genesisHash: OTHER },
    { ...base, depthBlocks: 4 },
    { ...base, log: { ...log, blockNumber: 18 } },
    { ...base, log: { ...log, blockHash: OTHER } },
    { ...base, log: { ...log, transactionHash: OTHER } },
    { ...base, log: { ...log, logIndex: 1 } },
    { ...base, log: { ...log, address: `0x${'cd'.repeat(20)}` as EvmAddress } },
    { ...base, log: { ...log, topics: [OTHER, WORD] } },
    { ...base, log: { ...log, topics: [WORD] } },
    { ...base, log: { ...log, data: '0x1235' as const } },
  ].map((input) => toHex(observerStatement(input)));
  expect(new Set(statements).size).toBe(statements.length);
});

test('the event digest keeps topics and data apart', () => {
  const log = { address: EXAMPLE.log.address, topics: [WORD], data: '0x' as const };
  expect(eventDigest(log)).not.toBe(eventDigest({ ...log, topics: [], data: WORD }));
});

test('the subject is the same whoever vouches, and another for another event', () => {
  const subject = evidenceSubjectDigest(EXAMPLE);
  expect(evidenceSubjectDigest({ ...EXAMPLE, attestations: [] })).toBe(subject);
  expect(evidenceSubjectDigest({ ...EXAMPLE, log: { ...EXAMPLE.log, logIndex: 1 } })).not.toBe(subject);
});
