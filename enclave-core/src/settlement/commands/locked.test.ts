import { describe, expect, test } from '@jest/globals';
import type { TransferTerms } from '../command.ts';
import { Draft } from '../draft.ts';
import { decodeSnapshot, encodeSnapshot } from '../snapshot.ts';
import {
  ALPHA,
  addressOf,
  BANK_A,
  BANK_B,
  BETA,
  BETA_EUR,
  EUR,
  ONE_HOUR_MS,
  OPERATOR,
  START_MS,
  signedAmendment,
  World,
  word,
} from '../testing/world.ts';

/** Brings a lock and gives its reason of being unmatched. */
function whyOf(
  world: World,
  terms: TransferTerms,
  change: Parameters<World['lock']>[1],
  network = ALPHA,
): string | undefined {
  const lock = world.lock(terms, change);
  expect(world.run(world.event(network, lock))).toEqual({ ok: true });
  return world.state.unmatchedLock(network, EUR, lock.lockId)?.why;
}

describe('a lock that fits', () => {
  test('is credited, instructed and taken out of the core in one entry', () => {
    const world = new World();
    const terms = world.across();
    world.submit(terms);
    const lock = world.lock(terms);
    const { records } = world.apply(world.event(ALPHA, lock));
    expect(records.transfers.map(({ state }) => state)).toEqual(['FUNDED', 'RELAYING']);
    expect(records.lines.map(({ kind, deltaMinor }) => [kind, deltaMinor])).toEqual([
      ['deposit', 100n],
      ['withdrawal', -100n],
    ]);
    expect(world.open(BETA, 'issue')).toMatchObject({
      kind: 'issue',
      network: BETA,
      asset: EUR,
      amountMinor: 100n,
      subject: `0x${'0'.repeat(64)}`,
      beneficiary: terms.destination?.beneficiary,
      notAfterSeconds: Math.floor((terms.deliverByMs ?? 0) / 1000),
      epoch: 1,
      outboxSeq: 1,
      transfer: { bank: BANK_A, id: terms.id },
    });
    expect(world.state.liveTransfer(BANK_A, terms.id)?.lockId).toBe(lock.lockId);
  });

  test('without destination pays the creditor', () => {
    const world = new World();
    const terms = world.fromAlpha();
    world.fund(terms);
    expect(world.stateOf(terms)).toBe('SETTLED');
    expect([world.available(BANK_A), world.available(BANK_B)]).toEqual([0n, 100n]);
  });

  test('at an escrow vault may leave by another escrow lane as a release', () => {
    const world = new World();
    const terms = world.fromAlpha({
      destination: { network: ALPHA, beneficiary: addressOf('b') },
      deliverByMs: world.nowMs + 2 * ONE_HOUR_MS,
    });
    world.fund(terms);
    expect(world.open(ALPHA, 'release').amountMinor).toBe(100n);
  });

  test('at fundBy itself is in time', () => {
    const world = new World();
    const terms = world.across();
    world.submit(terms);
    world.later(ONE_HOUR_MS);
    expect(whyOf(world, terms, {})).toBeUndefined();
    expect(world.stateOf(terms)).toBe('RELAYING');
  });
});

describe('a lock that fits nothing goes to suspense', () => {
  test.each([
    ['reference', { reference: word('unknown') }],
    ['depositor', { depositor: addressOf('somebody else') }],
    ['amount', { amountMinor: 99n }],
    ['amount', { amountMinor: 101n }],
  ] as const)('for its %s', (why, change) => {
    const world = new World();
    const terms = world.across();
    world.submit(terms);
    expect(whyOf(world, terms, change)).toBe(why);
    expect(world.stateOf(terms)).toBe('AWAITING_FUNDS');
    expect(world.available(BANK_A)).toBe(0n);
    const { amountMinor } = world.lock(terms, change);
    expect(world.state.vaultLedger(ALPHA, EUR)).toMatchObject({ vaultMinor: -amountMinor, suspenseMinor: amountMinor });
  });

  test('at another vault than the reference’s, though the bank may have it back', () => {
    const world = new World();
    world.deposit(BANK_A, 300n);
    world.submit(world.toBeta({ amountMinor: 200n }));
    world.run(world.event(BETA, world.executed(world.open(BETA, 'issue'))));
    const terms = world.fromAlpha();
    world.submit(terms);
    const lock = world.lock(terms);
    world.run(world.event(BETA, lock));
    expect(world.state.unmatchedLock(BETA, EUR, lock.lockId)).toMatchObject({
      why: 'reference',
      transfer: { bank: BANK_A },
    });
  });

  test('after fundBy', () => {
    const world = new World();
    const terms = world.across();
    world.submit(terms);
    const { reference } = world.lock(terms);
    world.later(ONE_HOUR_MS + 1);
    expect(whyOf(world, terms, { reference })).toBe('late');
    expect(world.stateOf(terms)).toBe('EXPIRED');
  });

  test('after fundBy, even where the deadline has not been worked off', () => {
    const world = new World({ deadlinesPerEntry: 1 });
    const first = world.across();
    const second = world.across();
    world.submit(first);
    world.submit(second);
    world.later(ONE_HOUR_MS + 1);
    expect(whyOf(world, second, {})).toBe('late');
    expect([world.stateOf(first), world.stateOf(second)]).toEqual(['EXPIRED', 'AWAITING_FUNDS']);
  });

  test('after a cancel', () => {
    const world = new World();
    const terms = world.across();
    world.submit(terms);
    const { reference } = world.lock(terms);
    world.run({ type: 'cancelTransfer', bank: BANK_A, id: terms.id });
    expect(whyOf(world, terms, { reference })).toBe('late');
  });

  test('when it is the second one, whatever became of the transfer', () => {
    const world = new World();
    const terms = world.across();
    world.submit(terms);
    const { reference } = world.lock(terms);
    world.run(world.event(ALPHA, world.lock(terms)));
    expect(whyOf(world, terms, { reference })).toBe('repeated');
    world.run(world.event(BETA, world.executed(world.open(BETA, 'issue'))));
    expect(whyOf(world, terms, { reference })).toBe('repeated');
  });

  test('above the exposure cap, counting what is credited and not what is in suspense', () => {
    const world = new World();
    world.run(
      signedAmendment(1, [{ name: 'set_exposure_cap', args: { network: ALPHA, asset: EUR, amountMinor: 100n } }]),
    );
    world.run(world.event(ALPHA, world.lock(world.fromAlpha(), { reference: word('stranger'), amountMinor: 5000n })));
    const fits = world.across();
    world.submit(fits);
    expect(whyOf(world, fits, {})).toBeUndefined();
    const above = world.across({ amountMinor: 1n });
    world.submit(above);
    expect(whyOf(world, above, {})).toBe('cap');
    expect(world.stateOf(above)).toBe('AWAITING_FUNDS');
    expect(world.records.at(-1)?.alarms).toEqual([]);
  });

  test('while the lane is halted', () => {
    const world = new World();
    const terms = world.across();
    world.submit(terms);
    const rotated = { type: 'rotated', id: word('r'), authority: addressOf('x'), epoch: 2, byGuardian: true } as const;
    expect(world.run(world.event(ALPHA, rotated))).toEqual({ ok: true });
    expect(whyOf(world, terms, {})).toBe('cap');
  });

  test('while the network is only paused it is credited: a pause stops no evidence', () => {
    const world = new World();
    const terms = world.fromAlpha();
    world.submit(terms);
    world.run(signedAmendment(1, [{ name: 'set_network_state', args: { id: ALPHA, state: 'paused' } }]));
    expect(whyOf(world, terms, {})).toBeUndefined();
    expect(world.available(BANK_B)).toBe(100n);
  });

  test('the bank that the reference names hears of it, nobody else', () => {
    const world = new World();
    const terms = world.across();
    world.submit(terms);
    const { records } = world.apply(world.event(ALPHA, world.lock(terms, { amountMinor: 7n })));
    expect(records.events.map(({ participant, body }) => [participant, body.type])).toEqual([[BANK_A, 'lock']]);
    const stranger = world.apply(world.event(ALPHA, world.lock(terms, { reference: word('unknown') })));
    expect(stranger.records.events).toEqual([]);
    expect(stranger.outcomes).toEqual([{ ok: true }]);
  });
});

describe('a lock that cannot be', () => {
  test('an id used before halts the lane and moves nothing', () => {
    const world = new World();
    const terms = world.across();
    world.submit(terms);
    world.run(world.event(ALPHA, world.lock(terms, { lockId: word('lock') })));
    const again = world.apply(world.event(ALPHA, world.lock(terms, { lockId: word('lock') })));
    expect(again.outcomes).toMatchObject([{ ok: false, code: 'LANE_HALTED' }]);
    expect(again.records.alarms).toEqual([
      { type: 'LANE_HALTED', network: ALPHA, asset: EUR, code: 'EVENT_CONTRADICTS_LEDGER' },
    ]);
    expect(world.state.vaultLedger(ALPHA, EUR)).toMatchObject({ halted: true, nextEventSeq: 2, vaultMinor: -100n });
  });

  test('nothing locked halts the lane', () => {
    const world = new World();
    const outcome = world.run(world.event(ALPHA, world.lock(world.across(), { amountMinor: 0n })));
    expect(outcome).toMatchObject({ ok: false, code: 'LANE_HALTED' });
  });

  test('a burn above what is outstanding halts the lane', () => {
    const world = new World();
    const burn = world.apply(world.event(BETA, world.lock(world.across(), { amountMinor: 1n })));
    expect(burn.outcomes).toMatchObject([{ ok: false, code: 'LANE_HALTED' }]);
    expect(burn.records.alarms).toMatchObject([{ code: 'BURN_ABOVE_OUTSTANDING' }]);
  });
});

test('a lock that fits nothing frees no value, so a stranger cannot have all that waits tried again', () => {
  const world = new World({ retriesPerStep: 1 });
  world.deposit(BANK_A, 1_000n);
  const cap = { network: BETA, asset: EUR, amountMinor: 150n };
  expect(world.run(signedAmendment(1, [{ name: 'set_exposure_cap', args: cap }]))).toEqual({ ok: true });
  for (let i = 0; i < 4; i++) world.submit(world.toBeta());
  world.run(world.event(BETA, world.executed(world.open(BETA, 'issue'))));
  expect(world.run(world.event(BETA, world.lock(world.terms(), { amountMinor: 1n })))).toEqual({ ok: true });
  expect(world.state.vaults.get(BETA_EUR)).toMatchObject({ suspenseMinor: 1n, retriesLeft: 0 });
  expect(world.state.nextDeadlineMs()).toBeGreaterThan(world.nowMs);
});

describe('more unmatched locks than are kept', () => {
  const many = (): World => {
    const world = new World({ unmatchedLocksPerVault: 2 });
    for (let i = 0; i < 4; i++) world.run(world.event(ALPHA, world.lock(world.terms(), { amountMinor: 10n })));
    return world;
  };

  test('are booked by amount, refuse no evidence, and raise one notice', () => {
    const world = many();
    expect(world.state.unmatched.size).toBe(2);
    expect(world.state.vaultLedger(ALPHA, EUR)).toMatchObject({ suspenseMinor: 40n, halted: false, unmatchedEver: 4 });
    expect(world.records.flatMap(({ alarms }) => alarms)).toMatchObject([
      { type: 'LANE_NOTICE', code: 'UNMATCHED_OVERFLOW' },
    ]);
    const terms = world.across();
    world.fund(terms);
    expect(world.stateOf(terms)).toBe('RELAYING');
  });

  const restore = (lockId: ReturnType<typeof word>, amountMinor = 10n, depositor = addressOf('nobody')) =>
    ({ name: 'restore_lock', args: { network: ALPHA, asset: EUR, lockId, depositor, amountMinor } }) as const;
  const refund = { type: 'refundLock', by: OPERATOR, network: ALPHA, asset: EUR, lockId: word('lock 3') } as const;

  test('come back by amendment and can then be refunded', () => {
    const world = many();
    expect(world.run(signedAmendment(1, [restore(word('lock 3'))]))).toEqual({ ok: true });
    expect(world.state.unmatchedLock(ALPHA, EUR, word('lock 3'))?.state).toBe('UNMATCHED');
    expect(world.run(refund)).toEqual({ ok: true });
    expect(world.state.vaultLedger(ALPHA, EUR)).toMatchObject({ suspenseMinor: 30n, transitMinor: 10n });
  });

  test.each([
    ['that never came', restore(word('lock 9'))],
    ['that is kept', restore(word('lock 1'))],
    ['of more than came', restore(word('lock 3'), 11n)],
    ['of less than came', restore(word('lock 3'), 9n)],
    ['of another depositor', restore(word('lock 3'), 10n, addressOf('signer'))],
  ])('a lock %s is not restored', (_, action) => {
    const outcome = many().run(signedAmendment(1, [action]));
    expect(outcome).toMatchObject({ ok: false, code: 'ACTION_INVALID' });
  });

  test('a lock that was credited is not restored', () => {
    const world = many();
    const terms = world.across({ amountMinor: 10n, onVoid: 'refund' });
    world.submit(terms);
    world.run(world.event(ALPHA, world.lock(terms, { lockId: word('credited') })));
    const action = restore(word('credited'), 10n, terms.source?.depositor);
    expect(world.run(signedAmendment(1, [action]))).toMatchObject({ ok: false, code: 'ACTION_INVALID' });
  });

  test('a lock is not restored twice, in one amendment or in two, nor after its refund', () => {
    const action = restore(word('lock 3'));
    expect(many().run(signedAmendment(1, [action, action]))).toMatchObject({ ok: false, code: 'ACTION_INVALID' });
    const world = many();
    world.run(signedAmendment(1, [action]));
    expect(world.run(signedAmendment(2, [action]))).toMatchObject({ ok: false, code: 'ACTION_INVALID' });
    world.run(refund);
    world.run(world.event(ALPHA, world.executed(world.open(ALPHA, 'refund'))));
    expect(world.state.unmatchedLock(ALPHA, EUR, word('lock 3'))).toBeUndefined();
    expect(world.run(signedAmendment(2, [action]))).toMatchObject({ ok: false, code: 'ACTION_INVALID' });
  });

  test('what came is remembered in a snapshot', () => {
    const restored = decodeSnapshot(encodeSnapshot(many().state));
    const apply = (action: ReturnType<typeof restore>) => {
      const entry = { version: 1, stampMs: START_MS, clockProtected: false } as const;
      return new Draft(restored).apply({ ...entry, commands: [signedAmendment(1, [action])] }).outcomes[0];
    };
    expect(apply(restore(word('lock 4'), 9n))).toMatchObject({ ok: false, code: 'ACTION_INVALID' });
    expect(apply(restore(word('lock 4')))).toEqual({ ok: true });
  });
});

test('only the latest ended references of a bank are known', () => {
  const world = new World({ pastReferencesPerBank: 2 });
  const references = [1, 2, 3].map(() => {
    const terms = world.fromAlpha();
    world.submit(terms);
    const { reference } = world.lock(terms);
    world.run({ type: 'cancelTransfer', bank: BANK_A, id: terms.id });
    return { terms, reference };
  });
  const whys = references.map(({ terms, reference }) => whyOf(world, terms, { reference }));
  expect(whys).toEqual(['reference', 'late', 'late']);
});
