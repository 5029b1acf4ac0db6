import { parseNodeId } from '@drawbridge/protocol/ledger/node-id';
import { NO_LIFE, type NodeLife } from '@drawbridge/protocol/ledger/node-life';
import { ProtocolError } from '@drawbridge/protocol/protocol-error';
import { expect, test } from '@jest/globals';
import { encode } from 'cborg';
import fc from 'fast-check';
import {
  decodeJoinAnswer,
  decodeJoinRequest,
  encodeJoinAnswer,
  encodeJoinRequest,
  type JoinAnswer,
  type JoinRequest,
} from './join-message.ts';

const word = fc.uint8Array({ minLength: 32, maxLength: 32 });
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const nodeId = word.map((bytes) => parseNodeId(hex(bytes)));
const raftId = fc.integer({ min: 1, max: 2 ** 32 - 1 });
const text = fc.string({ unit: 'binary', maxLength: 20 });
const life = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => hex(bytes) as NodeLife);
const request: fc.Arbitrary<JoinRequest> = fc.record({
  nodeId,
  publicKey: fc.uint8Array({ maxLength: 200 }),
  encryptionKey: text,
  peerAddress: text,
  apiAddress: text,
  hosts: fc.array(text, { maxLength: 4 }),
  platform: text,
  versions: fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 3 }),
  life,
  raftId: fc.option(raftId),
  proof: fc.option(fc.uint8Array({ maxLength: 40 })),
});
const told = fc.record({
  revision: fc.integer({ min: 1, max: 99 }),
  peers: fc.array(fc.record({ raftId, nodeId, address: text, life }), { maxLength: 3 }),
});
const bytes32 = word.map((bytes) => `0x${hex(bytes)}` as never);
const row = fc.record({
  raftId,
  nodeId,
  certificate: text,
  encryptionKey: text,
  peerAddress: text,
  apiAddress: text,
  platform: text,
  versions: fc.constant([1]),
  life,
});
const record = fc.record({
  genesisDigest: bytes32,
  genesis: text,
  serviceId: bytes32,
  stateDigest: bytes32,
  serviceCertificate: text,
  node: row,
});
const answer: fc.Arbitrary<JoinAnswer> = fc.oneof(
  fc.record({ type: fc.constant('refused' as const), code: text, detail: text }),
  fc.record({ type: fc.constant('known' as const), certificate: text, told }),
  fc
    .record({
      raftId,
      certificate: text,
      serviceId: bytes32,
      serviceCertificate: text,
      ledgerSecrets: fc
        .array(word, { minLength: 1, maxLength: 3 })
        .map((all) => new Map(all.map((one, i) => [i + 1, one]))),
      genesis: fc.record({ content: fc.uint8Array({ maxLength: 90 }), record }),
      told,
    })
    .map((admission): JoinAnswer => ({ type: 'admitted', admission })),
);

test('what is said comes back the same, and has one encoding', () => {
  fc.assert(
    fc.property(request, answer, (asked, answered) => {
      expect(decodeJoinRequest(encodeJoinRequest(asked))).toEqual(asked);
      expect(decodeJoinAnswer(encodeJoinAnswer(answered))).toEqual(answered);
    }),
    { numRuns: 50 },
  );
});

test('damaged bytes are refused, or are the one encoding of something else', () => {
  const change = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }));
  fc.assert(
    fc.property(request, answer, change, (asked, answered, [at, flip]) => {
      const damage = (bytes: Uint8Array): Uint8Array => {
        const damaged = Uint8Array.from(bytes);
        damaged[at % bytes.length] = (damaged[at % bytes.length] ?? 0) ^ flip;
        return damaged;
      };
      const holds = (bytes: Uint8Array, again: (bytes: Uint8Array) => Uint8Array): void => {
        try {
          expect(Buffer.from(again(bytes)).equals(bytes)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      };
      holds(damage(encodeJoinRequest(asked)), (bytes) => encodeJoinRequest(decodeJoinRequest(bytes)));
      holds(damage(encodeJoinAnswer(answered)), (bytes) => encodeJoinAnswer(decodeJoinAnswer(bytes)));
    }),
    { numRuns: 100 },
  );
});

const REQUEST: JoinRequest = {
  nodeId: parseNodeId('a'.repeat(64)),
  publicKey: new Uint8Array(10),
  encryptionKey: 'key',
  peerAddress: 'a:1',
  apiAddress: 'a:2',
  hosts: [],
  platform: 'virtual',
  versions: [1],
  life: NO_LIFE,
  raftId: null,
  proof: null,
};

test.each<readonly [string, Partial<JoinRequest>]>([
  ['a long key', { publicKey: new Uint8Array(1_025) }],
  ['a long encryption key', { encryptionKey: 'x'.repeat(16_385) }],
  ['a long address', { peerAddress: 'x'.repeat(273) }],
  ['many hosts', { hosts: Array.from({ length: 65 }, () => 'h') }],
  ['a long host', { hosts: ['h'.repeat(254)] }],
  ['a long platform', { platform: 'x'.repeat(65) }],
  ['many versions', { versions: Array.from({ length: 257 }, (_, i) => i + 1) }],
  ['a version 0', { versions: [0] }],
  ['a short life', { life: '00' as NodeLife }],
  ['a raft id 0', { raftId: 0 }],
  ['a long proof', { proof: new Uint8Array(32 * 1024 + 1) }],
])('a request with %s is refused', (_, change) => {
  expect(() => decodeJoinRequest(encodeJoinRequest({ ...REQUEST, ...change }))).toThrow(ProtocolError);
});

test('other versions, kinds and forms are refused', () => {
  for (const value of [[], {}, [2, ...Array.from({ length: 11 }, () => null)], 'x']) {
    expect(() => decodeJoinRequest(encode(value))).toThrow(ProtocolError);
  }
  for (const value of [[], {}, [3], [0, 'code'], [1], [2, 'c', [0, []]]]) {
    expect(() => decodeJoinAnswer(encode(value))).toThrow(ProtocolError);
  }
});

test('ledger secrets are of rising epochs', () => {
  const secret = new Uint8Array(32);
  const admitted = (secrets: unknown): Uint8Array => {
    const node = ['c', 'e', 'p', 'a', 'virtual', [1], new Uint8Array(16)];
    const genesis = encode([secret, '{}', secret, secret, 'c', [1, secret, ...node]]);
    return encode([1, 5, 'c', secret, 'c', secrets, genesis, secret, [1, []]]);
  };
  expect(
    decodeJoinAnswer(
      admitted([
        [1, secret],
        [3, secret],
      ]),
    ),
  ).toMatchObject({ type: 'admitted' });
  for (const secrets of [
    [
      [2, secret],
      [1, secret],
    ],
    [
      [1, secret],
      [1, secret],
    ],
    [[0, secret]],
    [[1, new Uint8Array(33)]],
  ]) {
    expect(() => decodeJoinAnswer(admitted(secrets))).toThrow(ProtocolError);
  }
});
