import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Committed, SubmitError } from '../core-service.ts';
import { Forwarder } from './forwarder.ts';
import { encodeAnswer } from './submit-codec.ts';
import { ManualTimers } from './testing/manual-timers.ts';
import { pay } from './testing/payments.ts';
import { Waiters } from './waiters.ts';

const COMMANDS = [pay('a', 1n)];
const committed: Committed[] = [{ outcome: { ok: true }, transactionId: '2.7' }];
const failure = (code: string): Error => Object.assign(new Error(code), { code });

describe('forwarder', () => {
  let timers: ManualTimers;
  let leads: boolean;
  let leader: number | undefined;
  let applied: number;
  let answers: (() => Promise<Uint8Array>)[];
  let asked: number[];
  let here: () => Promise<Committed[]>;
  let waiters: Waiters;
  beforeEach(() => {
    timers = new ManualTimers();
    [leads, leader, applied, answers, asked] = [false, 3, 7, [], []];
    here = async () => committed;
    waiters = new Waiters(timers, () => applied);
  });
  const make = (maxForwarded = 10): Forwarder =>
    new Forwarder(
      { maxForwarded },
      {
        leads: () => leads,
        leader: () => leader,
        submitHere: () => here(),
        request: (raftId) => {
          asked.push(raftId);
          return answers.shift()?.() ?? Promise.reject(failure('UNREACHABLE'));
        },
        applied: waiters,
        timers,
        monotonicMs: () => timers.nowMs,
      },
    );
  /** Lets time pass until it is answered. */
  const settled = async <T>(answer: Promise<T>): Promise<PromiseSettledResult<T> | undefined> => {
    let result: PromiseSettledResult<T> | undefined;
    void Promise.allSettled([answer]).then(([one]) => {
      result = one;
    });
    for (let i = 0; i < 2_000 && !result; i++) {
      await nextTurn();
      timers.advance(25);
    }
    return result;
  };

  it('submits here where this node leads', async () => {
    leads = true;
    expect(await make().submit(COMMANDS)).toEqual(committed);
    expect(asked).toEqual([]);
  });

  it.each([
    ['it', committed],
    [
      'the last of several entries',
      [...committed.map((one) => ({ ...one, transactionId: '2.6' as const })), ...committed],
    ],
  ])('asks the leader, and answers once this node has applied %s', async (_, all) => {
    applied = 6;
    answers = [async () => encodeAnswer({ committed: all })];
    const answer = make().submit(COMMANDS);
    let done = false;
    void answer.then(() => {
      done = true;
    });
    for (let i = 0; i < 5; i++) await nextTurn();
    expect(done).toBe(false);
    applied = 7;
    waiters.wake();
    expect(await answer).toEqual(all);
    expect(asked).toEqual([3]);
  });

  it('tries again what was certainly not taken, and follows the leader where it goes', async () => {
    answers = [
      async () => encodeAnswer({ refused: new SubmitError('NOT_LEADER', 'no') }),
      () => Promise.reject(failure('UNREACHABLE')),
      async () => {
        leader = 2;
        return encodeAnswer({ refused: new SubmitError('NOT_LEADER', 'no') });
      },
      async () => encodeAnswer({ committed }),
    ];
    expect(await settled(make().submit(COMMANDS))).toMatchObject({ value: committed });
    expect(asked).toEqual([3, 3, 3, 2]);
  });

  it('never tries again what may have been taken', async () => {
    answers = [() => Promise.reject(failure('UNCERTAIN')), async () => encodeAnswer({ committed })];
    expect(await settled(make().submit(COMMANDS))).toMatchObject({ reason: { code: 'UNCERTAIN' } });
    expect(asked).toEqual([3]);
  });

  it('says what the leader said', async () => {
    answers = [async () => encodeAnswer({ refused: new SubmitError('OVERLOADED', 'later') })];
    expect(await settled(make().submit(COMMANDS))).toMatchObject({ reason: { code: 'OVERLOADED' } });
  });

  it('gives up where nobody leads, after a bounded time', async () => {
    leader = undefined;
    expect(await settled(make().submit(COMMANDS))).toMatchObject({ reason: { code: 'NOT_LEADER' } });
    expect(timers.nowMs).toBeLessThan(6_000);
  });

  it('leaves the caller uncertain where this node does not get to apply it', async () => {
    applied = 0;
    answers = [async () => encodeAnswer({ committed })];
    expect(await settled(make().submit(COMMANDS))).toMatchObject({ reason: { code: 'UNCERTAIN' } });
  });

  it('bounds what is on its way', async () => {
    answers = [() => new Promise(() => undefined)];
    const forwarder = make(1);
    void forwarder.submit(COMMANDS);
    expect(await settled(forwarder.submit(COMMANDS))).toMatchObject({ reason: { code: 'OVERLOADED' } });
  });
});
