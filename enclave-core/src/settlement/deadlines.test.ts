import { describe, expect, test } from '@jest/globals';
import { Draft } from './draft.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts';
import { capBeta, expectAlikeWhereverCut, waiting } from './testing/waiting-transfers.ts';
import {
  ALPHA,
  addressOf,
  BANK_A,
  BANK_B,
  BETA,
  EUR,
  type EventBody,
  GAMMA,
  ONE_HOUR_MS,
  World,
  word,
} from './testing/world.ts';

const pause = (paused: boolean): EventBody => ({ type: 'pauseChanged', id: word('p'), paused, byGuardian: false });

describe('deadlines', () => {
  test('pass one millisecond after they are reached, by any entry, before its commands', () => {
    const world = new World();
    const terms = world.fromAlpha();
    world.submit(terms);
    expect(world.state.nextDeadlineMs()).toBe((terms.fundByMs ?? 0) + 1);
    world.later(ONE_HOUR_MS).run({ type: 'clock' });
    expect(world.stateOf(terms)).toBe('AWAITING_FUNDS');
    const outcome = world.later(1).run({ type: 'cancelTransfer', bank: BANK_A, id: terms.id });
    expect(outcome).toMatchObject({ code: 'TRANSFER_NOT_CANCELLABLE' });
    expect([world.stateOf(terms), world.reasonOf(terms)]).toEqual(['EXPIRED', 'NOFUNDS']);
    expect(world.state.nextDeadlineMs()).toBeUndefined();
  });

  test('are worked off in bounded parts, oldest first, and ask for the next entry at once', () => {
    const world = new World({ deadlinesPerEntry: 2 });
    const all = [3, 1, 2].map((minutes) => world.fromAlpha({ fundByMs: world.nowMs + minutes * 60_000 }));
    for (const terms of all) world.submit(terms);
    world.later(ONE_HOUR_MS).run({ type: 'clock' });
    expect(all.map((terms) => world.stateOf(terms))).toEqual(['AWAITING_FUNDS', 'EXPIRED', 'EXPIRED']);
    expect(world.state.nextDeadlineMs() ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(world.nowMs);
    world.run({ type: 'clock' });
    expect(all.map((terms) => world.stateOf(terms))).toEqual(['EXPIRED', 'EXPIRED', 'EXPIRED']);
  });

  test('of a delivery write its void; the money stays in transit until the network has spoken', () => {
    const world = new World();
    const terms = world.across();
    world.fund(terms);
    world.later(2 * ONE_HOUR_MS + 1).run({ type: 'clock' });
    expect([world.stateOf(terms), world.reasonOf(terms)]).toEqual(['VOIDING', 'AB05']);
    expect(world.available(BANK_A)).toBe(0n);
    world.run(world.event(BETA, world.voided(world.open(BETA, 'void'))));
    expect([world.stateOf(terms), world.reasonOf(terms)]).toEqual(['RETURNED', 'AB05']);
  });

  test.each([
    ['return', 'RETURNED'],
    ['refund', 'REFUNDING'],
  ] as const)('of what still waits for its lane: %s', (onVoid, state) => {
    const world = new World();
    const terms = world.across({ onVoid });
    world.submit(terms);
    world.run(world.event(BETA, pause(true)));
    world.run(world.event(ALPHA, world.lock(terms)));
    expect(world.state.account(BANK_A, EUR)?.pendingMinor).toBe(100n);
    world.later(2 * ONE_HOUR_MS + 1).run({ type: 'clock' });
    expect([world.stateOf(terms), world.reasonOf(terms)]).toEqual([state, 'AB03']);
    expect(world.state.account(BANK_A, EUR)?.pendingMinor).toBe(0n);
    expect(world.available(BANK_A)).toBe(onVoid === 'return' ? 100n : 0n);
  });

  test('a stamp that falls behind counts as the last one', () => {
    const world = new World();
    world.later(ONE_HOUR_MS).run({ type: 'clock' });
    world.later(-ONE_HOUR_MS).run({ type: 'clock' });
    expect(world.state.stampMs).toBe(world.nowMs + ONE_HOUR_MS);
  });
});

describe('transfers that wait for value', () => {
  test('go oldest first, and one that does not fit does not hold up smaller ones', () => {
    const { world, states } = waiting([60n, 50n, 40n, 30n]);
    expect(states()).toEqual(['FUNDED', 'FUNDED', 'FUNDED', 'FUNDED']);
    world.run(capBeta(2, 100n));
    world.run({ type: 'clock' });
    expect(states()).toEqual(['RELAYING', 'FUNDED', 'RELAYING', 'FUNDED']);
  });

  test('are tried again in bounded steps until each had its turn', () => {
    const { world, states } = waiting([200n, 200n, 200n, 10n], 2);
    world.run(capBeta(2, 100n));
    world.run({ type: 'clock' });
    expect(states().at(-1)).toBe('FUNDED');
    expect(world.state.nextDeadlineMs()).toBe(world.nowMs);
    world.run({ type: 'clock' });
    expect(states()).toEqual(['FUNDED', 'FUNDED', 'FUNDED', 'RELAYING']);
    world.run({ type: 'clock' });
    expect(world.state.nextDeadlineMs()).not.toBe(world.nowMs);
  });

  test('have their turn alike, wherever one draft ends and the next begins, at some places', () => {
    expectAlikeWhereverCut(16);
  });

  test('have their turn after a snapshot in the middle of a round, as they would have had', () => {
    const { world } = waiting([200n, 200n, 200n, 10n], 1);
    world.run(capBeta(2, 100n));
    world.run({ type: 'clock' });
    world.run({ type: 'clock' });
    const restored = decodeSnapshot(encodeSnapshot(world.state));
    for (const state of [world.state, restored]) {
      for (let i = 0; i < 2; i++) {
        const draft = new Draft(state);
        draft.apply({ version: 1, stampMs: world.nowMs, clockProtected: false, commands: [] });
        draft.commit();
      }
    }
    expect(encodeSnapshot(restored)).toEqual(encodeSnapshot(world.state));
    expect([...restored.openInstructions(BETA, 0)]).toHaveLength(1);
  });

  test('go when a void or a burn frees value', () => {
    const world = new World();
    world.run(capBeta(1, 100n));
    const first = world.across();
    const second = world.across();
    world.fund(first);
    world.fund(second);
    expect([world.stateOf(first), world.stateOf(second)]).toEqual(['RELAYING', 'FUNDED']);
    world.run({ type: 'cancelTransfer', bank: BANK_A, id: first.id });
    world.run(world.event(BETA, world.voided(world.open(BETA, 'void'))));
    expect(world.stateOf(second)).toBe('RELAYING');
    world.run(world.event(BETA, world.executed(world.open(BETA, 'issue'))));
    const third = world.across();
    world.fund(third);
    expect(world.stateOf(third)).toBe('FUNDED');
    world.fund(world.fromAlpha({ source: { network: BETA, depositor: addressOf('customer') } }));
    expect(world.stateOf(third)).toBe('RELAYING');
  });

  /** Money of gamma that wants out at alpha, where only what `locks` left is free. */
  function towardsAlpha(amountMinor: bigint, world = new World()) {
    const source = { network: GAMMA, depositor: addressOf('treasury of A') };
    const destination = { network: ALPHA, beneficiary: addressOf('customer of B') };
    const terms = world.across({ source, destination, amountMinor, onVoid: 'refund' });
    world.fund(terms);
    return { world, terms };
  }

  test('do not take what other releases are about to', () => {
    const world = new World();
    world.deposit(BANK_B, 100n);
    const first = towardsAlpha(60n, world).terms;
    const second = towardsAlpha(60n, world).terms;
    expect([world.stateOf(first), world.stateOf(second)]).toEqual(['RELAYING', 'FUNDED']);
    world.deposit(BANK_B, 20n);
    expect(world.stateOf(second)).toBe('RELAYING');
  });

  test('do not take what is in suspense, until it is claimed', () => {
    const world = new World();
    const late = world.fromAlpha({ debtor: BANK_B, creditor: BANK_B });
    world.submit(late);
    const lock = world.lock(late);
    world.run({ type: 'cancelTransfer', bank: BANK_B, id: late.id });
    world.run(world.event(ALPHA, lock));
    const { terms } = towardsAlpha(100n, world);
    expect(world.stateOf(terms)).toBe('FUNDED');
    world.run({ type: 'claimLock', by: BANK_B, network: ALPHA, asset: EUR, lockId: lock.lockId });
    expect(world.stateOf(terms)).toBe('RELAYING');
  });

  test('are returned, not refunded, where others took the value out of the source', () => {
    const { world, terms } = towardsAlpha(100n);
    world.deposit(BANK_B, 100n);
    expect(world.stateOf(terms)).toBe('RELAYING');
    const out = { network: GAMMA, beneficiary: addressOf('b') };
    const drain = world.toBeta({ debtor: BANK_B, destination: out });
    world.submit(drain);
    expect(world.stateOf(drain)).toBe('RELAYING');
    world.run({ type: 'cancelTransfer', bank: BANK_A, id: terms.id });
    world.run(world.event(ALPHA, world.voided(world.open(ALPHA, 'void'))));
    expect(world.stateOf(terms)).toBe('RETURNED');
    expect(world.available(BANK_A)).toBe(100n);
  });

  test('leave the queue when they are cancelled', () => {
    const { world, all, states } = waiting([50n, 50n]);
    const [first] = all;
    if (!first) throw new Error('two');
    world.run({ type: 'cancelTransfer', bank: BANK_A, id: first.id });
    expect(world.available(BANK_A)).toBe(50n);
    world.run(capBeta(2, 50n));
    world.run({ type: 'clock' });
    expect(states()).toEqual(['CANCELLED', 'RELAYING']);
  });
});
