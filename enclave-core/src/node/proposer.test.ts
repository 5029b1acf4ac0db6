import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AssetCode, ParticipantId } from '@drawbridge/protocol/ids';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ReplicaError } from '../consensus/replica-error.ts';
import { decodeEntry, encodeEntry } from '../settlement/codec.ts';
import type { Command } from '../settlement/command.ts';
import { ALPHA, BANK_A, BANK_B, EUR, OPERATOR, signedAmendment, word } from '../settlement/testing/world.ts';
import { settlementKind } from './entry-envelope.ts';
import { Proposer, type ProposerOptions } from './proposer.ts';
import type { AppliedEntry } from './replicated-machine.ts';
import { pay, payment } from './testing/payments.ts';

const commands = (count: number): Command[] => Array.from({ length: count }, (_, i) => pay(`p${i}`, 1n));
const by = (debtor: ParticipantId, id: string): Command => ({
  type: 'submitTransfer',
  terms: { ...payment(id, 1n), debtor, creditor: BANK_A },
});
const stampOf = (data: Uint8Array): number => decodeEntry(data).stampMs;

describe('proposer', () => {
  type Proposed = {
    data: Uint8Array;
    resolve: (at: { index: number; term: number }) => void;
    reject: (error: unknown) => void;
  };
  let proposed: Proposed[];
  let nowMs: number;
  let appliedMs: number;
  let failures: unknown[];
  beforeEach(() => {
    proposed = [];
    nowMs = 1_000;
    appliedMs = 0;
    failures = [];
  });
  const make = (options: ProposerOptions = {}): Proposer =>
    new Proposer(options, {
      seal: (entry) => {
        settlementKind(entry);
        return encodeEntry(entry);
      },
      propose: (data) => new Promise((resolve, reject) => proposed.push({ data, resolve, reject })),
      appliedStampMs: () => appliedMs,
      clock: () => ({ stampMs: nowMs, clockProtected: false }),
      version: () => 1,
      drained: async () => undefined,
      onFailure: (error) => failures.push(error),
    });
  /** As if Raft had committed what was proposed as the `n`-th. */
  const applied = (n: number): AppliedEntry => {
    const data = proposed[n]?.data ?? new Uint8Array();
    const outcomes = decodeEntry(data).commands.map((command) =>
      command.type === 'submitTransfer' ? { ok: true as const, transfer: command.terms.id } : { ok: true as const },
    );
    return {
      index: 10 + n,
      term: 2,
      kind: 'settlement',
      bytes: data.length,
      applied: { outcomes, records: { transfers: [], lines: [], events: [], alarms: [] } },
    };
  };
  /** Raft commits, the machine applies, and then the proposal is answered. */
  const commit = (proposer: Proposer, n: number): void => {
    const entry = applied(n);
    proposer.settle([entry]);
    proposed[n]?.resolve(entry);
  };
  const until = async (condition: () => boolean): Promise<void> => {
    for (let turns = 0; !condition(); turns++) {
      if (turns === 1_000) throw new Error('never came true');
      await nextTurn();
    }
  };
  const sizeOf = (n: number): number => decodeEntry(proposed[n]?.data ?? new Uint8Array()).commands.length;

  it('lets what an entry did answer one proposal, and keeps it no longer though others are on their way', async () => {
    const proposer = make({ maxEntriesInFlight: 3, maxCommandsPerEntry: 1 });
    void proposer.submit(commands(3));
    await until(() => proposed.length === 3);
    commit(proposer, 0);
    await nextTurn();
    expect(failures).toEqual([]);
    proposed[1]?.resolve({ index: 10, term: 2 });
    await until(() => failures.length > 0);
    expect(failures).toEqual([expect.objectContaining({ message: expect.stringContaining('left no outcomes') })]);
  });

  it('makes one entry of what comes in one turn, and of what comes while one is on its way', async () => {
    const proposer = make();
    const first = [proposer.submit(commands(2)), proposer.submit(commands(3))];
    await until(() => proposed.length === 1);
    const second = [proposer.submit(commands(1)), proposer.submit(commands(4))];
    await nextTurn();
    expect(proposed).toHaveLength(1);
    expect(sizeOf(0)).toBe(5);
    commit(proposer, 0);
    await until(() => proposed.length === 2);
    expect(sizeOf(1)).toBe(5);
    commit(proposer, 1);
    const answers = await Promise.all([...first, ...second]);
    expect(answers.map((committed) => committed.length)).toEqual([2, 3, 1, 4]);
    expect(answers[3]?.[0]).toEqual({ outcome: { ok: true, transfer: expect.any(String) }, transactionId: '2.11' });
  });

  it('bounds an entry and what waits', async () => {
    const proposer = make({ maxCommandsPerEntry: 4, maxQueuedCommands: 10 });
    const answers = [3, 3, 3].map((count) => proposer.submit(commands(count)));
    await expect(proposer.submit(commands(3))).rejects.toMatchObject({ code: 'OVERLOADED' });
    for (let n = 0; n < 3; n++) {
      await until(() => proposed.length === n + 1);
      expect(sizeOf(n)).toBe(3);
      commit(proposer, n);
    }
    await Promise.all(answers);
    await expect(proposer.submit(commands(10_001))).rejects.toThrow(RangeError);
  });

  it('makes several entries of a submission that has more than one takes, and answers all of it in order', async () => {
    const proposer = make({ maxCommandsPerEntry: 2, maxEntriesInFlight: 3 });
    const answer = proposer.submit(commands(5));
    await until(() => proposed.length === 3);
    expect([sizeOf(0), sizeOf(1), sizeOf(2)]).toEqual([2, 2, 1]);
    for (const n of [0, 1, 2]) commit(proposer, n);
    const committed = await answer;
    expect(committed.map(({ outcome }) => outcome)).toEqual(
      [0, 1, 2, 3, 4].map((n) => ({ ok: true, transfer: payment(`p${n}`, 1n).id })),
    );
    expect(committed.map(({ transactionId }) => transactionId)).toEqual(['2.10', '2.10', '2.11', '2.11', '2.12']);
  });

  it.each([
    ['PROPOSAL_DROPPED', 'PROPOSAL_DROPPED', 'NOT_LEADER'],
    ['PROPOSAL_DROPPED', 'UNCERTAIN', 'UNCERTAIN'],
    ['none', 'PROPOSAL_DROPPED', 'UNCERTAIN'],
  ] as const)('such a submission of which one part meets %s and the other %s is %s', async (first, second, code) => {
    const proposer = make({ maxCommandsPerEntry: 2, maxEntriesInFlight: 3 });
    const answer = proposer.submit(commands(4));
    await until(() => proposed.length === 2);
    if (first === 'none') commit(proposer, 0);
    else proposed[0]?.reject(new ReplicaError(first, 'dropped'));
    proposed[1]?.reject(new ReplicaError(second, 'lost'));
    await expect(answer).rejects.toMatchObject({ code });
  });

  it('takes all of such a submission or none', async () => {
    const proposer = make({ maxCommandsPerEntry: 2, maxQueuedCommandsPerBank: 9 });
    const first = proposer.submit(commands(5));
    await until(() => proposed.length === 1);
    await expect(proposer.submit(commands(8))).rejects.toMatchObject({ code: 'OVERLOADED' });
    for (let n = 0; n < 3; n += 1) {
      await until(() => proposed.length === n + 1);
      commit(proposer, n);
    }
    expect(await first).toHaveLength(5);
    await nextTurn();
    expect(proposed).toHaveLength(3);
  });

  it('takes banks in turns, however much waits of one, each command answered as it was', async () => {
    const proposer = make({ maxCommandsPerEntry: 8, maxQueuedCommandsPerBank: 100 });
    const greedy = Array.from({ length: 100 }, () => proposer.submit(commands(1)));
    await expect(proposer.submit(commands(1))).rejects.toMatchObject({ code: 'OVERLOADED' });
    const other = [by(BANK_B, 'first'), by(BANK_B, 'second')].map((command) => proposer.submit([command]));
    const operator = proposer.submit([
      { type: 'refundLock', by: OPERATOR, network: ALPHA, asset: EUR, lockId: word('x') },
    ]);
    await until(() => proposed.length === 1);
    const debtors = decodeEntry(proposed[0]?.data ?? new Uint8Array()).commands.map((command) =>
      command.type === 'submitTransfer' ? command.terms.debtor : command.type,
    );
    expect(debtors).toEqual([BANK_A, BANK_B, 'refundLock', BANK_A, BANK_B, BANK_A, BANK_A, BANK_A]);
    commit(proposer, 0);
    const ids = (await Promise.all(other)).map(([committed]) => committed?.outcome);
    expect(ids).toEqual([
      { ok: true, transfer: payment('first', 1n).id },
      { ok: true, transfer: payment('second', 1n).id },
    ]);
    expect((await operator)[0]?.outcome).toEqual({ ok: true });
    expect(await greedy[0]).toHaveLength(1);
    proposer.abort();
    await Promise.allSettled(greedy);
  });

  it('refuses no bank because others have filled the queue', async () => {
    const proposer = make({ maxQueuedCommands: 10 });
    const greedy = proposer.submit(commands(10));
    const small = proposer.submit([by(BANK_B, 'small')]);
    await until(() => proposed.length === 1);
    commit(proposer, 0);
    expect([(await greedy).length, (await small).length]).toEqual([10, 1]);
  });

  it('keeps room for evidence, the clock and amendments where banks have filled the queue', async () => {
    const proposer = make({ maxQueuedCommands: 10 });
    const payments = proposer.submit(commands(10));
    await expect(proposer.submit(commands(1))).rejects.toMatchObject({ code: 'OVERLOADED' });
    const clock = proposer.submit([{ type: 'clock' }]);
    await expect(proposer.submit([{ type: 'clock' }, ...commands(1)])).rejects.toMatchObject({ code: 'OVERLOADED' });
    await until(() => proposed.length === 1);
    commit(proposer, 0);
    expect([(await payments).length, (await clock).length]).toEqual([10, 1]);
    const many = proposer.submit(commands(10));
    const flood = Array.from({ length: 5_000 }, () => proposer.submit([{ type: 'clock' }]).catch(({ code }) => code));
    proposer.abort();
    expect((await Promise.all(flood)).filter((code) => code === 'OVERLOADED')).toHaveLength(5_000 - 4_096);
    await expect(many).rejects.toMatchObject({ code: 'STOPPING' });
  });

  it('stamps with the clock, never before an entry that was applied or proposed', async () => {
    const proposer = make({ maxEntriesInFlight: 3 });
    const stamps: number[] = [];
    for (const [now, before] of [
      [1_000, 0],
      [900, 0],
      [950, 1_500],
    ] as const) {
      nowMs = now;
      appliedMs = before;
      proposer.submit(commands(1)).catch(() => undefined);
      await until(() => proposed.length === stamps.length + 1);
      stamps.push(stampOf(proposed.at(-1)?.data ?? new Uint8Array()));
    }
    expect(stamps).toEqual([1_000, 1_000, 1_500]);
  });

  it.each([
    ['NOT_LEADER', 'NOT_LEADER'],
    ['PROPOSAL_DROPPED', 'NOT_LEADER'],
    ['OVERLOADED', 'OVERLOADED'],
    ['STOPPED', 'STOPPING'],
    ['UNCERTAIN', 'UNCERTAIN'],
  ] as const)('says %s of the replica as %s, and goes on', async (code, expected) => {
    const proposer = make();
    const answer = proposer.submit(commands(1));
    const next = proposer.submit(commands(1));
    await until(() => proposed.length === 1);
    const after = proposer.submit(commands(1));
    proposed[0]?.reject(new ReplicaError(code, 'why'));
    await expect(answer).rejects.toMatchObject({ code: expected });
    await expect(next).rejects.toMatchObject({ code: expected });
    await until(() => proposed.length === 2);
    commit(proposer, 1);
    expect(await after).toHaveLength(1);
    expect(failures).toEqual([]);
  });

  it('refuses alone what cannot be written down, and goes on with the rest', async () => {
    const proposer = make();
    const before1970: Command = { type: 'submitTransfer', terms: { ...payment('old', 1n), fundByMs: -1 } };
    const good = [proposer.submit(commands(2)), proposer.submit(commands(1))];
    const bad = proposer.submit([pay('beside it', 1n), before1970]);
    await expect(bad).rejects.toMatchObject({ code: 'ENTRY_INVALID' });
    await until(() => proposed.length === 1);
    expect(sizeOf(0)).toBe(3);
    commit(proposer, 0);
    expect((await Promise.all(good)).map((committed) => committed.length)).toEqual([2, 1]);
    await expect(proposer.submit([before1970])).rejects.toMatchObject({ code: 'ENTRY_INVALID' });
    expect(proposer.idle).toBe(true);
    expect(failures).toEqual([]);
  });

  it('says that a bug in proposing is one, and leaves the caller uncertain', async () => {
    const proposer = make();
    const answer = proposer.submit(commands(1));
    await until(() => proposed.length === 1);
    proposed[0]?.reject(new TypeError('bug'));
    await expect(answer).rejects.toMatchObject({ code: 'UNCERTAIN' });
    expect(failures).toHaveLength(1);
  });

  it('at its end leaves what was proposed uncertain and refuses what was not', async () => {
    const proposer = make();
    const flying = proposer.submit(commands(1));
    await until(() => proposed.length === 1);
    const waiting = proposer.submit(commands(1));
    proposer.abort();
    await expect(flying).rejects.toMatchObject({ code: 'UNCERTAIN' });
    await expect(waiting).rejects.toMatchObject({ code: 'STOPPING' });
    await expect(proposer.submit(commands(1))).rejects.toMatchObject({ code: 'STOPPING' });
    expect(proposer.idle).toBe(true);
  });

  it('takes the outcomes of its own entry only, by index', async () => {
    const proposer = make();
    const answer = proposer.submit(commands(1));
    await until(() => proposed.length === 1);
    const refused = { ok: false as const, code: 'NOT_ALLOWED' as const, detail: 'of another' };
    const other = applied(0);
    proposer.settle([
      { ...other, index: 9, applied: { outcomes: [refused], records: other.applied?.records ?? never() } },
    ]);
    expect(proposer.idle).toBe(false);
    commit(proposer, 0);
    expect((await answer)[0]?.outcome.ok).toBe(true);
  });

  it('behind an amendment nothing is proposed until it landed', async () => {
    const proposer = make({ maxEntriesInFlight: 4 });
    const before = proposer.submit(commands(1));
    await until(() => proposed.length === 1);
    const amendment = signedAmendment(1, [{ name: 'add_asset', args: { code: 'GBP' as AssetCode, scale: 2 } }], 2);
    const amended = proposer.submit([amendment]);
    await until(() => proposed.length === 2);
    const after = proposer.submit(commands(1));
    commit(proposer, 0);
    await before;
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    expect(proposed).toHaveLength(2);
    commit(proposer, 1);
    await until(() => proposed.length === 3);
    commit(proposer, 2);
    await Promise.all([amended, after]);
  });

  it('gives each amendment an entry of its own, before what waits', async () => {
    const proposer = make();
    const payments = proposer.submit(commands(2));
    const amendment = signedAmendment(1, [{ name: 'add_asset', args: { code: 'GBP' as AssetCode, scale: 2 } }], 2);
    const amendments = [proposer.submit([amendment]), proposer.submit([amendment])];
    await expect(proposer.submit([amendment, ...commands(1)])).rejects.toThrow(RangeError);
    for (const [n, size] of [1, 1, 2].entries()) {
      await until(() => proposed.length === n + 1);
      expect(sizeOf(n)).toBe(size);
      commit(proposer, n);
    }
    await Promise.all([payments, ...amendments]);
  });
});

function never(): never {
  throw new Error('there is none');
}
