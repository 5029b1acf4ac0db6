import type { LockId, ParticipantId } from '@drawbridge/protocol/ids';
import { describe, expect, test } from '@jest/globals';
import type { Outcome } from '../command.ts';
import { decodeSnapshot, encodeSnapshot } from '../snapshot.ts';
import {
  ALPHA,
  AUDITOR,
  addressOf,
  BANK_A,
  BANK_B,
  BETA,
  EUR,
  type EventBody,
  ONE_HOUR_MS,
  OPERATOR,
  signedAmendment,
  World,
  word,
} from '../testing/world.ts';

const LOCK = word('the lock');

/** A lock that came after fundBy, or one that fits nothing. */
function unmatched(why: 'late' | 'reference' | 'amount'): World {
  const world = new World();
  const terms = world.fromAlpha();
  world.submit(terms);
  const change = { late: {}, reference: { reference: word('unknown') }, amount: { amountMinor: 99n } }[why];
  const lock = world.lock(terms, { lockId: LOCK, ...change });
  if (why === 'late') world.later(ONE_HOUR_MS + 1);
  world.run(world.event(ALPHA, lock));
  expect(world.state.unmatchedLock(ALPHA, EUR, LOCK)?.why).toBe(why);
  return world;
}
const ask = (
  world: World,
  type: 'refundLock' | 'cancelLockRefund' | 'claimLock',
  by: ParticipantId,
  lockId: LockId = LOCK,
): Outcome => world.run({ type, by, network: ALPHA, asset: EUR, lockId });
const rotated: EventBody = { type: 'rotated', id: word('r'), authority: addressOf('x'), epoch: 2, byGuardian: true };

describe('a refund of an unmatched lock', () => {
  test('goes to its depositor: suspense, transit, vault', () => {
    const world = unmatched('amount');
    expect(ask(world, 'refundLock', BANK_A)).toEqual({ ok: true });
    const refund = world.open(ALPHA, 'refund');
    expect(refund).toMatchObject({ subject: LOCK, amountMinor: 99n, beneficiary: addressOf('treasury of A') });
    expect(refund.transfer).toBeUndefined();
    expect(world.state.vaultLedger(ALPHA, EUR)).toMatchObject({ suspenseMinor: 0n, transitMinor: 99n });
    expect(world.state.unmatchedLock(ALPHA, EUR, LOCK)?.state).toBe('REFUNDING');
    world.run(world.event(ALPHA, world.executed(refund)));
    expect(world.state.vaultLedger(ALPHA, EUR)).toMatchObject({ vaultMinor: 0n, transitMinor: 0n });
    expect(world.state.unmatchedLock(ALPHA, EUR, LOCK)).toBeUndefined();
    const states = world.records.flatMap(({ events }) => events.map(({ body }) => body.type === 'lock' && body.state));
    expect(states.filter(Boolean)).toEqual(['UNMATCHED', 'REFUNDING', 'REFUNDED']);
  });

  test('may be asked by an operator, who hears nothing of the bank', () => {
    const world = unmatched('reference');
    expect(ask(world, 'refundLock', OPERATOR)).toEqual({ ok: true });
  });

  test.each<readonly [string, ParticipantId, string]>([
    ['a bank that it does not name', BANK_B, 'LOCK_NOT_FOUND'],
    ['an auditor', AUDITOR, 'NOT_ALLOWED'],
    ['nobody known', 'NOBODY' as ParticipantId, 'PARTICIPANT_UNKNOWN'],
  ])('is refused to %s', (_, by, code) => {
    expect(ask(unmatched('amount'), 'refundLock', by)).toMatchObject({ ok: false, code });
  });

  test('answers the same for another bank’s lock and for none', () => {
    const world = unmatched('amount');
    expect(ask(world, 'refundLock', BANK_B)).toEqual(ask(world, 'refundLock', BANK_B, word('none')));
  });

  test('is refused a second time, and on a lane or network that stands still', () => {
    const world = unmatched('amount');
    ask(world, 'refundLock', BANK_A);
    expect(ask(world, 'refundLock', BANK_A)).toMatchObject({ code: 'LOCK_NOT_REFUNDABLE' });
    const halted = unmatched('amount');
    halted.run(halted.event(ALPHA, rotated));
    expect(ask(halted, 'refundLock', BANK_A)).toMatchObject({ code: 'LANE_HALTED' });
    const retired = unmatched('amount');
    retired.run(signedAmendment(1, [{ name: 'set_network_state', args: { id: ALPHA, state: 'retired' } }]));
    expect(ask(retired, 'refundLock', BANK_A)).toMatchObject({ code: 'LANE_CLOSED' });
  });

  test('goes on in a pause', () => {
    const world = unmatched('amount');
    world.run(signedAmendment(1, [{ name: 'set_network_state', args: { id: ALPHA, state: 'paused' } }]));
    expect(ask(world, 'refundLock', BANK_A)).toEqual({ ok: true });
  });
});

describe('a cancelled refund of an unmatched lock', () => {
  const voided = (world: World, by: ParticipantId = BANK_A): Outcome => {
    ask(world, 'refundLock', by);
    expect(ask(world, 'cancelLockRefund', by)).toEqual({ ok: true });
    return world.run(world.event(ALPHA, world.voided(world.open(ALPHA, 'void'))));
  };
  const lockStates = (world: World): unknown[] =>
    world.records.flatMap(({ events }) => events.flatMap(({ body }) => (body.type === 'lock' ? body.state : [])));

  test('is void once that is proven: the lock is back in suspense and can be refunded under another id', () => {
    const world = unmatched('amount');
    ask(world, 'refundLock', BANK_A);
    const refund = world.open(ALPHA, 'refund');
    expect(ask(world, 'cancelLockRefund', BANK_A)).toEqual({ ok: true });
    expect(world.state.unmatchedLock(ALPHA, EUR, LOCK)?.state).toBe('VOIDING');
    const stop = world.open(ALPHA, 'void');
    expect(stop).toMatchObject({ subject: refund.id, amountMinor: 0n });
    expect(stop.transfer).toBeUndefined();
    expect(world.state.vaultLedger(ALPHA, EUR)).toMatchObject({ suspenseMinor: 0n, transitMinor: 99n });
    expect(world.run(world.event(ALPHA, world.voided(stop)))).toEqual({ ok: true });
    expect(world.state.vaultLedger(ALPHA, EUR)).toMatchObject({ suspenseMinor: 99n, transitMinor: 0n });
    expect(world.state.unmatchedLock(ALPHA, EUR, LOCK)).toMatchObject({ state: 'UNMATCHED', refundsVoided: 1 });
    expect([...world.state.openInstructions(ALPHA, 0)]).toEqual([]);
    expect(ask(world, 'refundLock', BANK_A)).toEqual({ ok: true });
    const second = world.open(ALPHA, 'refund');
    expect(second.id).not.toBe(refund.id);
    expect(second).toMatchObject({ subject: LOCK, amountMinor: 99n, beneficiary: refund.beneficiary });
    world.run(world.event(ALPHA, world.executed(second)));
    expect(world.state.vaultLedger(ALPHA, EUR)).toMatchObject({ vaultMinor: 0n, transitMinor: 0n, suspenseMinor: 0n });
    expect(lockStates(world)).toEqual(['UNMATCHED', 'REFUNDING', 'VOIDING', 'UNMATCHED', 'REFUNDING', 'REFUNDED']);
  });

  test('may be cancelled and asked for any number of times, each refund under an id of its own', () => {
    const world = unmatched('reference');
    const ids = [1, 2, 3].map(() => {
      voided(world, OPERATOR);
      ask(world, 'refundLock', OPERATOR);
      const { id } = world.open(ALPHA, 'refund');
      return id;
    });
    expect(new Set(ids).size).toBe(3);
  });

  test('can have been executed first', () => {
    const world = unmatched('amount');
    ask(world, 'refundLock', BANK_A);
    const refund = world.open(ALPHA, 'refund');
    ask(world, 'cancelLockRefund', BANK_A);
    const stop = world.open(ALPHA, 'void');
    expect(world.run(world.event(ALPHA, world.executed(refund)))).toEqual({ ok: true });
    expect(world.state.unmatchedLock(ALPHA, EUR, LOCK)).toBeUndefined();
    expect([...world.state.openInstructions(ALPHA, 0)]).toEqual([]);
    expect(world.run(world.event(ALPHA, world.voided(stop)))).toMatchObject({ ok: false, code: 'LANE_HALTED' });
  });

  test('that was void is not executed: the lane halts, also when another refund is open', () => {
    for (const again of [false, true]) {
      const world = unmatched('amount');
      ask(world, 'refundLock', BANK_A);
      const refund = world.open(ALPHA, 'refund');
      voided(world);
      if (again) ask(world, 'refundLock', BANK_A);
      const outcome = world.run(world.event(ALPHA, world.executed(refund)));
      expect(outcome).toMatchObject({ ok: false, code: 'LANE_HALTED' });
    }
  });

  test('is not void by a word that the core did not ask for', () => {
    const world = unmatched('amount');
    ask(world, 'refundLock', BANK_A);
    const { id: subject } = world.open(ALPHA, 'refund');
    const foreign: EventBody = { type: 'voided', id: word('v'), subject, epoch: 1, trail: '0x' };
    expect(world.run(world.event(ALPHA, foreign))).toMatchObject({ ok: false, code: 'LANE_HALTED' });
  });

  test('leaves a late lock to be claimed, and one that fits nothing unclaimable', () => {
    const late = unmatched('late');
    voided(late);
    expect(ask(late, 'claimLock', BANK_A)).toEqual({ ok: true });
    expect(late.available(BANK_A)).toBe(100n);
    const amount = unmatched('amount');
    voided(amount);
    expect(ask(amount, 'claimLock', BANK_A)).toMatchObject({ code: 'LOCK_NOT_CLAIMABLE' });
  });

  test('keeps the lock from being refunded or claimed until it is proven', () => {
    const world = unmatched('late');
    ask(world, 'refundLock', BANK_A);
    ask(world, 'cancelLockRefund', BANK_A);
    expect(ask(world, 'refundLock', BANK_A)).toMatchObject({ code: 'LOCK_NOT_REFUNDABLE' });
    expect(ask(world, 'claimLock', BANK_A)).toMatchObject({ code: 'LOCK_NOT_CLAIMABLE' });
    expect(ask(world, 'cancelLockRefund', BANK_A)).toMatchObject({ code: 'LOCK_NOT_CANCELLABLE' });
  });

  test('needs a refund that is open', () => {
    expect(ask(unmatched('amount'), 'cancelLockRefund', BANK_A)).toMatchObject({ code: 'LOCK_NOT_CANCELLABLE' });
  });

  test.each<readonly [string, ParticipantId, string]>([
    ['a bank that it does not name', BANK_B, 'LOCK_NOT_FOUND'],
    ['an auditor', AUDITOR, 'NOT_ALLOWED'],
    ['nobody known', 'NOBODY' as ParticipantId, 'PARTICIPANT_UNKNOWN'],
  ])('is refused to %s', (_, by, code) => {
    const world = unmatched('amount');
    ask(world, 'refundLock', BANK_A);
    expect(ask(world, 'cancelLockRefund', by)).toMatchObject({ ok: false, code });
  });

  test('can be asked for on a halted lane, as the void of a transfer can', () => {
    const world = unmatched('amount');
    ask(world, 'refundLock', BANK_A);
    world.run(world.event(ALPHA, rotated));
    expect(ask(world, 'cancelLockRefund', BANK_A)).toEqual({ ok: true });
  });

  test('survives a snapshot at every step', () => {
    const world = unmatched('amount');
    voided(world);
    ask(world, 'refundLock', BANK_A);
    ask(world, 'cancelLockRefund', BANK_A);
    const bytes = encodeSnapshot(world.state);
    const restored = decodeSnapshot(bytes);
    expect(restored.unmatchedLock(ALPHA, EUR, LOCK)).toEqual(world.state.unmatchedLock(ALPHA, EUR, LOCK));
    expect(restored.unmatchedLock(ALPHA, EUR, LOCK)).toMatchObject({ state: 'VOIDING', refundsVoided: 1 });
    expect(encodeSnapshot(restored)).toEqual(bytes);
  });
});

describe('a claim of a late lock', () => {
  test('credits the bank that its reference names', () => {
    const world = unmatched('late');
    const { records } = world.apply({ type: 'claimLock', by: BANK_A, network: ALPHA, asset: EUR, lockId: LOCK });
    expect(records.lines).toMatchObject([{ account: BANK_A, kind: 'claim', deltaMinor: 100n, network: ALPHA }]);
    expect(world.available(BANK_A)).toBe(100n);
    expect(world.state.unmatchedLock(ALPHA, EUR, LOCK)).toBeUndefined();
    expect(ask(world, 'claimLock', BANK_A)).toMatchObject({ code: 'LOCK_NOT_FOUND' });
  });

  test('frees value for what waits', () => {
    const world = unmatched('late');
    world.deposit(BANK_B, 50n);
    const destination = { network: ALPHA, beneficiary: addressOf('b') };
    world.submit(world.toBeta({ debtor: BANK_B, destination, amountMinor: 50n }));
    world.run(world.event(ALPHA, world.executed(world.open(ALPHA, 'release'))));
    ask(world, 'claimLock', BANK_A);
    const out = world.toBeta({ destination });
    world.submit(out);
    expect(world.stateOf(out)).toBe('RELAYING');
  });

  test.each(['reference', 'amount'] as const)('is refused for a lock whose %s does not fit', (why) => {
    const code = why === 'reference' ? 'LOCK_NOT_FOUND' : 'LOCK_NOT_CLAIMABLE';
    expect(ask(unmatched(why), 'claimLock', BANK_A)).toMatchObject({ ok: false, code });
  });

  test('is refused to others, operators included', () => {
    expect(ask(unmatched('late'), 'claimLock', BANK_B)).toMatchObject({ code: 'LOCK_NOT_FOUND' });
    expect(ask(unmatched('late'), 'claimLock', OPERATOR)).toMatchObject({ code: 'NOT_ALLOWED' });
  });

  test('is refused once its refund is under way, above the cap, and on a halted lane', () => {
    const refunding = unmatched('late');
    ask(refunding, 'refundLock', BANK_A);
    expect(ask(refunding, 'claimLock', BANK_A)).toMatchObject({ code: 'LOCK_NOT_CLAIMABLE' });
    const capped = unmatched('late');
    capped.run(
      signedAmendment(1, [{ name: 'set_exposure_cap', args: { network: ALPHA, asset: EUR, amountMinor: 99n } }]),
    );
    expect(ask(capped, 'claimLock', BANK_A)).toMatchObject({ code: 'LOCK_NOT_CLAIMABLE' });
    const halted = unmatched('late');
    halted.run(halted.event(ALPHA, rotated));
    expect(ask(halted, 'claimLock', BANK_A)).toMatchObject({ code: 'LANE_HALTED' });
    const retired = unmatched('late');
    retired.run(signedAmendment(1, [{ name: 'set_network_state', args: { id: ALPHA, state: 'retired' } }]));
    expect(ask(retired, 'claimLock', BANK_A)).toMatchObject({ code: 'LANE_CLOSED' });
  });
});

test('a burn of unknown reference can always be minted back: issuance leaves room for it', () => {
  const world = new World();
  world.run(signedAmendment(1, [{ name: 'set_exposure_cap', args: { network: BETA, asset: EUR, amountMinor: 100n } }]));
  world.fund(world.across());
  world.run(world.event(BETA, world.executed(world.open(BETA, 'issue'))));
  world.run(world.event(BETA, world.lock(world.terms(), { lockId: LOCK })));
  const waits = world.across();
  world.fund(waits);
  expect(world.stateOf(waits)).toBe('FUNDED');
  expect(world.run({ type: 'refundLock', by: OPERATOR, network: BETA, asset: EUR, lockId: LOCK })).toEqual({
    ok: true,
  });
  world.run(world.event(BETA, world.executed(world.open(BETA, 'refund'))));
  expect(world.state.vaultLedger(BETA, EUR)).toMatchObject({ vaultMinor: 100n, suspenseMinor: 0n });
  expect(world.stateOf(waits)).toBe('FUNDED');
});
