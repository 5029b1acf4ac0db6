/** Any item of observers' evidence, and what must hold of the bytes of each. */
import { expect } from '@jest/globals';
import fc from 'fast-check';
import { type Bytes32, parseBytes32, toBytes32, toHex } from '../bytes32.ts';
import { type EvmAddress, type ParticipantId, parseNetworkId, parseParticipantId } from '../ids.ts';
import {
  type Attestation,
  decodeObserverEvidence,
  encodeObserverEvidence,
  type ObserverEvidence,
} from '../observer-evidence.ts';

export const REFUSED: unknown = expect.objectContaining({ code: expect.stringMatching(/^(EVIDENCE|ID)_INVALID$/) });
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const word = bytes(32).map(toBytes32);
const items: fc.Arbitrary<ObserverEvidence> = fc.record({
  version: fc.constant(1 as const),
  rule: fc.constant('observers' as const),
  network: fc.constantFrom(parseNetworkId('alpha'), parseNetworkId('b-2')),
  genesisHash: word,
  log: fc.record({
    blockNumber: fc.maxSafeNat(),
    blockHash: word,
    transactionHash: word,
    logIndex: fc.maxSafeNat(),
    address: bytes(20).map(toHex) as fc.Arbitrary<EvmAddress>,
    topics: fc.array(word, { maxLength: 4 }),
    data: fc.uint8Array({ maxLength: 600 }).map(toHex),
  }),
  attestations: fc.array(
    fc.record({
      observer: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9.-]{0,31}$/) as fc.Arbitrary<ParticipantId>,
      depthBlocks: fc.maxSafeNat(),
      signature: bytes(64).map(toHex),
    }),
    { maxLength: 5 },
  ),
});

export const WORD: Bytes32 = parseBytes32(`0x${'11'.repeat(32)}`);
export const OTHER: Bytes32 = parseBytes32(`0x${'22'.repeat(32)}`);
const ATTESTATION: Attestation = {
  observer: parseParticipantId('observer-1'),
  depthBlocks: 3,
  signature: `0x${'33'.repeat(64)}`,
};
export const EXAMPLE: ObserverEvidence = {
  version: 1,
  rule: 'observers',
  network: parseNetworkId('alpha'),
  genesisHash: WORD,
  log: {
    blockNumber: 17,
    blockHash: WORD,
    transactionHash: WORD,
    logIndex: 0,
    address: `0x${'ab'.repeat(20)}` as EvmAddress,
    topics: [WORD, OTHER],
    data: '0x1234',
  },
  attestations: [ATTESTATION],
};
export const encoded: Uint8Array = encodeObserverEvidence(EXAMPLE);

export function expectItemsComeBack(numRuns: number): void {
  fc.assert(
    fc.property(items, (item) => expect(decodeObserverEvidence(encodeObserverEvidence(item))).toEqual(item)),
    { numRuns },
  );
}

/** One byte is changed: what still decodes encodes to the same bytes. */
export function expectOneEncoding(numRuns: number): void {
  fc.assert(
    fc.property(fc.nat(encoded.length - 1), fc.nat(255), (at, byte) => {
      const changed = Uint8Array.from(encoded);
      changed[at] = byte;
      try {
        expect(encodeObserverEvidence(decodeObserverEvidence(changed))).toEqual(changed);
      } catch (error) {
        expect(error).toEqual(REFUSED);
      }
    }),
    { numRuns },
  );
}
