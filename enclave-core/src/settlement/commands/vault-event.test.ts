import type { NetworkId } from '@drawbridge/protocol/ids';
import { describe, expect, test } from '@jest/globals';
import type { Command } from '../command.ts';
import {
  ALPHA,
  addressOf,
  BANK_A,
  BETA,
  EUR,
  type EventBody,
  ONE_HOUR_MS,
  signedAmendment,
  USD,
  World,
  word,
} from '../testing/world.ts';

type VaultEventCommand = Extract<Command, { type: 'vaultEvent' }>;
const pause = (paused: boolean): EventBody => ({ type: 'pauseChanged', id: word('p'), paused, byGuardian: false });
const withSeq = (command: Command, seq: number): Command =>
  command.type === 'vaultEvent'
    ? { ...command, event: { ...command.event, seq } as VaultEventCommand['event'] }
    : command;

/** A transfer that is on its way to network beta. */
function relaying(): { world: World; terms: ReturnType<World['across']> } {
  const world = new World();
  const terms = world.across();
  world.fund(terms);
  return { world, terms };
}

describe('an event is taken in the order of the vault’s counter', () => {
  test('a later one is early, says what is expected, and changes nothing', () => {
    const world = new World();
    const outcome = world.run(withSeq(world.event(ALPHA, pause(true)), 3));
    expect(outcome).toMatchObject({ ok: false, code: 'EVENT_EARLY', expectedSeq: 1 });
    expect(world.state.vaultLedger(ALPHA, EUR)).toMatchObject({ paused: false, nextEventSeq: 1 });
  });

  test('one that was applied is seen, under whatever trust version it comes', () => {
    const world = new World();
    const command = world.event(ALPHA, pause(true));
    expect(world.run(command)).toEqual({ ok: true });
    expect(world.run(command)).toMatchObject({ ok: false, code: 'EVENT_SEEN', expectedSeq: 2 });
    expect(world.run({ ...command, trustVersion: 9 } as Command)).toMatchObject({ code: 'EVENT_SEEN' });
  });

  test('a burn that arrives before its mint waits for it', () => {
    const { world } = relaying();
    const issue = world.event(BETA, world.executed(world.open(BETA, 'issue')));
    const burn = withSeq(world.event(BETA, world.lock(world.fromAlpha())), 2);
    expect(world.run(burn)).toMatchObject({ code: 'EVENT_EARLY', expectedSeq: 1 });
    expect(world.run(issue)).toEqual({ ok: true });
    expect(world.run(burn)).toEqual({ ok: true });
  });
});

describe('an event is refused', () => {
  test.each<readonly [string, Partial<VaultEventCommand>, string]>([
    ['of an unknown network', { network: 'nowhere' as NetworkId }, 'NETWORK_UNKNOWN'],
    ['of an unknown vault', { asset: USD }, 'VAULT_UNKNOWN'],
    ['checked against older trust roots', { trustVersion: 0 }, 'TRUST_VERSION_STALE'],
    ['checked against trust roots to come', { trustVersion: 2 }, 'TRUST_VERSION_STALE'],
  ])('%s', (_, change, code) => {
    const world = new World();
    expect(world.run(world.event(ALPHA, pause(true), change))).toMatchObject({ ok: false, code });
    expect(world.state.vaultLedger(ALPHA, EUR)?.nextEventSeq).toBe(1);
  });

  test.each([
    ['halted', true],
    ['retired', true],
    ['fenced', false],
    ['paused', false],
    ['active', false],
  ] as const)('of a network that is %s: %s', (state, refused) => {
    const world = new World();
    world.run(signedAmendment(1, [{ name: 'set_network_state', args: { id: ALPHA, state } }]));
    const outcome = world.run(world.event(ALPHA, pause(true)));
    expect(outcome).toMatchObject(refused ? { ok: false, code: 'LANE_CLOSED' } : { ok: true });
  });

  test('under the old version once an observer has another key', () => {
    const world = new World();
    const observer = world.state.participant('observer-1' as typeof BANK_A);
    const other = world.state.participant('observer-2' as typeof BANK_A);
    if (!observer?.attestationKey || !other) throw new Error('observers are registered');
    const early = world.event(ALPHA, pause(true));
    const attestationKey = `0x${'d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'}` as const;
    expect(world.run(signedAmendment(1, [{ name: 'set_participant', args: { ...observer, attestationKey } }]))).toEqual(
      {
        ok: true,
      },
    );
    expect(world.run(early)).toMatchObject({ code: 'TRUST_VERSION_STALE' });
    expect(world.run(world.event(ALPHA, pause(true)))).toEqual({ ok: true });
  });
});

describe('an execution must be open and as it was written', () => {
  const lies: readonly (readonly [string, (body: ReturnType<World['executed']>) => EventBody])[] = [
    ['amount', (body) => ({ ...body, amountMinor: body.amountMinor + 1n })],
    ['beneficiary', (body) => ({ ...body, beneficiary: addressOf('thief') })],
    ['subject', (body) => ({ ...body, subject: word('x') })],
    ['kind', (body) => ({ ...body, kind: 'release' })],
    ['epoch', (body) => ({ ...body, epoch: 2 })],
    ['id', (body) => ({ ...body, id: word('unknown') })],
  ];
  test.each(lies)('another %s halts the lane and moves nothing', (_, lie) => {
    const { world, terms } = relaying();
    const before = world.state.vaultLedger(BETA, EUR);
    const { outcomes, records } = world.apply(world.event(BETA, lie(world.executed(world.open(BETA, 'issue')))));
    expect(outcomes).toMatchObject([{ ok: false, code: 'LANE_HALTED' }]);
    expect(records.alarms).toEqual([
      { type: 'LANE_HALTED', network: BETA, asset: EUR, code: 'EVENT_CONTRADICTS_LEDGER' },
    ]);
    expect(world.state.vaultLedger(BETA, EUR)).toEqual({ ...before, halted: true });
    expect(world.stateOf(terms)).toBe('RELAYING');
  });

  test('at its own vault', () => {
    const { world } = relaying();
    const outcome = world.run(world.event(ALPHA, world.executed(world.open(BETA, 'issue'))));
    expect(outcome).toMatchObject({ code: 'LANE_HALTED' });
  });

  test('the same lie again raises no second alarm, and the truth is still taken', () => {
    const { world, terms } = relaying();
    const lie = world.event(BETA, { ...world.executed(world.open(BETA, 'issue')), amountMinor: 1n });
    world.run(lie);
    expect(world.apply(lie).records.alarms).toEqual([]);
    expect(world.run(world.event(BETA, world.executed(world.open(BETA, 'issue'))))).toEqual({ ok: true });
    expect(world.stateOf(terms)).toBe('SETTLED');
    expect(world.state.vaultLedger(BETA, EUR)?.halted).toBe(true);
  });

  test('once', () => {
    const { world } = relaying();
    const body = world.executed(world.open(BETA, 'issue'));
    world.run(world.event(BETA, body));
    expect(world.run(world.event(BETA, body))).toMatchObject({ code: 'LANE_HALTED' });
  });
});

describe('void against execution', () => {
  const voiding = (): ReturnType<typeof relaying> => {
    const scene = relaying();
    scene.world.run({ type: 'cancelTransfer', bank: BANK_A, id: scene.terms.id });
    return scene;
  };

  test('the execution was first: settled, and the void leaves the outbox', () => {
    const { world, terms } = voiding();
    world.run(world.event(BETA, world.executed(world.open(BETA, 'issue'))));
    expect([world.stateOf(terms), world.reasonOf(terms)]).toEqual(['SETTLED', undefined]);
    expect([...world.state.openInstructions(BETA, 0)]).toEqual([]);
  });

  test('the void was first: returned, and the delivery leaves the outbox', () => {
    const { world, terms } = voiding();
    world.run(world.event(BETA, world.voided(world.open(BETA, 'void'))));
    expect([world.stateOf(terms), world.reasonOf(terms)]).toEqual(['RETURNED', 'CUST']);
    expect(world.available(BANK_A)).toBe(100n);
    expect([...world.state.openInstructions(BETA, 0)]).toEqual([]);
  });

  test('both cannot be', () => {
    const { world } = voiding();
    const both = [world.voided(world.open(BETA, 'void')), world.executed(world.open(BETA, 'issue'))] as const;
    world.run(world.event(BETA, both[0]));
    expect(world.run(world.event(BETA, both[1]))).toMatchObject({ code: 'LANE_HALTED' });
    const other = voiding().world;
    other.run(other.event(BETA, other.executed(other.open(BETA, 'issue'))));
    expect(other.run(other.event(BETA, both[0]))).toMatchObject({ code: 'LANE_HALTED' });
  });

  test.each<readonly [string, (body: Extract<EventBody, { type: 'voided' }>) => EventBody]>([
    ['id', (body) => ({ ...body, id: word('x') })],
    ['target', (body) => ({ ...body, subject: word('x') })],
    ['epoch', (body) => ({ ...body, epoch: 2 })],
  ])('a void of another %s halts the lane', (_, lie) => {
    const { world, terms } = voiding();
    const body = world.voided(world.open(BETA, 'void'));
    if (body.type !== 'voided') throw new Error('a void');
    expect(world.run(world.event(BETA, lie(body)))).toMatchObject({ code: 'LANE_HALTED' });
    expect(world.stateOf(terms)).toBe('VOIDING');
  });

  test('a void of one transfer is none of another', () => {
    const { world, terms } = voiding();
    const other = world.across();
    world.fund(other);
    world.run({ type: 'cancelTransfer', bank: BANK_A, id: other.id });
    const [first, second] = [...world.state.openInstructions(BETA, 0)].filter(({ kind }) => kind === 'void');
    if (!first || !second) throw new Error('two voids');
    const body: EventBody = { type: 'voided', id: first.id, subject: second.subject, epoch: 1, trail: '0x' };
    expect(world.run(world.event(BETA, body))).toMatchObject({ code: 'LANE_HALTED' });
    expect([world.stateOf(terms), world.stateOf(other)]).toEqual(['VOIDING', 'VOIDING']);
  });

  test('a void that nobody asked for halts the lane', () => {
    const { world } = relaying();
    const { id } = world.open(BETA, 'issue');
    const body: EventBody = { type: 'voided', id: word('x'), subject: id, epoch: 1, trail: '0x' };
    expect(world.run(world.event(BETA, body))).toMatchObject({ code: 'LANE_HALTED' });
  });
});

describe('a refund to the source', () => {
  const failed = (spoil: (world: World) => void): string => {
    const world = new World();
    const terms = world.across({ onVoid: 'refund' });
    world.fund(terms);
    world.run({ type: 'cancelTransfer', bank: BANK_A, id: terms.id });
    spoil(world);
    expect(world.run(world.event(BETA, world.voided(world.open(BETA, 'void'))))).toEqual({ ok: true });
    return world.stateOf(terms);
  };

  test('is written when the vault can pay', () => {
    expect(failed(() => undefined)).toBe('REFUNDING');
  });
  test('goes on in a pause', () => {
    const paused = signedAmendment(1, [{ name: 'set_network_state', args: { id: ALPHA, state: 'paused' } }]);
    expect(failed((world) => void world.run(paused))).toBe('REFUNDING');
  });
  test('is a return where the source is halted', () => {
    const rotated = { type: 'rotated', id: word('r'), authority: addressOf('x'), epoch: 2, byGuardian: true } as const;
    expect(failed((world) => void world.run(world.event(ALPHA, rotated)))).toBe('RETURNED');
  });
  test('is a return where the source may not issue as much any more', () => {
    const world = new World();
    world.deposit(BANK_A, 100n);
    world.submit(world.toBeta());
    world.run(world.event(BETA, world.executed(world.open(BETA, 'issue'))));
    const back = world.across({
      source: { network: BETA, depositor: addressOf('customer') },
      destination: { network: ALPHA, beneficiary: addressOf('treasury') },
      onVoid: 'refund',
    });
    world.fund(back);
    world.run({ type: 'cancelTransfer', bank: BANK_A, id: back.id });
    world.run(
      signedAmendment(1, [{ name: 'set_exposure_cap', args: { network: BETA, asset: EUR, amountMinor: 99n } }]),
    );
    world.run(world.event(ALPHA, world.voided(world.open(ALPHA, 'void'))));
    expect(world.stateOf(back)).toBe('RETURNED');
    expect(world.available(BANK_A)).toBe(100n);
  });
});

describe('notices of a vault', () => {
  test('a pause closes the lane, evidence goes on, and its end wakes what waits', () => {
    const world = new World();
    const terms = world.across();
    world.submit(terms);
    expect(world.run(world.event(BETA, pause(true)))).toEqual({ ok: true });
    world.run(world.event(ALPHA, world.lock(terms)));
    expect(world.stateOf(terms)).toBe('FUNDED');
    world.run(world.event(BETA, pause(false)));
    expect(world.stateOf(terms)).toBe('RELAYING');
  });

  test.each([
    ['rotated', { authority: addressOf('x'), epoch: 2, byGuardian: true }, 'AUTHORITY_ROTATED'],
    ['rotated', { authority: addressOf('x'), epoch: 2, byGuardian: false }, 'AUTHORITY_ROTATED'],
    ['migrated', { successor: addressOf('x') }, 'VAULT_MIGRATED'],
  ] as const)('%s counts, halts the lane and raises an alarm', (type, fields, code) => {
    const world = new World();
    const event = { type, id: word('i'), ...fields } as EventBody;
    const { outcomes, records } = world.apply(world.event(ALPHA, event));
    expect(outcomes).toEqual([{ ok: true }]);
    expect(records.alarms).toEqual([{ type: 'LANE_HALTED', network: ALPHA, asset: EUR, code }]);
    expect(world.state.vaultLedger(ALPHA, EUR)).toMatchObject({ halted: true, nextEventSeq: 2 });
  });

  test('guardians who propose are told of; who cancel are counted', () => {
    const world = new World();
    const { alarms } = world.apply(world.event(ALPHA, { type: 'guardianProposed' })).records;
    expect(alarms).toMatchObject([{ type: 'LANE_NOTICE', code: 'GUARDIAN_PROPOSED' }]);
    expect(world.apply(world.event(ALPHA, { type: 'guardianCancelled' })).records.alarms).toEqual([]);
    expect(world.state.vaultLedger(ALPHA, EUR)).toMatchObject({ halted: false, nextEventSeq: 3 });
  });

  test('the cursor is the highest block of an event', () => {
    const world = new World();
    world.run(world.event(ALPHA, { type: 'guardianCancelled' }, { blockNumber: 50 }));
    world.run(world.event(ALPHA, { type: 'guardianCancelled' }, { blockNumber: 49 }));
    expect(world.state.vaultLedger(ALPHA, EUR)?.cursorBlock).toBe(50);
  });
});

test('instructions have rising places in their network’s outbox, which a reader can resume', () => {
  const world = new World();
  for (let i = 0; i < 3; i++) world.fund(world.across());
  world.later(3 * ONE_HOUR_MS).run({ type: 'clock' });
  const all = [...world.state.openInstructions(BETA, 0)];
  expect(all.map(({ kind, outboxSeq }) => [kind, outboxSeq])).toEqual([
    ['issue', 1],
    ['issue', 2],
    ['issue', 3],
    ['void', 4],
    ['void', 5],
    ['void', 6],
  ]);
  expect([...world.state.openInstructions(BETA, 4)].map(({ outboxSeq }) => outboxSeq)).toEqual([5, 6]);
  expect(all[3]).toMatchObject({ subject: all[0]?.id, amountMinor: 0n, notAfterSeconds: 0 });
});
