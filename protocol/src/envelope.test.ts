import { expect, test } from '@jest/globals';
import { encode } from 'cborg';
import fc from 'fast-check';
import {
  decodeEnvelope,
  ENVELOPE_SUITE,
  type Envelope,
  encodeEnvelope,
  envelopeAssociatedData,
  MAX_ENVELOPE_BYTES,
} from './envelope.ts';
import { parseNetworkId } from './ids.ts';

const INVALID = expect.objectContaining({ code: 'ENVELOPE_INVALID' });
const fixed = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const envelopes: fc.Arbitrary<Envelope> = fc.record({
  recipient: fixed(32),
  wrappedKey: fc.uint8Array({ maxLength: 512 }),
  nonce: fixed(12),
  ciphertext: fc.uint8Array({ maxLength: 300 }),
  tag: fixed(16),
});
const EXAMPLE: Envelope = {
  recipient: new Uint8Array(32),
  wrappedKey: new Uint8Array(256),
  nonce: new Uint8Array(12),
  ciphertext: new Uint8Array(5),
  tag: new Uint8Array(16),
};
const parts = Object.values(EXAMPLE);

test('an envelope comes back from its bytes', () => {
  fc.assert(fc.property(envelopes, (envelope) => expect(decodeEnvelope(encodeEnvelope(envelope))).toEqual(envelope)));
});

test.each([
  ['another version', encode([2, ENVELOPE_SUITE, ...parts])],
  ['another suite', encode([1, 'RSA1_5', ...parts])],
  ['a missing part', encode([1, ENVELOPE_SUITE, ...parts.slice(1)])],
  ['a part too many', encode([1, ENVELOPE_SUITE, ...parts, 0])],
  ['a part that is text', encode([1, ENVELOPE_SUITE, ...parts.slice(0, 4), 'tag'])],
  ['a short recipient', encodeEnvelope({ ...EXAMPLE, recipient: new Uint8Array(31) })],
  ['a long nonce', encodeEnvelope({ ...EXAMPLE, nonce: new Uint8Array(13) })],
  ['a short tag', encodeEnvelope({ ...EXAMPLE, tag: new Uint8Array(15) })],
  ['a map', encode({ version: 1 })],
  ['nothing', new Uint8Array()],
  ['trailing bytes', Uint8Array.of(...encodeEnvelope(EXAMPLE), 0)],
  ['a cut end', encodeEnvelope(EXAMPLE).subarray(0, -1)],
  ['too many bytes', encodeEnvelope({ ...EXAMPLE, ciphertext: new Uint8Array(MAX_ENVELOPE_BYTES) })],
  ['an array of indefinite length', Uint8Array.of(0x9f, ...encodeEnvelope(EXAMPLE).subarray(1), 0xff)],
  ['a number in more bytes than it needs', Uint8Array.of(0x87, 0x18, 1, ...encodeEnvelope(EXAMPLE).subarray(2))],
  ['a version that is a float', Uint8Array.of(0x87, 0xf9, 0x3c, 0x00, ...encodeEnvelope(EXAMPLE).subarray(2))],
  ['nesting without end', new Uint8Array(MAX_ENVELOPE_BYTES).fill(0x81)],
])('refuses %s', (_, bytes) => expect(() => decodeEnvelope(bytes)).toThrow(INVALID));

test('associated data differ for every purpose, network and job', () => {
  const alpha = parseNetworkId('alpha');
  const all = [
    envelopeAssociatedData({ purpose: 'instruction', network: alpha, jobId: '1' }),
    envelopeAssociatedData({ purpose: 'evidence', network: alpha, jobId: '1' }),
    envelopeAssociatedData({ purpose: 'evidence', network: parseNetworkId('alpha1'), jobId: '' }),
    envelopeAssociatedData({ purpose: 'evidence', network: alpha, jobId: '11' }),
  ].map((bytes) => Buffer.from(bytes).toString('hex'));
  expect(new Set(all).size).toBe(4);
});
