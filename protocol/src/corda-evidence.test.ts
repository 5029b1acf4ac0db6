import { describe, expect, test } from '@jest/globals';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { encode } from 'cborg';
import { toBytes32 } from './bytes32.ts';
import {
  type CordaEvidence,
  cordaSubjectDigest,
  decodeCordaEvidence,
  encodeCordaEvidence,
  isCordaEvidence,
  MAX_CORDA_COMPONENT_BYTES,
  MAX_CORDA_COMPONENTS,
  MAX_CORDA_EVIDENCE_BYTES,
} from './corda-evidence.ts';
import { type CordaPartialTree, decodeCordaTree, encodeCordaTree, MAX_CORDA_TREE_DEPTH } from './corda-partial-tree.ts';
import { parseNetworkId } from './ids.ts';

const hash = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const TREE: CordaPartialTree = {
  left: { included: hash(1) },
  right: { left: { leaf: hash(2) }, right: { leaf: hash(3) } },
};

const EVIDENCE: CordaEvidence = {
  version: 1,
  rule: 'corda-notary',
  kind: 'transaction',
  network: parseNetworkId('corda'),
  groupHashes: Array.from({ length: 9 }, (_, i) => hash(i)),
  groups: [{ groupIndex: 1, components: [{ bytes: Uint8Array.of(1, 2), nonce: hash(4) }], tree: TREE }],
  signatures: [
    { key: new Uint8Array(44), platformVersion: 12, scheme: 4, signature: new Uint8Array(64) },
    { key: new Uint8Array(91), platformVersion: 140, scheme: 3, signature: new Uint8Array(71), batchTree: TREE },
  ],
};
type Parts = [unknown, unknown, unknown, unknown, unknown[], unknown[][], unknown[][]];
const partsOf = (): Parts => [
  1,
  'corda-notary',
  'transaction',
  'corda',
  [...EVIDENCE.groupHashes],
  [[1, [[Uint8Array.of(1, 2), hash(4)]], encodeCordaTree(TREE)]],
  [
    [new Uint8Array(44), 12, 4, new Uint8Array(64), null],
    [new Uint8Array(91), 140, 3, new Uint8Array(71), encodeCordaTree(TREE)],
  ],
];

test('an item is read as it was written', () => {
  const bytes = encodeCordaEvidence(EVIDENCE);
  expect(decodeCordaEvidence(bytes)).toEqual(EVIDENCE);
  expect(Buffer.from(encode(partsOf())).equals(bytes)).toBe(true);
  expect(isCordaEvidence(bytes)).toBe(true);
  expect(isCordaEvidence(bytes.with(1, 2))).toBe(false);
  expect(isCordaEvidence(new Uint8Array())).toBe(false);
});

const forged = (change: (parts: Parts) => void): Uint8Array => {
  const parts = partsOf();
  change(parts);
  return encode(parts);
};
const part = (at: number, change: (parts: Parts) => unknown): Uint8Array => {
  const parts = partsOf();
  return encode(parts.with(at, change(parts)));
};
const group = (at: number, value: unknown): Uint8Array => part(5, (parts) => [(parts[5][0] ?? []).with(at, value)]);
const signature = (at: number, value: unknown): Uint8Array => part(6, (parts) => [(parts[6][0] ?? []).with(at, value)]);

describe('what is refused', () => {
  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['bytes behind the item', Uint8Array.from([...encodeCordaEvidence(EVIDENCE), 0])],
    ['another version', part(0, () => 2)],
    ['another rule', part(1, () => 'qbft')],
    ['another kind', part(2, () => 'event')],
    ['a network that is no id', part(3, () => 'No Id')],
    ['a network that is a number', part(3, () => 7)],
    ['a part more', encode([...partsOf(), 1])],
    ['no list', encode('corda-notary')],
    ['8 group hashes', part(4, (parts) => parts[4].slice(1))],
    ['17 group hashes', part(4, () => Array.from({ length: 17 }, () => hash(1)))],
    ['a group hash of 31 bytes', part(4, (parts) => parts[4].with(0, new Uint8Array(31)))],
    ['a group hash of 33 bytes', part(4, (parts) => parts[4].with(0, new Uint8Array(33)))],
    ['a group hash that is text', part(4, (parts) => parts[4].with(0, 'a'.repeat(32)))],
    ['no group', part(5, () => [])],
    ['17 groups', part(5, (parts) => Array.from({ length: 17 }, () => parts[5][0] ?? []))],
    ['a group with a part more', forged((parts) => void parts[5][0]?.push(1))],
    ['a group index of 16', group(0, 16)],
    ['a group index below 0', group(0, -1)],
    ['a group index that is a fraction', group(0, 0.5)],
    ['a group index that is text', group(0, '1')],
    ['no components', group(1, [])],
    [
      'too many components',
      group(
        1,
        Array.from({ length: MAX_CORDA_COMPONENTS + 1 }, () => [Uint8Array.of(1), hash(1)]),
      ),
    ],
    ['a component without a nonce', group(1, [[Uint8Array.of(1)]])],
    ['an empty component', group(1, [[new Uint8Array(), hash(1)]])],
    ['a component that is too long', group(1, [[new Uint8Array(MAX_CORDA_COMPONENT_BYTES + 1), hash(1)]])],
    ['a nonce of 31 bytes', group(1, [[Uint8Array.of(1), new Uint8Array(31)]])],
    ['a tree that is text', group(2, 'tree')],
    ['a tree that is none', group(2, Uint8Array.of(9))],
    ['no signature', part(6, () => [])],
    ['five signatures', part(6, (parts) => Array.from({ length: 5 }, () => parts[6][0] ?? []))],
    ['a signature with a part more', forged((parts) => void parts[6][0]?.push(1))],
    ['an empty key', signature(0, new Uint8Array())],
    ['a key that is too long', signature(0, new Uint8Array(129))],
    ['platform version 0', signature(1, 0)],
    ['a platform version of 2^31', signature(1, 2 ** 31)],
    ['scheme 0', signature(2, 0)],
    ['scheme 128', signature(2, 128)],
    ['an empty signature', signature(3, new Uint8Array())],
    ['a signature that is too long', signature(3, new Uint8Array(81))],
    ['a batch tree that is none', signature(4, Uint8Array.of(9))],
    ['a batch tree that is a flag', signature(4, false)],
    ['an item that is too long', new Uint8Array(MAX_CORDA_EVIDENCE_BYTES + 1)],
    [
      'an item that is too long, and sound but for that',
      group(
        1,
        Array.from({ length: 8 }, () => [new Uint8Array(MAX_CORDA_COMPONENT_BYTES), hash(1)]),
      ),
    ],
  ])('%s', (_, bytes) => {
    expect(() => decodeCordaEvidence(bytes)).toThrow(expect.objectContaining({ name: 'ProtocolError' }));
  });

  test('an encoding that is not the shortest', () => {
    const bytes = encodeCordaEvidence(EVIDENCE);
    expect(() => decodeCordaEvidence(Uint8Array.from([0x98, 7, ...bytes.subarray(1)]))).toThrow(/CBOR|canonical/);
  });

  test('bounds themselves are allowed', () => {
    const component = { bytes: new Uint8Array(MAX_CORDA_COMPONENT_BYTES), nonce: hash(1) };
    const many = Array.from({ length: MAX_CORDA_COMPONENTS }, () => ({ bytes: Uint8Array.of(1), nonce: hash(1) }));
    const groups = [0, 15].map((groupIndex) => ({
      groupIndex,
      components: groupIndex === 0 ? [component] : many,
      tree: TREE,
    }));
    const [first] = EVIDENCE.signatures;
    const widest = {
      key: new Uint8Array(128),
      platformVersion: 2 ** 31 - 1,
      scheme: 127,
      signature: new Uint8Array(80),
    };
    const groupHashes = Array.from({ length: 16 }, () => hash(1));
    const evidence = { ...EVIDENCE, groups, groupHashes, signatures: [first ?? widest, widest, widest, widest] };
    expect(decodeCordaEvidence(encodeCordaEvidence(evidence))).toEqual(evidence);
  });
});

describe('trees', () => {
  const deep = (depth: number): CordaPartialTree =>
    depth === 0 ? { included: hash(1) } : { left: deep(depth - 1), right: { leaf: hash(2) } };

  const full = (depth: number): CordaPartialTree =>
    depth === 0 ? { included: hash(1) } : { left: full(depth - 1), right: full(depth - 1) };

  test('are read as they were written, up to their depth', () => {
    for (const tree of [TREE, { included: hash(1) }, deep(MAX_CORDA_TREE_DEPTH)]) {
      expect(decodeCordaTree(encodeCordaTree(tree))).toEqual(tree);
    }
  });

  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['an unknown part', Uint8Array.of(3, ...hash(1))],
    ['an unknown part where a node would be', encodeCordaTree(deep(1)).with(0, 3)],
    ['a hash that ends early', Uint8Array.of(1, ...hash(1).subarray(1))],
    ['half a node', Uint8Array.of(0, 1, ...hash(1))],
    ['bytes behind the tree', Uint8Array.of(1, ...hash(1), 0)],
    ['too deep a tree', encodeCordaTree(deep(MAX_CORDA_TREE_DEPTH + 1))],
    ['a very deep tree', new Uint8Array(60_000)],
    ['too many bytes', new Uint8Array(65_537)],
    ['a sound tree of too many bytes', encodeCordaTree(full(11))],
  ])('%s is refused', (_, bytes) => {
    expect(() => decodeCordaTree(bytes)).toThrow(expect.objectContaining({ code: 'EVIDENCE_INVALID' }));
  });
});

test('a subject is network and transaction', () => {
  const network = parseNetworkId('corda');
  const transactionId = `0x${'11'.repeat(32)}` as never;
  const digest = cordaSubjectDigest({ network, transactionId });
  expect(digest).toBe(cordaSubjectDigest({ network, transactionId }));
  const encoded = encode(['corda-notary', network, hash(0x11)]);
  expect(digest).toBe(toBytes32(sha256(concatBytes(utf8ToBytes('drawbridge/corda-subject/1\0'), encoded))));
  expect(cordaSubjectDigest({ network: parseNetworkId('other'), transactionId })).not.toBe(digest);
  expect(cordaSubjectDigest({ network, transactionId: `0x${'12'.repeat(32)}` as never })).not.toBe(digest);
});
