import type { AssetCode, NetworkId, ParticipantId } from '@drawbridge/protocol/ids';
import { describe, expect, test } from '@jest/globals';
import type { TransferTerms } from '../command.ts';
import {
  ALPHA,
  ALPHA_EUR,
  AUDITOR,
  addressOf,
  BANK_A,
  BANK_B,
  BANK_C,
  BETA,
  BETA_EUR,
  EUR,
  ONE_HOUR_MS,
  signedAmendment,
  USD,
  vaultAddress,
  World,
  word,
} from '../testing/world.ts';

type Change = Partial<TransferTerms> | ((world: World) => Partial<TransferTerms>);
const edges = {
  source: { network: ALPHA, depositor: addressOf('treasury of A') },
  destination: { network: BETA, beneficiary: addressOf('customer of B') },
};
const soon = (world: World): number => world.nowMs + ONE_HOUR_MS;

/** Each row: what is wrong, the change that makes it wrong, and the code. Base: `across`, a transfer with both edges. */
const REFUSED: readonly (readonly [string, Change, string])[] = [
  ['an unknown asset', { asset: 'XYZ' as AssetCode }, 'ASSET_UNKNOWN'],
  ['an unknown debtor', { debtor: 'NOBODY' as ParticipantId }, 'PARTICIPANT_UNKNOWN'],
  ['an unknown creditor', { creditor: 'NOBODY' as ParticipantId }, 'PARTICIPANT_UNKNOWN'],
  ['a creditor that is no bank', { creditor: AUDITOR }, 'PARTICIPANT_NOT_A_BANK'],
  ['a debtor that is no bank', { debtor: AUDITOR }, 'PARTICIPANT_NOT_A_BANK'],
  ['nothing', { amountMinor: 0n }, 'AMOUNT_NOT_POSITIVE'],
  ['less than nothing', { amountMinor: -1n }, 'AMOUNT_NOT_POSITIVE'],
  ['2^63', { amountMinor: 2n ** 63n }, 'AMOUNT_TOO_LARGE'],
  ['a depositor that is no address', { source: { ...edges.source, depositor: word('x') } }, 'TERMS_INVALID'],
  ['no beneficiary', { destination: { ...edges.destination, beneficiary: addressOfZero() } }, 'TERMS_INVALID'],
  ['the vault as beneficiary', { destination: toVault() }, 'TERMS_INVALID'],
  ['an empty remittance', { remittance: '' }, 'TERMS_INVALID'],
  ['a long remittance', { remittance: 'x'.repeat(141) }, 'TERMS_INVALID'],
  ['a remittance with half a character', { remittance: '\ud800' }, 'TERMS_INVALID'],
  ['a remittance that begins with a byte order mark', { remittance: '\ufeffrent' }, 'TERMS_INVALID'],
  ['an unknown network', { source: { ...edges.source, network: 'nowhere' as NetworkId } }, 'NETWORK_UNKNOWN'],
  ['an asset without vault', { asset: USD }, 'VAULT_UNKNOWN'],
  ['fundBy in the past', (w) => ({ fundByMs: w.nowMs }), 'DEADLINE_INVALID'],
  ['deliverBy before fundBy', (w) => ({ deliverByMs: soon(w) }), 'DEADLINE_INVALID'],
  ['deliverBy in more than a year', (w) => ({ deliverByMs: w.nowMs + 367 * 24 * ONE_HOUR_MS }), 'DEADLINE_INVALID'],
];
function addressOfZero(): ReturnType<typeof word> {
  return `0x${'0'.repeat(64)}` as ReturnType<typeof word>;
}
function toVault(): NonNullable<TransferTerms['destination']> {
  const beneficiary = `0x${'0'.repeat(24)}${vaultAddress(BETA_EUR).slice(2)}` as ReturnType<typeof word>;
  return { network: BETA, beneficiary };
}

const without = (terms: TransferTerms, ...names: (keyof TransferTerms)[]): TransferTerms =>
  Object.fromEntries(
    Object.entries(terms).filter(([name]) => !names.includes(name as keyof TransferTerms)),
  ) as TransferTerms;

describe('a transfer is refused', () => {
  test.each(REFUSED)('for %s', (_, change, code) => {
    const world = new World();
    const terms = world.across();
    const wrong = { ...terms, ...(typeof change === 'function' ? change(world) : change) };
    expect(world.submit(wrong)).toMatchObject({ ok: false, code });
    expect(world.submit(terms)).toEqual({ ok: true, transfer: terms.id });
  });

  test('for a deadline without its edge, or an edge without its deadline', () => {
    const world = new World();
    world.deposit(BANK_A, 1000n);
    for (const terms of [
      without(world.across(), 'fundByMs'),
      without(world.across(), 'deliverByMs'),
      world.fromAlpha({ deliverByMs: world.nowMs + 2 * ONE_HOUR_MS }),
      world.toBeta({ fundByMs: soon(world) }),
      world.terms({ fundByMs: soon(world) }),
    ]) {
      expect(world.submit(terms)).toMatchObject({ ok: false, code: 'DEADLINE_INVALID' });
    }
  });

  test('for paying itself inside the core', () => {
    const world = new World();
    expect(world.submit(world.terms({ creditor: BANK_A }))).toMatchObject({ code: 'TERMS_INVALID' });
  });

  test('for a refund without a source', () => {
    const world = new World();
    world.deposit(BANK_A, 100n);
    expect(world.submit(world.toBeta({ onVoid: 'refund' }))).toMatchObject({ code: 'TERMS_INVALID' });
  });

  test.each([
    ['without cap', { name: 'set_exposure_cap' as const, args: { network: ALPHA, asset: EUR, amountMinor: 0n } }],
    ['paused', { name: 'set_network_state' as const, args: { id: ALPHA, state: 'paused' as const } }],
    ['fenced', { name: 'set_network_state' as const, args: { id: ALPHA, state: 'fenced' as const } }],
  ])('for a lane that is %s', (_, action) => {
    const world = new World();
    expect(world.run(signedAmendment(1, [action]))).toEqual({ ok: true });
    expect(world.submit(world.across())).toMatchObject({ ok: false, code: 'LANE_CLOSED' });
  });

  test('for a lane that is halted', () => {
    const world = new World();
    const rotated = { type: 'rotated', id: word('r'), authority: addressOf('x'), epoch: 2, byGuardian: true } as const;
    world.run(world.event(BETA, rotated));
    expect(world.submit(world.across())).toMatchObject({ ok: false, code: 'LANE_CLOSED' });
    expect(world.state.vaults.get(ALPHA_EUR)?.halted).toBe(false);
  });

  test('above the live transfers that a bank may have, its own and nobody else’s', () => {
    const world = new World({ liveTransfersPerBank: 2 });
    for (let i = 0; i < 2; i++) expect(world.submit(world.across())).toMatchObject({ ok: true });
    const third = world.across();
    expect(world.submit(third)).toMatchObject({ ok: false, code: 'LIMIT_REACHED' });
    expect(world.submit(world.across({ debtor: BANK_B, creditor: BANK_A }))).toMatchObject({ ok: true });
    world.later(ONE_HOUR_MS + 1).run({ type: 'clock' });
    expect(world.submit(world.across({ id: third.id }))).toMatchObject({ ok: true });
  });
});

describe('a core payment', () => {
  test('settles at once, with a line and an event for each bank', () => {
    const world = new World();
    world.deposit(BANK_A, 150n);
    const terms = world.terms({ remittance: 'rent' });
    const { outcomes, records } = world.apply({ type: 'submitTransfer', terms });
    expect(outcomes).toEqual([{ ok: true, transfer: terms.id }]);
    expect(records.transfers).toEqual([
      { terms, state: 'SETTLED', createdMs: world.nowMs, updatedMs: world.nowMs, instructions: [] },
    ]);
    const line = { asset: EUR, kind: 'payment', stampMs: world.nowMs, transfer: { bank: BANK_A, id: terms.id } };
    expect(records.lines).toEqual([
      { ...line, account: BANK_A, counterparty: BANK_B, line: 2, deltaMinor: -100n, balanceMinor: 50n },
      { ...line, account: BANK_B, counterparty: BANK_A, line: 1, deltaMinor: 100n, balanceMinor: 100n },
    ]);
    expect(records.events.map(({ participant, body }) => [participant, body.type])).toEqual([
      [BANK_A, 'transfer'],
      [BANK_B, 'transfer'],
    ]);
    expect(world.state.liveTransfer(BANK_A, terms.id)).toBeUndefined();
  });

  test('above what is available is rejected, once and for ever', () => {
    const world = new World();
    world.deposit(BANK_A, 99n);
    const terms = world.terms();
    expect(world.submit(terms)).toEqual({ ok: true, transfer: terms.id });
    expect([world.stateOf(terms), world.reasonOf(terms)]).toEqual(['REJECTED', 'AM04']);
    world.deposit(BANK_A, 1n);
    expect(world.submit(terms)).toMatchObject({ ok: false, code: 'TRANSFER_ID_SPENT' });
    expect(world.available(BANK_A)).toBe(100n);
  });

  test('cannot spend what is reserved', () => {
    const world = new World();
    world.deposit(BANK_A, 100n);
    world.run(world.event(BETA, { type: 'pauseChanged', id: word('p'), paused: false, byGuardian: false }));
    world.run(
      signedAmendment(1, [{ name: 'set_exposure_cap', args: { network: BETA, asset: EUR, amountMinor: 10n } }]),
    );
    world.submit(world.toBeta({ amountMinor: 60n }));
    const terms = world.terms({ amountMinor: 41n });
    world.submit(terms);
    expect(world.stateOf(terms)).toBe('REJECTED');
    expect(world.state.account(BANK_A, EUR)).toMatchObject({ postedMinor: 100n, pendingMinor: 60n });
  });
});

describe('an id', () => {
  test('is scoped to its bank', () => {
    const world = new World();
    world.deposit(BANK_A, 100n);
    world.deposit(BANK_B, 100n);
    const terms = world.terms();
    world.submit(terms);
    const same = { ...terms, debtor: BANK_B, creditor: BANK_A };
    expect(world.submit(same)).toEqual({ ok: true, transfer: terms.id });
  });

  test('with the same terms gives the same answer and changes nothing', () => {
    const world = new World();
    const terms = world.across();
    world.submit(terms);
    const { outcomes, records } = world.apply({ type: 'submitTransfer', terms: structuredClone(terms) });
    expect(outcomes).toMatchObject([{ ok: true, transfer: terms.id }]);
    expect(records).toEqual({ transfers: [], lines: [], events: [], alarms: [] });
  });

  test.each<readonly [string, Partial<TransferTerms>]>([
    ['amount', { amountMinor: 101n }],
    ['creditor', { creditor: BANK_C }],
    ['depositor', { source: { ...edges.source, depositor: addressOf('other') } }],
    ['source network', { source: { ...edges.source, network: BETA } }],
    ['beneficiary', { destination: { ...edges.destination, beneficiary: addressOf('other') } }],
    ['destination network', { destination: { ...edges.destination, network: ALPHA } }],
    ['onVoid', { onVoid: 'refund' }],
    ['remittance', { remittance: 'other' }],
    ['asset', { asset: USD }],
    ['fundBy', { fundByMs: 1_800_000_000_001 }],
    ['deliverBy', { deliverByMs: 1_900_000_000_000 }],
  ])('with another %s is a conflict', (_, change) => {
    const world = new World();
    const terms = world.across();
    world.submit(terms);
    expect(world.submit({ ...terms, ...change })).toMatchObject({ ok: false, code: 'TRANSFER_ID_SPENT' });
  });
});

test('only debtor and creditor hear of a transfer', () => {
  const world = new World();
  world.fund(world.across());
  world.run(world.event(BETA, world.executed(world.open(BETA, 'issue'))));
  const heard = new Set(world.records.flatMap(({ events }) => events.map(({ participant }) => participant)));
  expect([...heard].sort()).toEqual([BANK_A, BANK_B].sort());
  expect(world.state.eventCount(BANK_A)).toBe(world.state.eventCount(BANK_B));
});
