/** Transactions of vaults that Corda's classes made and verified, read whole. */
import { cordaClassName } from '@drawbridge/protocol/corda-vault-classes';
import { addressWord } from '@drawbridge/protocol/instruction';
import { firstControl } from '@drawbridge/protocol/state-event';
import { accountWord } from '@drawbridge/protocol/state-ref';
import { describe, expect, test } from '@jest/globals';
import type { CordaVaultBook } from './corda-vault-frame.ts';
import { instructionOf, lockStateOf, permitStateOf } from './corda-vault-states.ts';
import { COMMANDED, madeBy } from './testing/corda-vault.ts';

import {
  any,
  BURN,
  CASH_JAR,
  COMPLETE,
  commanded,
  eventOf,
  judged,
  LOCK,
  out,
  PAUSE,
  PROPOSE,
  REFUND,
  REFUND_BURN,
  RELEASE,
  ROTATE,
  refsOf,
  TOKENS,
  VOID,
  VOID_ISSUE,
} from './testing/corda-vault-cases.ts';

describe('what happened', () => {
  test('a lock', () => {
    const record = lockStateOf(LOCK.facts.outputs[2]?.data ?? ({} as never));
    expect(eventOf(LOCK)).toEqual({
      type: 'locked',
      lockId: record.lockId,
      reference: record.reference,
      depositor: accountWord(record.depositor.key),
      amountMinor: 700n,
      consumed: refsOf(LOCK),
      record: out(LOCK, 2),
      coin: { ref: out(LOCK, 0), amountMinor: 700n },
    });
    expect(eventOf(judged('lock-whole'))).toMatchObject({ type: 'locked', amountMinor: 200n });
  });

  test('a release with change, and one without', () => {
    expect(eventOf(RELEASE)).toMatchObject({
      type: 'executed',
      kind: 'release',
      amountMinor: 300n,
      epoch: 1,
      consumed: refsOf(RELEASE),
      permit: { index: 0, ref: out(RELEASE, 0) },
      coin: { ref: out(RELEASE, 2), amountMinor: 400n },
    });
    const exact = eventOf(judged('release-exact'));
    expect(exact).toMatchObject({ type: 'executed', amountMinor: 900n });
    expect('coin' in exact).toBe(false);
  });

  test('a void makes its coins again', () => {
    const { id, subject } = instructionOf(VOID.facts.commands[0]?.data ?? ({} as never));
    expect(eventOf(VOID)).toMatchObject({
      type: 'voided',
      id,
      subject,
      consumed: refsOf(VOID),
      permit: { index: 0, ref: out(VOID, 0) },
      coins: [{ ref: out(VOID, 1) }, { ref: out(VOID, 3) }],
    });
    const event = eventOf(VOID);
    const amounts = event.type === 'voided' ? event.coins.map(({ amountMinor }) => amountMinor) : [];
    expect(amounts.toSorted()).toEqual([400n, 500n]);
  });

  test('a refund', () => {
    expect(eventOf(REFUND)).toMatchObject({
      type: 'executed',
      kind: 'refund',
      amountMinor: 200n,
      permit: { index: 1 },
    });
  });

  test('a vault that issues', () => {
    expect(eventOf(TOKENS)).toMatchObject({ type: 'executed', kind: 'issue', amountMinor: 500n, permit: { index: 0 } });
    expect(eventOf(BURN)).toMatchObject({ type: 'locked', amountMinor: 350n, record: out(BURN, 0) });
    expect(eventOf(VOID_ISSUE)).toMatchObject({ type: 'voided', coins: [], permit: { index: 1 } });
    expect(eventOf(REFUND_BURN)).toMatchObject({ type: 'executed', kind: 'refund', amountMinor: 350n });
  });

  test('changes of command, each on the state that the one before made', () => {
    expect(COMMANDED.state.control).toEqual(firstControl(COMMANDED.state.control.authority));
    const paused = eventOf(PAUSE);
    expect(paused).toMatchObject({ type: 'pauseChanged', paused: true, byGuardian: false });
    expect(paused).toMatchObject({ consumed: [COMMANDED.ref], tip: { ref: out(PAUSE, 0) } });
    const lifted = eventOf(commanded('unpause', madeBy('pause')));
    expect(lifted).toMatchObject({ type: 'pauseChanged', paused: false, byGuardian: false });
    const { authority } = madeBy('rotate').state.control;
    expect(eventOf(ROTATE)).toMatchObject({
      type: 'rotated',
      authority: addressWord(authority),
      epoch: 2,
      byGuardian: false,
    });
    const stopped = eventOf(commanded('guard-pause', madeBy('rotate')));
    expect(stopped).toMatchObject({ type: 'pauseChanged', paused: true, byGuardian: true });
    const resumed = eventOf(commanded('guard-unpause', madeBy('guard-pause')));
    expect(resumed).toMatchObject({ type: 'pauseChanged', paused: false, byGuardian: true });
    expect(eventOf(PROPOSE)).toMatchObject({ type: 'guardianProposed' });
    expect(eventOf(commanded('guard-cancel', madeBy('guard-propose')))).toMatchObject({ type: 'guardianCancelled' });
    expect(eventOf(COMPLETE)).toMatchObject({ type: 'rotated', epoch: 3, byGuardian: true });
  });

  test('an earlier state of the vault may be referred to, by an instruction of its epoch', () => {
    const { facts, root, book } = RELEASE;
    const control = { ...book.tip.control, epoch: 2, pausedByGuardian: true };
    const later: CordaVaultBook = {
      tip: { ref: out(LOCK, 0), control },
      wasTip: (ref) => ref === book.tip.ref,
      instruction: (id) => {
        const signed = book.instruction(id);
        return signed && { ...signed, epoch: 2 };
      },
    };
    expect(eventOf({ facts, root, book: later })).toMatchObject({ type: 'executed', epoch: 1 });
    expect(eventOf({ facts: LOCK.facts, root, book: later })).toMatchObject({ type: 'locked' });
  });
});

test('cash under the jar of cash is what the vault takes', () => {
  expect(LOCK.facts.outputs[0]?.constraint).toEqual(CASH_JAR);
  expect(permitStateOf(RELEASE.facts.outputs[0]?.data ?? any(0)).current).toBe(300n);
  expect(LOCK.facts.commands[0]?.data.type).toBe(cordaClassName('Lock'));
});
