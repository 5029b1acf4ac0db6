import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { AssetCode, ParticipantId, TransferId } from './ids.ts';
import { decodeTrail, encodeTrail, TRAIL_PLAINTEXT_BYTES, type Trail } from './trail.ts';

const assets = fc.stringMatching(/^[A-Z0-9][A-Z0-9.-]{0,15}$/) as fc.Arbitrary<AssetCode>;
const participants = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9.-]{0,31}$/) as fc.Arbitrary<ParticipantId>;
const transfers = fc.uuid() as fc.Arbitrary<TransferId>;
const trails: fc.Arbitrary<Trail> = fc.oneof(
  fc.record({ asset: assets }),
  fc.record({ transfer: transfers, participant: participants, asset: assets }),
);
const REFUSED = expect.objectContaining({ code: expect.stringMatching(/^(INSTRUCTION|ID)_INVALID$/) });

test('a trail comes back from its 64 bytes', () => {
  fc.assert(
    fc.property(trails, (trail) => {
      const bytes = encodeTrail(trail);
      expect(bytes).toHaveLength(TRAIL_PLAINTEXT_BYTES);
      expect(decodeTrail(bytes)).toEqual(trail);
    }),
  );
});

test('whatever decodes is what would have been written', () => {
  fc.assert(
    fc.property(trails, fc.nat(63), fc.nat(255), (trail, at, byte) => {
      const bytes = encodeTrail(trail);
      bytes[at] = byte;
      let decoded: Trail;
      try {
        decoded = decodeTrail(bytes);
      } catch (error) {
        expect(error).toEqual(REFUSED);
        return;
      }
      expect(encodeTrail(decoded)).toEqual(bytes);
    }),
    { numRuns: 2000 },
  );
});

test('transfer and participant come together', () => {
  const asset = 'EUR' as AssetCode;
  const transfer = '4f2a9c1e-7c0d-4b8a-9f63-1f2e3d4c5b6a' as TransferId;
  expect(() => encodeTrail({ transfer, asset })).toThrow(REFUSED);
  expect(() => encodeTrail({ participant: 'A' as ParticipantId, asset })).toThrow(REFUSED);
  const orphan = encodeTrail({ transfer, participant: 'A' as ParticipantId, asset });
  orphan.fill(0, 0, 16);
  expect(() => decodeTrail(orphan)).toThrow(REFUSED);
});

test.each([0, 63, 65])('%s bytes are no trail', (length) => {
  expect(() => decodeTrail(new Uint8Array(length))).toThrow(REFUSED);
});
test('zeros are no trail', () => expect(() => decodeTrail(new Uint8Array(64))).toThrow(REFUSED));
