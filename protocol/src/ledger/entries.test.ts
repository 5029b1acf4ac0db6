import { describe, expect, test } from '@jest/globals';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { encode } from 'cborg';
import { parseBytes32 } from '../bytes32.ts';
import { readGovernanceEntry } from './governance-entry.ts';
import { parseNodeId } from './node-id.ts';
import type { NodeLife } from './node-life.ts';
import {
  decodeGenesisRecord,
  decodeServiceEntry,
  digestOfGenesis,
  encodeGenesisRecord,
  encodeServiceEntry,
  type GenesisRecord,
  type NodeRow,
  type ServiceEntry,
} from './service-entry.ts';
import { decodeSignatureEntry, encodeSignatureEntry, type SignatureEntry } from './signature-entry.ts';

const refused = expect.objectContaining({ code: 'LEDGER_INVALID' });
const nodeId = parseNodeId('ab'.repeat(32));
const row: NodeRow = {
  raftId: 1,
  nodeId,
  certificate: 'certificate',
  encryptionKey: 'key',
  peerAddress: '127.0.0.1:9000',
  apiAddress: '127.0.0.1:8000',
  platform: 'virtual',
  versions: [1, 2],
  life: '0c'.repeat(16) as NodeLife,
};
const { raftId: _, ...node } = row;
const digest = new Uint8Array(32).fill(5);
const NODE_ITEMS: readonly unknown[] = [
  new Uint8Array(32).fill(0xab),
  'certificate',
  'key',
  '127.0.0.1:9000',
  '127.0.0.1:8000',
  'virtual',
  [1, 2],
  new Uint8Array(16).fill(0x0c),
];

describe('a signature entry', () => {
  const entry: SignatureEntry = { size: 7, view: 2, root: digest, nodeId, signature: Uint8Array.of(0x30, 0) };
  const items: readonly unknown[] = [7, 2, digest, new Uint8Array(32).fill(0xab), Uint8Array.of(0x30, 0)];

  test('is a list of five, and comes back', () => {
    expect(encodeSignatureEntry(entry)).toEqual(encode(items));
    expect(decodeSignatureEntry(encodeSignatureEntry(entry))).toEqual(entry);
  });

  test.each<[string, unknown]>([
    ['a size of zero', items.with(0, 0)],
    ['a size that is text', items.with(0, '7')],
    ['a view of zero', items.with(1, 0)],
    ['a short root', items.with(2, new Uint8Array(31))],
    ['a node id as text', items.with(3, nodeId)],
    ['a signature that is too long', items.with(4, new Uint8Array(113))],
    ['one item more', [...items, 0]],
    ['no list', 7],
  ])('with %s is refused', (_, value) => {
    expect(() => decodeSignatureEntry(encode(value))).toThrow(refused);
  });

  test('in another encoding, or with bytes behind it, is refused', () => {
    const bytes = encodeSignatureEntry(entry);
    expect(() => decodeSignatureEntry(Uint8Array.of(0x98, 5, ...bytes.subarray(1)))).toThrow(refused);
    expect(() => decodeSignatureEntry(Uint8Array.of(...bytes, 0))).toThrow(refused);
  });
});

describe('a service entry', () => {
  test.each<[string, ServiceEntry, unknown]>([
    ['an admission', { type: 'admitNode', node }, [1, NODE_ITEMS, null]],
    ['an admission in place of another', { type: 'admitNode', node, replaces: 3 }, [1, NODE_ITEMS, 3]],
    [
      'a rekey',
      { type: 'rekey', epoch: 2, wraps: [{ nodeId, sealed: digest }], previous: digest },
      [2, 2, [[new Uint8Array(32).fill(0xab), digest]], digest],
    ],
    ['a leaving', { type: 'nodeLeft', raftId: 2 }, [5, 2]],
    ['an update', { type: 'updateNode', raftId: 2, node }, [6, 2, NODE_ITEMS]],
    ['a mark', { type: 'snapshotMark' }, [3]],
    ['evidence of a snapshot', { type: 'snapshotEvidence', seqno: 9, digest }, [4, 9, digest]],
  ])('%s has its one encoding', (_, entry, items) => {
    expect(encodeServiceEntry(entry)).toEqual(encode(items));
    expect(decodeServiceEntry(encodeServiceEntry(entry))).toEqual(entry);
  });

  test.each<[string, unknown]>([
    ['an unknown type', [99]],
    ['no type', []],
    ['no list', {}],
    ['a mark with more', [3, 1]],
    ['an admission without a node', [1, null, null]],
    ['a node with an item missing', [1, NODE_ITEMS.slice(1), null]],
    ['a life that is short', [1, NODE_ITEMS.with(7, new Uint8Array(15)), null]],
    ['versions that are no numbers', [1, NODE_ITEMS.with(6, ['1']), null]],
    [
      'too many versions',
      [
        1,
        NODE_ITEMS.with(
          6,
          Array.from({ length: 257 }, () => 1),
        ),
        null,
      ],
    ],
    ['a certificate that is too long', [1, NODE_ITEMS.with(1, 'x'.repeat(16_385)), null]],
    ['an address that is too long', [1, NODE_ITEMS.with(3, 'x'.repeat(273)), null]],
    ['a Raft id of zero', [1, NODE_ITEMS, 0]],
    ['too many wraps', [2, 2, Array.from({ length: 65 }, () => [digest, digest]), digest]],
    ['a wrap that is too long', [2, 2, [[digest, new Uint8Array(4_097)]], digest]],
    ['an epoch below zero', [2, -1, [], digest]],
    ['evidence with a short digest', [4, 9, new Uint8Array(31)]],
  ])('with %s is refused', (_, value) => {
    expect(() => decodeServiceEntry(encode(value))).toThrow(refused);
  });
});

describe('genesis', () => {
  const record: GenesisRecord = {
    genesisDigest: parseBytes32(`0x${'01'.repeat(32)}`),
    genesis: '{"version":1}',
    serviceId: parseBytes32(`0x${'02'.repeat(32)}`),
    stateDigest: parseBytes32(`0x${'03'.repeat(32)}`),
    serviceCertificate: 'certificate',
    node: row,
  };

  test('comes back from its one encoding', () => {
    expect(decodeGenesisRecord(encodeGenesisRecord(record))).toEqual(record);
    expect(() => decodeGenesisRecord(Uint8Array.of(...encodeGenesisRecord(record), 0))).toThrow(refused);
    expect(() => decodeGenesisRecord(encode([]))).toThrow(refused);
  });

  test('has a digest of its own domain', () => {
    expect(digestOfGenesis('{"a":1}', sha256)).toEqual(sha256(utf8ToBytes('drawbridge/genesis/1\0{"a":1}')));
  });
});

describe('a governance entry, for readers', () => {
  const actions = encode([{ type: 'add_node', nodeId }]);

  test('shows its amendments', () => {
    expect(readGovernanceEntry(encode([1, 1_000, true, [[7, 3, actions, [[digest, digest]]]]]))).toEqual({
      stampMs: 1_000,
      amendments: [{ number: 3, actions: [{ type: 'add_node', nodeId }], signatures: 1 }],
    });
  });

  test.each<[string, unknown]>([
    ['another version', [2, 0, true, []]],
    ['other commands', [1, 0, true, [[1, 'terms', 0, 0]]]],
    ['actions that are no CBOR', [1, 0, true, [[7, 3, Uint8Array.of(0xff), []]]]],
    ['actions that are no list', [1, 0, true, [[7, 3, encode({}), []]]]],
  ])('with %s is refused', (_, value) => {
    expect(() => readGovernanceEntry(encode(value))).toThrow(refused);
  });
});
