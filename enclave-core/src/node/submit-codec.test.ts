import { describe, expect, it } from '@jest/globals';
import { encode } from 'cborg';
import { SubmitError } from '../core-service.ts';
import { CodecError } from '../settlement/tuples.ts';
import { decodeAnswer, decodeSubmission, encodeAnswer, encodeSubmission } from './submit-codec.ts';
import { pay, payment } from './testing/payments.ts';

describe('forwarded submissions', () => {
  it('come as they were sent', () => {
    const commands = [pay('a', 1n), { type: 'clock' as const }, pay('b', 2n ** 62n)];
    expect(decodeSubmission(encodeSubmission(commands))).toEqual(commands);
  });

  it('are answered as the leader answered', () => {
    const committed = [
      { outcome: { ok: true as const, transfer: payment('a', 1n).id }, transactionId: '3.17' as const },
      {
        outcome: { ok: true as const, transfer: payment('b', 1n).id, repeated: true as const },
        transactionId: '3.17' as const,
      },
      { outcome: { ok: true as const }, transactionId: '3.17' as const },
      {
        outcome: { ok: false as const, code: 'EVENT_EARLY' as const, detail: 'why', expectedSeq: 4 },
        transactionId: '3.17' as const,
      },
      { outcome: { ok: false as const, code: 'NOT_ALLOWED' as const, detail: '' }, transactionId: '3.17' as const },
    ];
    expect(decodeAnswer(encodeAnswer({ committed }))).toEqual({ committed });
  });

  it('are answered with the transaction id of each, where they became several entries', () => {
    const committed = (['3.17', '3.17', '3.18', '3.20'] as const).map((transactionId) => ({
      outcome: { ok: true as const },
      transactionId,
    }));
    expect(decodeAnswer(encodeAnswer({ committed }))).toEqual({ committed });
  });

  it.each([
    ['fewer ids', [['3.17', 1]]],
    ['more ids', [['3.17', 3]]],
    [
      'a run of none',
      [
        ['3.16', 0],
        ['3.17', 2],
      ],
    ],
  ] as const)('have no %s than outcomes', (_, runs) => {
    const bytes = encode([
      2,
      runs,
      [
        [true, '', false],
        [true, '', false],
      ],
    ]);
    expect(() => decodeAnswer(bytes)).toThrow(CodecError);
  });

  it('are refused as the leader refused', () => {
    const answer = decodeAnswer(encodeAnswer({ refused: new SubmitError('OVERLOADED', 'later') }));
    expect(answer).toMatchObject({ refused: { code: 'OVERLOADED', message: 'later' } });
  });

  it('are nothing else', () => {
    for (const bytes of [new Uint8Array(0), Uint8Array.of(0x80), Uint8Array.of(0x83, 1, 0x61, 0x58, 0x60)]) {
      expect(() => decodeAnswer(bytes)).toThrow();
    }
  });
});
