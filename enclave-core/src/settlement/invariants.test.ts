/** What no input can reach is brought about by hand here, past the commands. */
import { describe, expect, test } from '@jest/globals';
import { InvariantError } from './invariant-error.ts';
import { assertAll, assertTouched } from './invariants.ts';
import { accountKey } from './keys.ts';
import { Overlay } from './overlay.ts';
import {
  availableMinor,
  bankAccount,
  post,
  reserve,
  suspenseAccount,
  transitAccount,
  vaultAccount,
} from './postings.ts';
import { transferMark } from './spent-ids.ts';
import {
  ALPHA,
  ALPHA_EUR,
  BANK_A,
  BANK_B,
  BETA,
  BETA_EUR,
  EUR,
  OPERATOR,
  transferId,
  World,
  word,
} from './testing/world.ts';

type Places = Parameters<typeof post>[1];

function overlay(): Overlay {
  const world = new World();
  world.deposit(BANK_A, 100n);
  return new Overlay(world.state);
}
const posting = (debit: Places['debit'], credit: Places['credit'], amountMinor: bigint): Places => ({
  asset: EUR,
  debit,
  credit,
  amountMinor,
  kind: 'payment',
});

describe('after a command', () => {
  test('a balanced posting between accounts that can bear it holds', () => {
    const draft = overlay();
    post(draft, posting(bankAccount(BANK_A), bankAccount(BANK_B), 100n));
    expect(() => assertTouched(draft)).not.toThrow();
    expect(availableMinor(draft, BANK_B, EUR)).toBe(100n);
  });

  test('value that comes from nowhere is caught', () => {
    const draft = overlay();
    reserve(draft, BANK_A, EUR, 0n);
    const account = draft.accounts.get(accountKey(BANK_A, EUR));
    if (!account) throw new Error('the bank has an account');
    draft.accounts.set(accountKey(BANK_A, EUR), { ...account, postedMinor: 101n });
    expect(() => assertTouched(draft)).toThrow('created or destroyed');
  });

  test.each<readonly [string, Places]>([
    ['a bank', posting(bankAccount(BANK_A), bankAccount(BANK_B), 101n)],
    ['a bank without account', posting(bankAccount(BANK_B), bankAccount(BANK_A), 1n)],
    ['a transit account', posting(transitAccount(ALPHA_EUR), bankAccount(BANK_A), 1n)],
    ['a suspense account', posting(suspenseAccount(ALPHA_EUR), bankAccount(BANK_A), 1n)],
    ['an issue vault account', posting(vaultAccount(BETA_EUR), bankAccount(BANK_A), 1n)],
  ])('%s below what it can bear is caught', (_, movement) => {
    const draft = overlay();
    post(draft, movement);
    expect(() => assertTouched(draft)).toThrow(InvariantError);
  });

  test('an escrow vault that owes more than it holds is caught', () => {
    const draft = overlay();
    post(draft, posting(bankAccount(BANK_A), transitAccount(ALPHA_EUR), 100n));
    assertTouched(draft);
    draft.changeVault(ALPHA_EUR, { vaultMinor: -99n });
    post(draft, posting(vaultAccount(ALPHA_EUR), suspenseAccount(ALPHA_EUR), 1n));
    expect(() => assertTouched(draft)).toThrow('owes more than it holds');
  });

  test('a reservation above the balance, or below zero, is caught', () => {
    for (const delta of [101n, -1n]) {
      const draft = overlay();
      reserve(draft, BANK_A, EUR, delta);
      expect(() => assertTouched(draft)).toThrow(InvariantError);
    }
  });

  test('nothing and less cannot be posted', () => {
    for (const amount of [0n, -1n]) {
      const movement = posting(bankAccount(BANK_A), bankAccount(BANK_B), amount);
      expect(() => post(overlay(), movement)).toThrow(InvariantError);
    }
  });

  test('an id cannot be spent twice, in one draft or over two', () => {
    const world = new World();
    const mark = transferMark(BANK_A, transferId(1));
    const draft = new Overlay(world.state);
    draft.spend(mark);
    expect(() => draft.spend(mark)).toThrow(InvariantError);
    draft.merge();
    const later = new Overlay(world.state);
    later.spend(mark);
    expect(() => later.merge()).toThrow(InvariantError);
  });
});

describe('the whole state', () => {
  const spoilt: readonly (readonly [string, (world: World) => void])[] = [
    [
      'a reservation without transfer',
      ({ state }) => {
        const key = accountKey(BANK_A, EUR);
        const account = state.accounts.get(key);
        if (account) state.accounts.set(key, { ...account, pendingMinor: 1n });
      },
    ],
    ['transit without instruction', ({ state }) => state.instructions.clear()],
    [
      'an unspent id',
      ({ state }) => {
        for (const [key, live] of state.transfers) {
          state.transfers.set(key, {
            ...live,
            transfer: { ...live.transfer, terms: { ...live.transfer.terms, id: transferId(99) } },
          });
        }
      },
    ],
    ['a reference that is lost', ({ state }) => state.references.clear()],
    ['a vault without row', ({ state }) => void state.vaults.delete(BETA_EUR)],
    ['a wrong count of live transfers', ({ state }) => state.parties.clear()],
  ];
  const LOCK = word('the lock');
  /** A lock that fits nothing, its refund, and a void against that. */
  const withLock = (stands: 'UNMATCHED' | 'REFUNDING' | 'VOIDING'): World => {
    const world = new World();
    world.run(world.event(ALPHA, world.lock(world.terms(), { lockId: LOCK })));
    const ask = { by: OPERATOR, network: ALPHA, asset: EUR, lockId: LOCK };
    if (stands !== 'UNMATCHED') world.run({ type: 'refundLock', ...ask });
    if (stands === 'VOIDING') world.run({ type: 'cancelLockRefund', ...ask });
    return world;
  };
  const REFUND = 'the refund of a lock does not fit its state';
  const VOID = 'the void of a refund does not fit its lock';
  test.each([
    ['UNMATCHED', { state: 'REFUNDING' }, REFUND],
    ['REFUNDING', { state: 'UNMATCHED' }, REFUND],
    ['REFUNDING', { refundsVoided: 1 }, REFUND],
    ['REFUNDING', { state: 'VOIDING' }, VOID],
    ['VOIDING', { state: 'REFUNDING' }, VOID],
  ] as const)('with a lock that is %s taken for %j is caught', (stands, change, words) => {
    const { state } = withLock(stands);
    for (const [key, lock] of state.unmatched) state.unmatched.set(key, { ...lock, ...change });
    expect(() => assertAll(state)).toThrow(words);
  });

  test('with a refund that belongs to no lock is caught', () => {
    const { state } = withLock('REFUNDING');
    state.unmatched.clear();
    const row = state.vaults.get(ALPHA_EUR);
    if (row) state.vaults.set(ALPHA_EUR, { ...row, unmatchedKept: 0 });
    expect(() => assertAll(state)).toThrow('belongs to neither transfer nor lock');
  });

  test.each(['issue', 'void'] as const)('with the %s of a transfer that says none is caught', (kind) => {
    const world = new World();
    const terms = world.across();
    world.fund(terms);
    world.run({ type: 'cancelTransfer', bank: BANK_A, id: terms.id });
    const { transfer, ...nobodys } = world.open(BETA, kind);
    expect(transfer).toBeDefined();
    world.state.putInstruction(nobodys.id, nobodys);
    expect(() => assertAll(world.state)).toThrow('belongs to neither transfer nor lock');
  });

  test.each(spoilt)('with %s is caught', (_, spoil) => {
    const world = new World();
    world.deposit(BANK_A, 100n);
    world.fund(world.across());
    expect(() => assertAll(world.state)).not.toThrow();
    spoil(world);
    expect(() => assertAll(world.state)).toThrow(InvariantError);
  });
});
