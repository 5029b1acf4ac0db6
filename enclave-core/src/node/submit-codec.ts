/** Bytes of a submission that one node forwards to another, and of its answer. Canonical CBOR of lists. */
import { parseTransferId } from '@drawbridge/protocol/ids';
import { decode, encode } from 'cborg';
import { type Committed, SubmitError, type TransactionId } from '../core-service.ts';
import { decodeEntry, encodeEntry } from '../settlement/codec.ts';
import type { Command, Outcome, RefusalCode } from '../settlement/command.ts';
import { type Cbor, CodecError, readFlag, readList, readText, readTuple, readWhole } from '../settlement/tuples.ts';

const DECODING = { strict: true, allowIndefinite: false, allowUndefined: false, allowNaN: false } as const;
/** Of one submission. */
const MAX_OUTCOMES = 1_000_000;
const NO_SEQ = -1;

/** Commands travel as the entry that they would make, without a stamp. */
export const encodeSubmission = (commands: readonly Command[]): Uint8Array =>
  encodeEntry({ version: 1, stampMs: 0, clockProtected: false, commands });

/** @throws CodecError */
export const decodeSubmission = (bytes: Uint8Array): readonly Command[] => decodeEntry(bytes).commands;

export type SubmissionAnswer = Readonly<{ committed: readonly Committed[] }> | Readonly<{ refused: SubmitError }>;

const REFUSALS: ReadonlySet<string> = new Set<SubmitError['code']>([
  'NOT_LEADER',
  'OVERLOADED',
  'STOPPING',
  'UNCERTAIN',
]);

export function encodeAnswer(answer: SubmissionAnswer): Uint8Array {
  if ('refused' in answer) return encode([1, answer.refused.code, answer.refused.message]);
  // One submission is one entry, so its answers share their transaction id.
  const id = answer.committed[0]?.transactionId ?? '';
  return encode([0, id, answer.committed.map(({ outcome }) => outcomeTuple(outcome))]);
}

/** @throws CodecError */
export function decodeAnswer(bytes: Uint8Array): SubmissionAnswer {
  const value: unknown = decode(bytes, DECODING);
  const [kind, first, second] = readTuple(value, 3);
  if (kind === 1) {
    const code = readText(first);
    if (!REFUSALS.has(code)) throw new CodecError('ENTRY_INVALID', 'a refusal has an unknown code');
    return { refused: new SubmitError(code as SubmitError['code'], readText(second)) };
  }
  const transactionId = readText(first) as TransactionId;
  const outcomes = readList(second, MAX_OUTCOMES).map(readOutcome);
  return { committed: outcomes.map((outcome) => ({ outcome, transactionId })) };
}

function outcomeTuple(outcome: Outcome): Cbor {
  if (outcome.ok) return [true, outcome.transfer ?? '', outcome.repeated ?? false];
  return [false, outcome.code, outcome.detail, outcome.expectedSeq ?? NO_SEQ];
}

function readOutcome(value: unknown): Outcome {
  if (Array.isArray(value) && value[0] === true) {
    const [, transfer, repeated] = readTuple(value, 3);
    const id = readText(transfer);
    return {
      ok: true,
      ...(id !== '' && { transfer: parseTransferId(id) }),
      ...(readFlag(repeated) && { repeated: true as const }),
    };
  }
  const [, code, detail, expectedSeq] = readTuple(value, 4);
  return {
    ok: false,
    code: readText(code) as RefusalCode,
    detail: readText(detail),
    ...(expectedSeq !== NO_SEQ && { expectedSeq: readWhole(expectedSeq) }),
  };
}
