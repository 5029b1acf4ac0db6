/** Any trail, and what must hold of the bytes of each. */
import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { AssetCode, ParticipantId, TransferId } from '../ids.ts';
import { decodeTrail, encodeTrail, TRAIL_PLAINTEXT_BYTES, type Trail } from '../trail.ts';

const assets = fc.stringMatching(/^[A-Z0-9][A-Z0-9.-]{0,15}$/) as fc.Arbitrary<AssetCode>;
const participants = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9.-]{0,31}$/) as fc.Arbitrary<ParticipantId>;
const transfers = fc.uuid() as fc.Arbitrary<TransferId>;
const trails: fc.Arbitrary<Trail> = fc.oneof(
  fc.record({ asset: assets }),
  fc.record({ transfer: transfers, participant: participants, asset: assets }),
);
export const REFUSED: unknown = expect.objectContaining({ code: expect.stringMatching(/^(INSTRUCTION|ID)_INVALID$/) });

export function expectTrailsComeBack(numRuns: number): void {
  fc.assert(
    fc.property(trails, (trail) => {
      const bytes = encodeTrail(trail);
      expect(bytes).toHaveLength(TRAIL_PLAINTEXT_BYTES);
      expect(decodeTrail(bytes)).toEqual(trail);
    }),
    { numRuns },
  );
}

/** One byte is changed: what still decodes is written as it was read. */
export function expectOneForm(numRuns: number): void {
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
    { numRuns },
  );
}
