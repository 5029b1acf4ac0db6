/** Any instruction job, and what must hold of the bytes of each. */
import { expect } from '@jest/globals';
import fc from 'fast-check';
import { MAX_AMOUNT_MINOR } from '../amount.ts';
import { parseBytes32, toBytes32, toHex } from '../bytes32.ts';
import { type EvmAddress, parseAssetCode, parseNetworkId } from '../ids.ts';
import { INSTRUCTION_KINDS, type InstructionKind, MAX_TRAIL_BYTES } from '../instruction.ts';
import {
  decodeInstructionJob,
  encodeInstructionJob,
  type InstructionJob,
  MAX_JOB_BYTES,
  MAX_JOB_STATES,
} from '../instruction-job.ts';
import { inputsHash, sortedRefs, stateRef } from '../state-ref.ts';

export const REFUSED: unknown = expect.objectContaining({ code: expect.stringMatching(/^(JOB|ID)_INVALID$/) });
const hex = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map(toHex);
const word = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toBytes32);
const jobs: fc.Arbitrary<InstructionJob> = fc.record({
  network: fc.constantFrom(parseNetworkId('alpha'), parseNetworkId('beta-2')),
  asset: fc.constantFrom(parseAssetCode('EUR'), parseAssetCode('DE000BASF111')),
  vault: hex(20) as fc.Arbitrary<EvmAddress>,
  serviceId: word,
  genesisHash: word,
  instruction: fc.record({
    id: word,
    kind: fc.constantFrom(...(Object.keys(INSTRUCTION_KINDS) as InstructionKind[])),
    subject: word,
    asset: word,
    amountMinor: fc.bigInt(0n, MAX_AMOUNT_MINOR),
    beneficiary: word,
    inputs: word,
    notAfterSeconds: fc.maxSafeNat(),
    epoch: fc.integer({ min: 0, max: 0xffffffff }),
    trail: fc.uint8Array({ maxLength: MAX_TRAIL_BYTES }).map(toHex),
  }),
  signature: hex(65),
});
const states = fc
  .uniqueArray(fc.tuple(word, fc.nat()), {
    minLength: 1,
    maxLength: MAX_JOB_STATES,
    selector: ([id, at]) => `${id}${at}`,
  })
  .map((refs) => sortedRefs(refs.map(([id, at]) => stateRef(id, at))));
/** A job for a vault on a ledger of states. */
const stateJobs: fc.Arbitrary<InstructionJob> = fc.tuple(jobs, word, states).map(([job, vault, refs]) => ({
  ...job,
  vault,
  instruction: { ...job.instruction, inputs: inputsHash(refs) },
  states: refs,
}));
const ZERO = parseBytes32(`0x${'00'.repeat(32)}`);
export const EXAMPLE: InstructionJob = {
  network: parseNetworkId('alpha'),
  asset: parseAssetCode('EUR'),
  vault: `0x${'11'.repeat(20)}` as EvmAddress,
  serviceId: ZERO,
  genesisHash: ZERO,
  instruction: {
    id: ZERO,
    kind: 'release',
    subject: ZERO,
    asset: ZERO,
    amountMinor: 1n,
    beneficiary: ZERO,
    inputs: ZERO,
    notAfterSeconds: 0,
    epoch: 1,
    trail: '0x',
  },
  signature: `0x${'22'.repeat(65)}`,
};

const STATES = sortedRefs([stateRef(ZERO, 1), stateRef(ZERO, 2)]);
/** The same for a vault on a ledger of states. */
export const STATES_EXAMPLE: InstructionJob = {
  ...EXAMPLE,
  vault: parseBytes32(`0x${'33'.repeat(32)}`),
  instruction: { ...EXAMPLE.instruction, inputs: inputsHash(STATES) },
  states: STATES,
};

export function expectJobsComeBack(numRuns: number): void {
  fc.assert(
    fc.property(fc.oneof(jobs, stateJobs), (job) => {
      const bytes = encodeInstructionJob(job);
      expect(bytes.length).toBeLessThan(MAX_JOB_BYTES);
      expect(decodeInstructionJob(bytes)).toEqual(job);
    }),
    { numRuns },
  );
}

/** One byte is changed: what still decodes encodes to the same bytes. */
export function expectOneEncoding(numRuns: number): void {
  const bytes = encodeInstructionJob(EXAMPLE);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
      const changed = Uint8Array.from(bytes);
      changed[at] = byte;
      try {
        expect(encodeInstructionJob(decodeInstructionJob(changed))).toEqual(changed);
      } catch (error) {
        expect(error).toEqual(REFUSED);
      }
    }),
    { numRuns },
  );
}
