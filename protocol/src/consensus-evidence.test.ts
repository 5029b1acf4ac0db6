import { describe, expect, test } from '@jest/globals';
import { decode, encode } from 'cborg';
import fc from 'fast-check';
import { parseBytes32 } from './bytes32.ts';
import {
  CONSENSUS_RULES,
  type ConsensusEvidence,
  type ConsensusSubject,
  consensusSubjectDigest,
  decodeConsensusEvidence,
  decodeHeaderBatch,
  encodeConsensusEvidence,
  encodeHeaderBatch,
  evidenceKindOf,
  type HeaderBatch,
  headerBatchDigest,
  MAX_CONSENSUS_EVIDENCE_BYTES,
  MAX_HEADER_BATCH_BYTES,
  MAX_HEADER_BYTES,
  MAX_HEADERS,
  MAX_POSITION,
  MAX_PROOF_BYTES,
  MAX_PROOF_NODES,
} from './consensus-evidence.ts';
import { type EvmAddress, parseNetworkId } from './ids.ts';
import { encodeObserverEvidence } from './observer-evidence.ts';

const REFUSED = expect.objectContaining({ code: expect.stringMatching(/^(EVIDENCE|ID)_INVALID$/) });
const ALPHA = parseNetworkId('alpha');
const WORD = parseBytes32(`0x${'11'.repeat(32)}`);

const BATCH: HeaderBatch = {
  version: 1,
  rule: 'qbft',
  kind: 'headers',
  network: ALPHA,
  headers: [Uint8Array.of(0xc1, 1), Uint8Array.of(0xc1, 2)],
};
const EVENT: ConsensusEvidence = {
  version: 1,
  rule: 'clique',
  kind: 'event',
  network: ALPHA,
  header: Uint8Array.of(0xc1, 7),
  transactionIndex: 300,
  proof: [Uint8Array.of(0xc1, 8), Uint8Array.of(0xc1, 9)],
  logIndexInReceipt: 2,
};
const batchBytes = encodeHeaderBatch(BATCH);
const eventBytes = encodeConsensusEvidence(EVENT);

const rules = fc.constantFrom(...CONSENSUS_RULES);
const networks = fc.constantFrom(ALPHA, parseNetworkId('b-2'));
const strings = (maxLength: number) =>
  fc.array(fc.uint8Array({ minLength: 1, maxLength: 700 }), { minLength: 1, maxLength });
const positions = fc.nat(MAX_POSITION - 1);

test('a batch comes back from its bytes', () => {
  const batches: fc.Arbitrary<HeaderBatch> = fc.record({
    version: fc.constant(1 as const),
    rule: rules,
    kind: fc.constant('headers' as const),
    network: networks,
    headers: strings(40),
  });
  fc.assert(fc.property(batches, (item) => expect(decodeHeaderBatch(encodeHeaderBatch(item))).toEqual(item)));
});

test('an item comes back from its bytes', () => {
  const items: fc.Arbitrary<ConsensusEvidence> = fc.record({
    version: fc.constant(1 as const),
    rule: rules,
    kind: fc.constant('event' as const),
    network: networks,
    header: fc.uint8Array({ minLength: 1, maxLength: 900 }),
    transactionIndex: positions,
    proof: strings(MAX_PROOF_NODES),
    logIndexInReceipt: positions,
  });
  fc.assert(fc.property(items, (item) => expect(decodeConsensusEvidence(encodeConsensusEvidence(item))).toEqual(item)));
});

test('the largest items are taken', () => {
  const header = new Uint8Array(MAX_HEADER_BYTES);
  const largest: ConsensusEvidence = {
    ...EVENT,
    network: parseNetworkId('a'.repeat(48)),
    header,
    transactionIndex: MAX_POSITION - 1,
    proof: Array.from({ length: MAX_PROOF_NODES }, () => new Uint8Array(MAX_PROOF_BYTES / MAX_PROOF_NODES)),
    logIndexInReceipt: MAX_POSITION - 1,
  };
  const bytes = encodeConsensusEvidence(largest);
  expect(Buffer.compare(encodeConsensusEvidence(decodeConsensusEvidence(bytes)), bytes)).toBe(0);
  const batch: HeaderBatch = { ...BATCH, headers: Array.from({ length: MAX_HEADERS }, () => Uint8Array.of(1)) };
  expect(decodeHeaderBatch(encodeHeaderBatch(batch))).toEqual(batch);
  const heavy: HeaderBatch = { ...BATCH, headers: Array.from({ length: 7 }, () => header) };
  const heavyBytes = encodeHeaderBatch(heavy);
  expect(Buffer.compare(encodeHeaderBatch(decodeHeaderBatch(heavyBytes)), heavyBytes)).toBe(0);
});

/** Bytes with one part of the tree replaced. */
function withPart(sound: Uint8Array, at: number, value: unknown): Uint8Array {
  const tree = decode(sound) as unknown[];
  tree[at] = value;
  return encode(tree);
}
const inBatch = (at: number, value: unknown): Uint8Array => withPart(batchBytes, at, value);
const inEvent = (at: number, value: unknown): Uint8Array => withPart(eventBytes, at, value);
const withMore = (sound: Uint8Array): Uint8Array => encode([...(decode(sound) as unknown[]), 0]);

describe('a batch of headers is refused with', () => {
  test.each([
    ['version 2', inBatch(0, 2)],
    ['the rule observers', inBatch(1, 'observers')],
    ['an unknown rule', inBatch(1, 'aura')],
    ['a rule in a list', inBatch(1, ['qbft'])],
    ['another kind', inBatch(2, 'event')],
    ['a network that is not text', inBatch(3, 7)],
    ['a network of wrong form', inBatch(3, 'Alpha')],
    ['headers that are bytes', inBatch(4, Uint8Array.of(1))],
    ['headers that are a number', inBatch(4, 7)],
    ['no header', inBatch(4, [])],
    ['more headers than the bound', inBatch(4, Array(MAX_HEADERS + 1).fill(Uint8Array.of(1)))],
    ['a header as text', inBatch(4, ['c1'])],
    ['an empty header', inBatch(4, [new Uint8Array()])],
    ['a header above the bound', inBatch(4, [new Uint8Array(MAX_HEADER_BYTES + 1)])],
    ['more bytes than the bound', inBatch(4, Array(9).fill(new Uint8Array(MAX_HEADER_BATCH_BYTES / 8)))],
    ['headers of allowed size that are too many bytes', inBatch(4, Array(8).fill(new Uint8Array(MAX_HEADER_BYTES)))],
    ['a sixth part', withMore(batchBytes)],
    ['a cut end', batchBytes.subarray(0, -1)],
    ['a trailing byte', Uint8Array.of(...batchBytes, 0)],
    ['the bytes of an event', eventBytes],
    ['a list of indefinite length', Uint8Array.of(0x9f, ...batchBytes.subarray(1), 0xff)],
    ['a length in more bytes than it needs', Uint8Array.of(0x98, 5, ...batchBytes.subarray(1))],
    ['a number in more bytes than it needs', Uint8Array.of(0x85, 0x18, 1, ...batchBytes.subarray(2))],
    ['a number as a float', Uint8Array.of(0x85, 0xf9, 0x3c, 0, ...batchBytes.subarray(2))],
    ['nothing', new Uint8Array()],
    ['nesting without end', new Uint8Array(MAX_HEADER_BATCH_BYTES).fill(0x81)],
  ])('%s', (_, input) => expect(() => decodeHeaderBatch(input)).toThrow(REFUSED));
});

describe('an event is refused with', () => {
  const half = new Uint8Array(MAX_PROOF_BYTES / 2 + 1);
  test.each([
    ['version 2', inEvent(0, 2)],
    ['the rule observers', inEvent(1, 'observers')],
    ['an unknown rule', inEvent(1, 'aura')],
    ['another kind', inEvent(2, 'headers')],
    ['a network that is not text', inEvent(3, null)],
    ['a network of wrong form', inEvent(3, 'Alpha')],
    ['a header as text', inEvent(4, 'c1')],
    ['an empty header', inEvent(4, new Uint8Array())],
    ['a header above the bound', inEvent(4, new Uint8Array(MAX_HEADER_BYTES + 1))],
    ['a negative transaction index', inEvent(5, -1)],
    ['a fraction of a transaction', inEvent(5, 1.5)],
    ['a transaction index at the bound', inEvent(5, MAX_POSITION)],
    ['a transaction index beyond 2^53', inEvent(5, 2n ** 53n)],
    ['a transaction index as text', inEvent(5, '1')],
    ['a proof that is bytes', inEvent(6, Uint8Array.of(1))],
    ['a proof of no node', inEvent(6, [])],
    ['more proof nodes than the bound', inEvent(6, Array(MAX_PROOF_NODES + 1).fill(Uint8Array.of(1)))],
    ['a proof node in a list', inEvent(6, [[Uint8Array.of(1)]])],
    ['an empty proof node', inEvent(6, [new Uint8Array()])],
    ['a proof node above the bound', inEvent(6, [new Uint8Array(MAX_PROOF_BYTES + 1)])],
    ['proof nodes above the bound together', inEvent(6, [half, half])],
    ['a log index that is null', inEvent(7, null)],
    ['a log index at the bound', inEvent(7, MAX_POSITION)],
    ['a ninth part', withMore(eventBytes)],
    ['a cut end', eventBytes.subarray(0, -1)],
    ['a trailing byte', Uint8Array.of(...eventBytes, 0)],
    ['the bytes of a batch', batchBytes],
    ['more bytes than the bound', new Uint8Array(MAX_CONSENSUS_EVIDENCE_BYTES + 1).fill(0x81)],
    ['a map', encode({ version: 1 })],
    ['a tag in front', Uint8Array.of(0xc1, ...eventBytes)],
    ['a list of indefinite length', Uint8Array.of(0x9f, ...eventBytes.subarray(1), 0xff)],
    ['a length in more bytes than it needs', Uint8Array.of(0x98, 8, ...eventBytes.subarray(1))],
    ['a number in more bytes than it needs', Uint8Array.of(0x88, 0x18, 1, ...eventBytes.subarray(2))],
    ['a number as a float', Uint8Array.of(0x88, 0xf9, 0x3c, 0, ...eventBytes.subarray(2))],
  ])('%s', (_, input) => expect(() => decodeConsensusEvidence(input)).toThrow(REFUSED));
});

describe('whatever decodes is in its one encoding', () => {
  test.each([
    ['a batch', batchBytes, (input: Uint8Array) => encodeHeaderBatch(decodeHeaderBatch(input))],
    ['an event', eventBytes, (input: Uint8Array) => encodeConsensusEvidence(decodeConsensusEvidence(input))],
  ])('%s', (_, sound, again) => {
    fc.assert(
      fc.property(fc.nat(sound.length - 1), fc.nat(255), (at, byte) => {
        const changed = sound.with(at, byte);
        try {
          expect(again(changed)).toEqual(changed);
        } catch (error) {
          expect(error).toEqual(REFUSED);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

test('kinds of evidence are told apart by how they begin', () => {
  const observed = encodeObserverEvidence({
    version: 1,
    rule: 'observers',
    network: ALPHA,
    genesisHash: WORD,
    log: {
      blockNumber: 1,
      blockHash: WORD,
      transactionHash: WORD,
      logIndex: 0,
      address: `0x${'ab'.repeat(20)}` as EvmAddress,
      topics: [],
      data: '0x',
    },
    attestations: [],
  });
  expect(evidenceKindOf(observed)).toBe('observers');
  for (const rule of CONSENSUS_RULES) {
    expect(evidenceKindOf(encodeHeaderBatch({ ...BATCH, rule }))).toBe('headers');
    expect(evidenceKindOf(encodeConsensusEvidence({ ...EVENT, rule }))).toBe('event');
  }
  for (const input of [new Uint8Array(), batchBytes.subarray(0, 6), inBatch(1, 'aura'), inEvent(0, 2)]) {
    expect(evidenceKindOf(input)).toBeUndefined();
  }
});

test('every part of where a log stands changes its digest', () => {
  const subject: ConsensusSubject = {
    rule: 'qbft',
    network: ALPHA,
    blockHash: WORD,
    transactionIndex: 1,
    logIndexInReceipt: 2,
  };
  const digests = [
    subject,
    { ...subject, rule: 'ibft' as const },
    { ...subject, network: parseNetworkId('beta') },
    { ...subject, blockHash: parseBytes32(`0x${'22'.repeat(32)}`) },
    { ...subject, transactionIndex: 2 },
    { ...subject, logIndexInReceipt: 1 },
    { ...subject, transactionIndex: 2, logIndexInReceipt: 1 },
  ].map(consensusSubjectDigest);
  expect(new Set(digests).size).toBe(digests.length);
  // Made outside of this code: the log of a core holds such digests, so they may never change.
  expect(digests[0]).toBe('0xd129caf50e1df97fc0bb415d00cbe681aecbca45648c4920e0a68bd411a88678');
  expect(headerBatchDigest(BATCH)).not.toBe(headerBatchDigest({ ...BATCH, network: parseNetworkId('beta') }));
});
