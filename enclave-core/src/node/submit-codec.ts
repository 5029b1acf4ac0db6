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
  const outcomes = answer.committed.map(({ outcome }) => outcomeTuple(outcome));
  const runs = runsOf(answer.committed);
  return runs.length > 1 ? encode([2, runs, outcomes]) : encode([0, runs[0]?.[0] ?? '', outcomes]);
}

/** Transaction ids with how many outcomes in a row have each: a submission is one entry, or several one after the other. */
function runsOf(committed: readonly Committed[]): [id: string, count: number][] {
  const runs: [string, number][] = [];
  for (const { transactionId } of committed) {
    const last = runs.at(-1);
    if (last?.[0] === transactionId) last[1] += 1;
    else runs.push([transactionId, 1]);
  }
  return runs;
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
  const outcomes = readList(second, MAX_OUTCOMES).map(readOutcome);
  const ids = kind === 2 ? idsOfRuns(first, outcomes.length) : outcomes.map(() => readText(first) as TransactionId);
  return { committed: outcomes.map((outcome, n) => ({ outcome, transactionId: idAt(ids, n) })) };
}

function idsOfRuns(value: unknown, expected: number): TransactionId[] {
  const ids: TransactionId[] = [];
  for (const run of readList(value, MAX_OUTCOMES)) {
    const [id, count] = readTuple(run, 2);
    const more = readWhole(count);
    if (more < 1 || ids.length + more > expected) throw new CodecError('ENTRY_INVALID', 'ids of other outcomes');
    for (let n = 0; n < more; n += 1) ids.push(readText(id) as TransactionId);
  }
  return ids;
}

function idAt(ids: readonly TransactionId[], n: number): TransactionId {
  const id = ids[n];
  if (id === undefined) throw new CodecError('ENTRY_INVALID', 'an outcome has no id');
  return id;
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
