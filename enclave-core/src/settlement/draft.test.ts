import { vaultKey } from '@drawbridge/protocol/ids';
import { describe, expect, test } from '@jest/globals';
import type { Command } from './command.ts';
import { Draft } from './draft.ts';
import { GenesisError, initialState } from './genesis-state.ts';
import { InvariantError } from './invariant-error.ts';
import {
  BANK_A,
  BANK_B,
  BETA,
  EUR,
  GENESIS,
  SECRETS,
  START_MS,
  signedAmendment,
  World,
  word,
} from './testing/world.ts';

const entry = (world: World, ...commands: Parameters<World['apply']>) => ({
  version: 1 as const,
  stampMs: world.nowMs,
  clockProtected: false,
  commands,
});

describe('a draft', () => {
  test('shows nothing before it is committed, all of it after', () => {
    const world = new World();
    world.deposit(BANK_A, 100n);
    const draft = new Draft(world.state);
    const payment = { type: 'submitTransfer' as const, terms: world.terms() };
    draft.apply(entry(world, payment));
    draft.apply(entry(world, { type: 'submitTransfer', terms: world.terms({ debtor: BANK_B, creditor: BANK_A }) }));
    expect(world.state.account(BANK_A, EUR)?.lines).toBe(1);
    draft.commit();
    expect(world.state.account(BANK_A, EUR)).toMatchObject({ postedMinor: 100n, lines: 3 });
  });

  test('is used once, and only on the state that it was made of', () => {
    const world = new World();
    const draft = new Draft(world.state);
    const rival = new Draft(world.state);
    draft.commit();
    expect(() => draft.apply(entry(world))).toThrow(InvariantError);
    expect(() => draft.commit()).toThrow(InvariantError);
    expect(() => rival.apply(entry(world))).toThrow(InvariantError);
    expect(() => rival.commit()).toThrow(InvariantError);
  });

  test('that met a contradiction cannot be committed', () => {
    const world = new World();
    const draft = new Draft(world.state);
    const foreign = { ...entry(world), version: 2 as 1 };
    expect(() => draft.apply(foreign)).toThrow(InvariantError);
    expect(() => draft.commit()).toThrow(InvariantError);
  });

  test('spends an id once within itself', () => {
    const world = new World();
    world.deposit(BANK_A, 1000n);
    const draft = new Draft(world.state);
    const payment = { type: 'submitTransfer' as const, terms: world.terms() };
    const { outcomes } = draft.apply(entry(world, payment, payment));
    expect(outcomes).toMatchObject([{ ok: true }, { ok: false, code: 'TRANSFER_ID_SPENT' }]);
  });
});

test('transfers that stopped waiting earlier in a draft are not counted as waiting', () => {
  const cap = (number: number, amountMinor: bigint): Command =>
    signedAmendment(number, [{ name: 'set_exposure_cap', args: { network: BETA, asset: EUR, amountMinor } }]);
  const world = new World();
  world.deposit(BANK_A, 1_000n);
  world.run(cap(1, 150n));
  const [first, second] = [world.toBeta({ amountMinor: 100n }), world.toBeta({ amountMinor: 100n })];
  world.submit(first);
  world.submit(second);
  expect(world.state.liveTransfer(BANK_A, second.id)?.state).toBe('FUNDED');
  const draft = new Draft(world.state);
  draft.apply(entry(world, { type: 'cancelTransfer', bank: BANK_A, id: second.id }));
  const { outcomes } = draft.apply(entry(world, cap(2, 160n)));
  draft.commit();
  expect(outcomes).toEqual([{ ok: true }]);
  expect(world.state.vaults.get(vaultKey(BETA, EUR))).toMatchObject({ retriesLeft: 0, retryAfter: 0 });
});

describe('the state at genesis', () => {
  test('registers what the file says and holds nothing', () => {
    const state = initialState(GENESIS, SECRETS, START_MS);
    expect([...state.assets()]).toEqual(GENESIS.assets);
    expect([...state.participants()]).toEqual(GENESIS.participants);
    expect([...state.networks()]).toEqual(GENESIS.networks);
    expect([...state.vaultLedgers()].map(({ vault }) => vault)).toEqual(GENESIS.vaults);
    expect([...state.accountsOf(BANK_A)]).toEqual([]);
    expect([state.stampMs, state.nextAmendment(), state.nextDeadlineMs()]).toEqual([START_MS, 1, undefined]);
  });

  test.each([
    ['no key', {}],
    ['another key', { ...SECRETS.authorities, 'alpha/EUR': word('other') }],
    ['what is no key', { ...SECRETS.authorities, 'alpha/EUR': `0x${'ff'.repeat(32)}` as ReturnType<typeof word> }],
  ])('is refused where the service has %s for a vault', (_, authorities) => {
    expect(() => initialState(GENESIS, { ...SECRETS, authorities }, START_MS)).toThrow(GenesisError);
  });
});
