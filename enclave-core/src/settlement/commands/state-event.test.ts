import { type Bytes32, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import type { StateEvent } from '@drawbridge/protocol/state-event';
import { accountWord, type StateRef, sortedRefs, stateAfter, stateRef } from '@drawbridge/protocol/state-ref';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { inputsOf } from '../book.ts';
import type { Command, Outcome } from '../command.ts';
import { decodeSnapshot, encodeSnapshot } from '../snapshot.ts';
import { onCorda } from '../testing/corda-world.ts';
import {
  ALPHA,
  ALPHA_EUR,
  addressOf,
  BANK_A,
  BETA,
  EUR,
  GAMMA,
  GENESIS,
  ONE_HOUR_MS,
  OPERATOR,
  signedAmendment,
  World,
  word,
} from '../testing/world.ts';
import type { OpenInstruction } from '../view.ts';

type Told = Extract<Command, { type: 'stateEvent' }>;
const told = (command: Command): Told => {
  if (command.type !== 'stateEvent') throw new Error('the vault is on Corda');
  return command;
};
const changed = (command: Command, change: object): Told => {
  const { event, ...rest } = told(command);
  return { ...rest, event: { ...event, ...change } as StateEvent };
};
const OK = { ok: true };
const HALTED = expect.objectContaining({ ok: false, code: 'LANE_HALTED' });
const refused = (code: string) => expect.objectContaining({ ok: false, code });

let world: World;
const toAlpha = (amountMinor: bigint, change = {}) => {
  const destination = { network: ALPHA, beneficiary: word('customer') };
  return world.terms({ amountMinor, destination, deliverByMs: world.nowMs + 2 * ONE_HOUR_MS, ...change });
};
/** Pays out of alpha. @returns the release, open */
function release(amountMinor: bigint): OpenInstruction {
  const before = new Set([...world.state.openInstructions(ALPHA, 0)].map(({ id }) => id));
  expect(world.submit(toAlpha(amountMinor))).toMatchObject(OK);
  const written = [...world.state.openInstructions(ALPHA, 0)].find(({ id }) => !before.has(id));
  if (!written) throw new Error('nothing was instructed');
  return written;
}
const executed = (instruction: OpenInstruction): Command => world.event(ALPHA, world.executed(instruction));
const worthOf = ({ states }: OpenInstruction): bigint[] =>
  (states?.coins ?? []).map(
    (ref) => [...world.state.coins(ALPHA, EUR)].find((coin) => coin.ref === ref)?.amountMinor ?? 0n,
  );
const coins = (): bigint[] =>
  Array.from(world.state.coins(ALPHA, EUR), ({ amountMinor }) => amountMinor).toSorted((a, b) => Number(a - b));
const isHalted = (network = ALPHA) => world.state.vaultLedger(network, EUR)?.halted;
const free = (network = ALPHA): number =>
  world.state.book(network, EUR)?.permits.filter(({ heldBy }) => heldBy === undefined).length ?? 0;

beforeEach(() => {
  world = new World({}, onCorda(GENESIS));
});

describe('a payment of an escrow vault', () => {
  const deposit = (...amounts: readonly bigint[]) => {
    for (const amount of amounts) world.deposit(BANK_A, amount);
  };

  test.each<readonly [string, readonly bigint[], bigint, readonly bigint[]]>([
    ['the smallest coin that suffices', [500n, 300n, 200n], 250n, [300n]],
    ['a coin of just that', [300n, 200n, 250n], 250n, [250n]],
    ['the largest ones where none suffices', [100n, 300n, 200n], 450n, [200n, 300n]],
    ['as many as it takes', [100n, 300n, 200n], 501n, [100n, 200n, 300n]],
  ])('holds %s', (_, deposits, amount, expected) => {
    deposit(...deposits);
    expect(worthOf(release(amount)).toSorted((a, b) => Number(a - b))).toEqual(expected);
  });

  test('picks equal coins by their refs, whatever came first', () => {
    deposit(100n, 100n, 100n);
    const refs = Array.from(world.state.coins(ALPHA, EUR), ({ ref }) => ref).toSorted();
    expect(release(60n).states?.coins).toEqual(refs.slice(0, 1));
    expect(release(60n).states?.coins).toEqual(refs.slice(1, 2));
  });

  test('takes at most 32 coins', () => {
    deposit(...Array.from({ length: 33 }, () => 10n));
    const tooMany = toAlpha(330n);
    expect(world.submit(tooMany)).toMatchObject(OK);
    expect([...world.state.openInstructions(ALPHA, 0)]).toEqual([]);
    world.run({ type: 'cancelTransfer', bank: BANK_A, id: tooMany.id });
    expect(release(320n).states?.coins).toHaveLength(32);
  });

  test('leaves a permit and its change, both free', () => {
    deposit(500n);
    const written = release(120n);
    expect(free()).toBe(2);
    expect(world.run(executed(written))).toEqual(OK);
    expect([coins(), free()]).toEqual([[380n], 3]);
    expect(world.state.vaultLedger(ALPHA, EUR)).toMatchObject({ vaultMinor: -380n, transitMinor: 0n });
  });

  test('leaves no change where there is none', () => {
    deposit(500n);
    expect(world.run(executed(release(500n)))).toEqual(OK);
    expect(coins()).toEqual([]);
  });

  test('waits while its permit or its coins are held, and goes on when they are free', () => {
    deposit(100n, 100n, 100n, 100n);
    const [first] = [release(100n), release(100n), release(100n)];
    const waiting = toAlpha(100n);
    world.submit(waiting);
    expect(world.stateOf(waiting)).toBe('FUNDED');
    world.run(executed(first));
    expect(world.stateOf(waiting)).toBe('RELAYING');
    const [only] = [new World({}, onCorda(GENESIS))];
    world = only;
    deposit(1_000n);
    const held = release(10n);
    const behind = toAlpha(10n);
    world.submit(behind);
    expect(world.stateOf(behind)).toBe('FUNDED');
    world.run(executed(held));
    expect(world.stateOf(behind)).toBe('RELAYING');
  });

  test('is void with the same states, which come anew and free', () => {
    deposit(100n, 200n);
    const terms = toAlpha(250n);
    world.submit(terms);
    const written = world.open(ALPHA, 'release');
    world.run({ type: 'cancelTransfer', bank: BANK_A, id: terms.id });
    const voided = world.open(ALPHA, 'void');
    expect(voided.states).toEqual(written.states);
    expect(world.run(world.event(ALPHA, world.voided(voided)))).toEqual(OK);
    expect([coins(), free(), world.stateOf(terms)]).toEqual([[100n, 200n], 3, 'RETURNED']);
    for (const { ref } of world.state.coins(ALPHA, EUR)) expect(written.states?.coins).not.toContain(ref);
  });

  test('that was executed all the same settles, and its void has no states left', () => {
    deposit(100n);
    const terms = toAlpha(100n);
    world.submit(terms);
    const written = world.open(ALPHA, 'release');
    world.run({ type: 'cancelTransfer', bank: BANK_A, id: terms.id });
    expect(world.run(executed(written))).toEqual(OK);
    expect([world.stateOf(terms), [...world.state.openInstructions(ALPHA, 0)]]).toEqual(['SETTLED', []]);
  });

  const lies: readonly (readonly [string, (event: Told['event']) => object])[] = [
    ['an instruction that is not open', () => ({ id: word('stolen') })],
    ['another amount', () => ({ amountMinor: 81n })],
    ['another beneficiary', () => ({ beneficiary: word('thief') })],
    ['another kind', () => ({ kind: 'refund' })],
    ['another epoch', () => ({ epoch: 2 })],
    ['a subject', () => ({ subject: word('lock') })],
    ['less change', () => ({ changeMinor: 19n })],
    ['a state less', (event) => ({ consumed: event.consumed.slice(1) })],
    ['a state more', (event) => ({ consumed: sortedRefs([...event.consumed, stateRef(word('x'), 1)]) })],
    ['another state', (event) => ({ consumed: sortedRefs([...event.consumed.slice(1), stateRef(word('x'), 1)]) })],
  ];
  test.each(lies)('with %s halts the lane, and changes nothing else', (_, lie) => {
    deposit(100n, 50n);
    const truth = executed(release(80n));
    const before = decodeSnapshot(encodeSnapshot(world.state));
    expect(world.run(changed(truth, lie(told(truth).event)))).toEqual(HALTED);
    expect(isHalted()).toBe(true);
    const row = before.vaults.get(ALPHA_EUR);
    if (row) before.vaults.set(ALPHA_EUR, { ...row, halted: true });
    expect(encodeSnapshot(world.state)).toEqual(encodeSnapshot(before));
  });

  test.each<readonly [string, (event: Extract<StateEvent, { type: 'voided' }>) => object]>([
    ['coins of another worth', ({ coinsMinor }) => ({ coinsMinor: coinsMinor.map((minor) => minor + 1n) })],
    ['a coin less', () => ({ coinsMinor: [] })],
    ['a coin more', ({ coinsMinor }) => ({ coinsMinor: [...coinsMinor, 5n] })],
    ['other states', ({ consumed }) => ({ consumed: consumed.slice(1) })],
    ['an id that was not asked for', () => ({ id: word('void') })],
    ['another target', () => ({ subject: word('target') })],
  ])('whose void has %s halts the lane', (_, lie) => {
    deposit(100n);
    const terms = toAlpha(80n);
    world.submit(terms);
    world.run({ type: 'cancelTransfer', bank: BANK_A, id: terms.id });
    const truth = world.event(ALPHA, world.voided(world.open(ALPHA, 'void')));
    const { event } = told(truth);
    if (event.type !== 'voided') throw new Error('a void is told');
    expect(world.run(changed(truth, lie(event)))).toEqual(HALTED);
    expect(world.stateOf(terms)).toBe('VOIDING');
  });
});

describe('an issue vault', () => {
  test('consumes a permit alone, and a burn leaves a record until its transfer ends', () => {
    world.deposit(BANK_A, 500n);
    world.submit(world.toBeta({ amountMinor: 200n }));
    const issue = world.open(BETA, 'issue');
    expect(issue.states?.coins).toEqual([]);
    expect(world.run(world.event(BETA, world.executed(issue)))).toEqual(OK);
    const source = { network: BETA, depositor: word('holder') };
    const burn = { source, fundByMs: world.nowMs + ONE_HOUR_MS, amountMinor: 50n };
    const stays = world.across({ ...burn, destination: { network: ALPHA, beneficiary: word('x') }, onVoid: 'refund' });
    world.fund(stays);
    world.fund(world.terms(burn));
    expect([...world.state.lockRecords(BETA, EUR)]).toHaveLength(1);
    expect(world.run(executed(world.open(ALPHA, 'release')))).toEqual(OK);
    expect([...world.state.lockRecords(BETA, EUR)]).toEqual([]);
    expect(world.state.vaultLedger(BETA, EUR)).toMatchObject({ vaultMinor: 100n });
  });

  test('that burns more than is outstanding halts its lane', () => {
    const lock = world.lock(world.terms({ amountMinor: 1n }));
    expect(world.run(world.event(BETA, lock))).toEqual(HALTED);
  });
});

describe('a refund', () => {
  const failed = (onVoid: 'refund' | 'return' = 'refund') => {
    const terms = world.across({ onVoid, destination: { network: GAMMA, beneficiary: addressOf('nobody') } });
    return terms;
  };
  /** A delivery that is void, of value that came from alpha. */
  function voidDelivery(): ReturnType<typeof failed> {
    world.fund(world.terms({ source: { network: GAMMA, depositor: addressOf('b') }, fundByMs: world.nowMs + 1 }));
    const terms = failed();
    world.fund(terms);
    world.run({ type: 'cancelTransfer', bank: BANK_A, id: terms.id });
    world.run(world.event(GAMMA, world.voided(world.open(GAMMA, 'void'))));
    return terms;
  }

  test('of a delivery that failed consumes the record of its lock too', () => {
    const terms = voidDelivery();
    expect(world.stateOf(terms)).toBe('REFUNDING');
    const refund = world.open(ALPHA, 'refund');
    const [record] = world.state.lockRecords(ALPHA, EUR);
    expect(refund.states?.record).toBe(record);
    expect(refund.states && inputsOf(refund.states)).toContain(record);
    expect(world.run(executed(refund))).toEqual(OK);
    expect([world.stateOf(terms), [...world.state.lockRecords(ALPHA, EUR)]]).toEqual(['REFUNDED', []]);
  });

  test('that is void leaves the record, and the money where it is', () => {
    const terms = voidDelivery();
    world.run({ type: 'cancelTransfer', bank: BANK_A, id: terms.id });
    const voided = world.open(ALPHA, 'void');
    expect(voided.states?.record).toBeUndefined();
    expect(world.run(world.event(ALPHA, world.voided(voided)))).toEqual(OK);
    expect(world.stateOf(terms)).toBe('RETURNED');
  });

  test('without free states is none: the money stays with the bank', () => {
    world.deposit(BANK_A, 300n);
    const terms = failed();
    world.fund(world.terms({ source: { network: GAMMA, depositor: addressOf('b') }, fundByMs: world.nowMs + 1 }));
    world.fund(terms);
    for (let n = 0; n < 3; n++) world.submit(toAlpha(30n));
    world.fund(world.fromAlpha({ amountMinor: 40n, creditor: BANK_A }));
    world.submit(toAlpha(30n));
    expect(free()).toBeLessThan(2);
    while (free() > 0)
      world.fund(world.across({ amountMinor: 20n, destination: { network: ALPHA, beneficiary: word('x') } }));
    world.run({ type: 'cancelTransfer', bank: BANK_A, id: terms.id });
    world.run(world.event(GAMMA, world.voided(world.open(GAMMA, 'void'))));
    expect(world.stateOf(terms)).toBe('RETURNED');
  });

  test('of a lock that fits nothing waits for free states, and comes again after a void', () => {
    world.deposit(BANK_A, 300n);
    const lock = world.lock(world.terms(), { reference: word('nobody'), depositor: word('stranger') });
    expect(world.run(world.event(ALPHA, lock))).toEqual(OK);
    const ask: Command = { type: 'refundLock', by: OPERATOR, network: ALPHA, asset: EUR, lockId: lock.lockId };
    const held = release(250n);
    world.submit(toAlpha(50n));
    expect(world.run(ask)).toEqual(refused('LOCK_NOT_REFUNDABLE'));
    expect(world.run(executed(held))).toEqual(OK);
    for (const open of world.state.openInstructions(ALPHA, 0)) world.run(executed(open));
    expect(world.run(ask)).toEqual(OK);
    const { lockId } = lock;
    world.run({ type: 'cancelLockRefund', by: OPERATOR, network: ALPHA, asset: EUR, lockId });
    expect(world.run(world.event(ALPHA, world.voided(world.open(ALPHA, 'void'))))).toEqual(OK);
    expect(world.run(ask)).toEqual(OK);
    expect(world.run(executed(world.open(ALPHA, 'refund')))).toEqual(OK);
    expect([...world.state.lockRecords(ALPHA, EUR)]).toEqual([]);
  });
});

describe('evidence', () => {
  const lockEvent = (): Command => world.event(ALPHA, world.lock(world.terms(), { depositor: word('d') }));

  test('that comes again was seen', () => {
    const lock = lockEvent();
    expect(world.run(lock)).toEqual(OK);
    expect(world.run(lock)).toEqual(refused('EVENT_SEEN'));
    expect(coins()).toEqual([100n]);
  });

  test.each<readonly [string, (command: Told) => Command, unknown]>([
    ['an unknown network', (command) => ({ ...command, network: 'x' as typeof ALPHA }), refused('NETWORK_UNKNOWN')],
    ['an unknown vault', (command) => ({ ...command, asset: 'USD' as typeof EUR }), refused('VAULT_UNKNOWN')],
    ['a vault that counts', (command) => ({ ...command, network: GAMMA }), refused('RULE_MISMATCH')],
    ['an old trust version', (command) => ({ ...command, trustVersion: 0 }), refused('TRUST_VERSION_STALE')],
    [
      'a vault state to come',
      (command) => changed(command, { vaultState: stateRef(word('later'), 0) }),
      refused('EVENT_EARLY'),
    ],
    ['nothing consumed', (command) => changed(command, { consumed: [] }), HALTED],
    ['an amount of nothing', (command) => changed(command, { amountMinor: 0n }), HALTED],
  ])('of %s is refused', (_, change, expected) => {
    expect(world.run(change(told(lockEvent())))).toEqual(expected);
    expect(coins()).toEqual([]);
  });

  test('of a network that is halted is not taken', () => {
    world.run(signedAmendment(1, [{ name: 'set_network_state', args: { id: ALPHA, state: 'halted' } }]));
    expect(world.run(lockEvent())).toEqual(refused('LANE_CLOSED'));
  });

  test('of counted events is none of a Corda vault', () => {
    const counted = world.event(GAMMA, { type: 'pauseChanged', id: word('p'), paused: true, byGuardian: false });
    expect(world.run({ ...counted, network: ALPHA } as Command)).toEqual(refused('RULE_MISMATCH'));
  });

  test.each([
    ['a coin', 0],
    ["a coin's guard", 1],
  ])('of a lock that consumes %s of the vault halts the lane', (_, distance) => {
    world.deposit(BANK_A, 100n);
    const [coin] = world.state.coins(ALPHA, EUR);
    if (!coin) throw new Error('a deposit makes a coin');
    expect(world.run(changed(lockEvent(), { consumed: [stateAfter(coin.ref, distance)] }))).toEqual(HALTED);
    expect(coins()).toEqual([100n]);
  });

  test('of a lock that consumes a permit or the vault halts the lane', () => {
    const book = world.state.book(ALPHA, EUR);
    for (const ref of [book?.tip, book?.permits[1]?.ref]) {
      expect(world.run(changed(lockEvent(), { consumed: [ref] }))).toEqual(HALTED);
    }
  });

  test('of a transaction that is none of the vault halts the lane, if it consumes a state of it', () => {
    const lock = told(lockEvent());
    const foreign = (ref: StateRef | undefined): Command => {
      const event = { type: 'foreign', transactionId: word('thief'), consumed: ref ? [ref] : [] } as const;
      return { ...lock, event };
    };
    expect(world.run(foreign(stateRef(word('elsewhere'), 0)))).toEqual(refused('EVENT_EARLY'));
    expect(isHalted()).toBe(false);
    expect(world.run(foreign(world.state.book(ALPHA, EUR)?.permits[0]?.ref))).toEqual(HALTED);
    expect(isHalted()).toBe(true);
  });

  test('of a lock that came with another transaction halts the lane', () => {
    const lock = lockEvent();
    world.run(lock);
    expect(world.run(changed(lock, { transactionId: word('another') }))).toEqual(HALTED);
  });
});

describe("the vault's state", () => {
  const pause = (paused: boolean): Command =>
    world.event(ALPHA, { type: 'pauseChanged', id: ZERO_BYTES32, paused, byGuardian: true });

  test('has successors, in their order', () => {
    const [first, second] = [pause(true), pause(false)];
    expect(world.run(second)).toEqual(refused('EVENT_EARLY'));
    expect(world.run(first)).toEqual(OK);
    expect(world.state.vaultLedger(ALPHA, EUR)?.paused).toBe(true);
    expect(world.run(second)).toEqual(OK);
    expect(world.state.vaultLedger(ALPHA, EUR)?.paused).toBe(false);
    expect(world.run(first)).toEqual(refused('EVENT_SEEN'));
  });

  test('that is consumed twice halts the lane', () => {
    const first = pause(true);
    world.run(first);
    expect(world.run(changed(first, { transactionId: word('fork') }))).toEqual(HALTED);
  });

  test('is consumed alone', () => {
    const more = changed(pause(true), {});
    const [permit] = world.state.book(ALPHA, EUR)?.permits ?? [];
    expect(world.run(changed(more, { consumed: [...more.event.consumed, permit?.ref] }))).toEqual(HALTED);
  });

  test('may be referred to after it has a successor', () => {
    const lock = world.event(ALPHA, world.lock(world.terms(), { depositor: word('d') }));
    world.run(pause(true));
    expect(world.run(lock)).toEqual(OK);
  });

  test('under another authority halts the lane; a proposal is a notice', () => {
    expect(world.run(world.event(ALPHA, { type: 'guardianProposed' }))).toEqual(OK);
    expect(world.records.at(-1)?.alarms).toMatchObject([{ type: 'LANE_NOTICE', code: 'GUARDIAN_PROPOSED' }]);
    const rotated = {
      type: 'rotated',
      id: ZERO_BYTES32,
      authority: addressOf('x'),
      epoch: 2,
      byGuardian: true,
    } as const;
    expect(world.run(world.event(ALPHA, rotated))).toEqual(OK);
    expect(isHalted()).toBe(true);
    expect(world.records.at(-1)?.alarms).toMatchObject([{ type: 'LANE_HALTED', code: 'AUTHORITY_ROTATED' }]);
  });
});

describe('terms of a Corda network', () => {
  const padded: Bytes32 = addressOf('an address');
  test.each<readonly [string, () => Outcome, unknown]>([
    [
      'a beneficiary that is an address',
      () => world.submit(toAlpha(1n, { destination: { network: ALPHA, beneficiary: padded } })),
      refused('TERMS_INVALID'),
    ],
    [
      'a depositor that is an address',
      () => world.submit(world.fromAlpha({ source: { network: ALPHA, depositor: padded } })),
      refused('TERMS_INVALID'),
    ],
    [
      'a key on an EVM network',
      () => world.submit(toAlpha(1n, { destination: { network: GAMMA, beneficiary: word('key') } })),
      refused('TERMS_INVALID'),
    ],
    [
      'the vault as beneficiary',
      () => {
        const vault = world.state.vaultLedger(ALPHA, EUR)?.vault;
        const beneficiary = vault && 'party' in vault ? accountWord(vault.party) : word('none');
        return world.submit(toAlpha(1n, { destination: { network: ALPHA, beneficiary } }));
      },
      refused('TERMS_INVALID'),
    ],
    ['more than a permit lets through', () => world.submit(toAlpha(100_001n)), refused('AMOUNT_TOO_LARGE')],
    [
      'more than a permit lets in',
      () => world.submit(world.fromAlpha({ amountMinor: 100_001n })),
      refused('AMOUNT_TOO_LARGE'),
    ],
  ])('with %s are refused', (_, submit, expected) => expect(submit()).toEqual(expected));
});

describe('a vault that was registered and not yet seen', () => {
  const vault = onCorda(GENESIS).vaults.find(({ network }) => network === BETA);
  const network = onCorda(GENESIS).networks.find(({ id }) => id === BETA);
  if (!vault || !network || !('vaultId' in vault)) throw new Error('beta issues on Corda');
  const { state: _state, trustVersion: _trust, ...registration } = network;
  const { epoch: _epoch, ...kept } = vault;
  const creation = vault.state.slice(0, 66) as Bytes32;
  const seed = stateRef(word('seed'), 0);
  const event = (told: StateEvent): Command => ({
    type: 'stateEvent',
    network: BETA,
    asset: EUR,
    event: told,
    evidenceDigest: word('evidence'),
    trustVersion: world.state.network(BETA)?.trustVersion ?? 0,
  });
  const created = (transactionId: Bytes32): Command => event({ type: 'created', transactionId, consumed: [seed] });
  const toBeta = () => {
    const destination = { network: BETA, beneficiary: word('customer') };
    return world.terms({ destination, deliverByMs: world.nowMs + 2 * ONE_HOUR_MS });
  };

  beforeEach(() => {
    const others = <R extends { network: unknown }>(rows: readonly R[]) => rows.filter((row) => row.network !== BETA);
    const networks = GENESIS.networks.filter(({ id }) => id !== BETA);
    const [vaults, exposureCaps] = [others(GENESIS.vaults), others(GENESIS.exposureCaps)];
    world = new World({}, { ...GENESIS, networks, vaults, exposureCaps });
    const added = signedAmendment(1, [
      { name: 'set_network', args: registration },
      { name: 'add_vault', args: kept },
      { name: 'set_exposure_cap', args: { network: BETA, asset: EUR, amountMinor: 1_000n } },
    ]);
    expect(world.run(added)).toEqual(OK);
    world.deposit(BANK_A, 500n);
  });

  test('is asked for nothing until its creation is shown', () => {
    const waiting = toBeta();
    expect(world.submit(waiting)).toMatchObject(OK);
    expect([world.stateOf(waiting), free(BETA)]).toEqual(['FUNDED', 3]);
    expect(world.state.book(BETA, EUR)?.proven).toBe(false);
    expect(world.run(created(creation))).toEqual(OK);
    expect(world.stateOf(waiting)).toBe('RELAYING');
    expect(world.state.book(BETA, EUR)?.proven).toBe(true);
    expect(decodeSnapshot(encodeSnapshot(world.state)).book(BETA, EUR)).toEqual(world.state.book(BETA, EUR));
  });

  test('proves nothing else before, not even that it was stolen from', () => {
    const [permit] = vault.permits;
    const foreign = event({ type: 'foreign', transactionId: word('thief'), consumed: [permit ?? seed] });
    const burn = event({
      type: 'locked',
      lockId: word('lock'),
      reference: word('reference'),
      depositor: word('customer'),
      amountMinor: 5n,
      transactionId: word('burn'),
      consumed: [seed],
      vaultState: vault.state,
    });
    for (const command of [foreign, burn]) expect(world.run(command)).toEqual(refused('EVENT_EARLY'));
    expect(isHalted(BETA)).toBe(false);
    expect(world.run(created(creation))).toEqual(OK);
    expect(world.run(foreign)).toEqual(HALTED);
  });

  test('is made by the transaction that is registered, once', () => {
    expect(world.run(created(word('another')))).toEqual(refused('EVENT_EARLY'));
    expect(world.run(created(creation))).toEqual(OK);
    expect(world.run(created(creation))).toEqual(refused('EVENT_SEEN'));
    expect(world.run(created(word('another')))).toEqual(refused('EVENT_EARLY'));
    expect(world.state.vaultLedger(BETA, EUR)).toMatchObject({ nextEventSeq: 2, halted: false });
  });
});

test('an amendment that adds a Corda vault begins its book', () => {
  const [network] = onCorda(GENESIS).networks;
  const [vault] = onCorda(GENESIS).vaults;
  if (!network || !vault) throw new Error('the genesis has them');
  const { state: _state, trustVersion: _trust, ...registration } = network;
  const { epoch: _epoch, ...kept } = vault;
  world = new World(
    {},
    { ...GENESIS, networks: GENESIS.networks.slice(1), vaults: GENESIS.vaults.slice(1), exposureCaps: [] },
  );
  expect(world.state.book(ALPHA, EUR)).toBeUndefined();
  const added = signedAmendment(1, [
    { name: 'set_network', args: registration },
    { name: 'add_vault', args: kept },
  ]);
  expect(world.run(added)).toEqual(OK);
  expect(world.state.book(ALPHA, EUR)?.permits).toHaveLength(3);
  expect(decodeSnapshot(encodeSnapshot(world.state)).book(ALPHA, EUR)).toEqual(world.state.book(ALPHA, EUR));
});
