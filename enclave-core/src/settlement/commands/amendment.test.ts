import type { Action } from '@drawbridge/governance/action';
import type { ParticipantId } from '@drawbridge/protocol/ids';
import { type NodeId, parseNodeId } from '@drawbridge/protocol/ledger/node-id';
import { describe, expect, test } from '@jest/globals';
import type { Command } from '../command.ts';
import {
  ALPHA,
  addressOf,
  authorityAddress,
  BANK_A,
  BANK_B,
  BANK_C,
  BETA,
  EUR,
  ONE_HOUR_MS,
  signedAmendment,
  USD,
  vaultAddress,
  World,
  word,
} from '../testing/world.ts';

const reopen: Action = { name: 'reopen_lane', args: { network: ALPHA, asset: EUR } };
const close: Action = { name: 'close_amendments', args: {} };
const remove = (id: ParticipantId): Action => ({ name: 'remove_participant', args: { id } });
const addUsdVault = (authority = authorityAddress('alpha/USD')): Action => ({
  name: 'add_vault',
  args: { network: ALPHA, asset: USD, mode: 'escrow', address: vaultAddress('alpha/USD'), authority, fromBlock: 5 },
});
const version = (to: number): Action => ({ name: 'set_protocol_version', args: { version: to } });
const nodeId = (name: string): NodeId => parseNodeId(word(name).slice(2));
const addNode = (id: NodeId): Action => ({ name: 'add_node', args: { nodeId: id } });
const removeNode = (id: NodeId): Action => ({ name: 'remove_node', args: { nodeId: id } });
type Amendment = Extract<Command, { type: 'amendment' }>;
const signed = (actions: readonly Action[], number = 1): Amendment => signedAmendment(number, actions) as Amendment;

describe('an amendment is refused', () => {
  test('under another number than the next', () => {
    const world = new World();
    expect(world.run(signed([reopen], 2))).toMatchObject({ ok: false, code: 'AMENDMENT_NUMBER' });
    expect(world.run(signed([reopen]))).toEqual({ ok: true });
    expect(world.run(signed([reopen]))).toMatchObject({ ok: false, code: 'AMENDMENT_NUMBER' });
    expect(world.state.nextAmendment()).toBe(2);
  });

  const spoilt: readonly (readonly [string, (amendment: Amendment) => Amendment])[] = [
    ['too few signatures', (a) => ({ ...a, signatures: a.signatures.slice(1) })],
    ['one signature twice', (a) => ({ ...a, signatures: [a.signatures[0], a.signatures[0]].flatMap((s) => s ?? []) })],
    ['other actions than were signed', (a) => ({ ...a, actions: [close] })],
    [
      'a signature of somebody else',
      (a) => ({ ...a, signatures: a.signatures.map((s) => ({ ...s, key: word('key') })) }),
    ],
  ];
  test.each(spoilt)('with %s', (_, spoil) => {
    const world = new World();
    expect(world.run(spoil(signed([reopen])))).toMatchObject({ ok: false, code: 'AMENDMENT_SIGNATURES' });
  });

  test('once amendments are closed', () => {
    const world = new World();
    expect(world.run(signed([close]))).toEqual({ ok: true });
    expect(world.run(signed([reopen], 2))).toMatchObject({ ok: false, code: 'AMENDMENTS_CLOSED' });
  });

  test.each<readonly [string, Action]>([
    ['an asset twice', { name: 'add_asset', args: { code: EUR, scale: 2 } }],
    ['a lane that is none', { name: 'reopen_lane', args: { network: ALPHA, asset: USD } }],
    ['an observer that a network needs', remove('observer-1' as ParticipantId)],
    ['a vault whose key the service does not have', addUsdVault(authorityAddress('other'))],
  ])('for %s, with all its other actions', (_, action) => {
    const world = new World();
    const gone: Action = { name: 'set_network_state', args: { id: BETA, state: 'paused' } };
    expect(world.run(signed([gone, action]))).toMatchObject({ ok: false, code: 'ACTION_INVALID' });
    expect(world.state.network(BETA)?.state).toBe('active');
    expect(world.state.nextAmendment()).toBe(1);
  });

  test('that takes away a bank with value, a live transfer or an unmatched lock', () => {
    const rich = new World();
    rich.deposit(BANK_C, 1n);
    const debtor = new World();
    debtor.submit(debtor.fromAlpha({ debtor: BANK_C }));
    const creditor = new World();
    creditor.submit(creditor.fromAlpha({ creditor: BANK_C }));
    const late = new World();
    const terms = late.fromAlpha({ debtor: BANK_C });
    late.submit(terms);
    const lock = late.lock(terms);
    late.later(ONE_HOUR_MS + 1).run(late.event(ALPHA, lock));
    for (const world of [rich, debtor, creditor, late]) {
      expect(world.run(signed([remove(BANK_C)]))).toMatchObject({ ok: false, code: 'ACTION_INVALID' });
    }
  });

  test('that switches to a version which some node does not have', () => {
    const world = new World();
    expect(world.run(signed([version(2)]))).toMatchObject({ ok: false, code: 'ACTION_INVALID' });
    world.facts = { supportedVersions: [1, 2], members: new Set() };
    expect(world.run(signed([version(2), version(3)]))).toMatchObject({ ok: false, code: 'ACTION_INVALID' });
    expect(world.state.header.registry.protocolVersion).toBe(1);
    expect(world.run(signed([version(2)]))).toEqual({ ok: true });
    expect(world.state.header.registry.protocolVersion).toBe(2);
  });

  test('that leaves no node which takes part', () => {
    const [a, b] = [nodeId('a'), nodeId('b')];
    const world = new World();
    world.run(signed([addNode(a), addNode(b)]));
    world.facts = { supportedVersions: [1], members: new Set([a]) };
    expect(world.run(signed([removeNode(a)], 2))).toMatchObject({ ok: false, code: 'ACTION_INVALID' });
    world.facts = { supportedVersions: [1], members: new Set([a, b]) };
    expect(world.run(signed([removeNode(a)], 2))).toEqual({ ok: true });
    expect(world.state.header.registry).toMatchObject({ nodes: new Set([b]), rekeyDue: 1 });
  });

  test('that makes such a bank something else', () => {
    const world = new World();
    world.deposit(BANK_C, 1n);
    const bank = world.state.participant(BANK_C);
    if (!bank) throw new Error('registered');
    const operator: Action = { name: 'set_participant', args: { ...bank, role: 'operator' } };
    expect(world.run(signed([operator]))).toMatchObject({ ok: false, code: 'ACTION_INVALID' });
  });
});

describe('an amendment', () => {
  test('takes away a bank that nothing binds', () => {
    const world = new World();
    expect(world.run(signed([remove(BANK_C)]))).toEqual({ ok: true });
    expect(world.state.participant(BANK_C)).toBeUndefined();
    expect(world.state.participantByCertificate(word(`certificate of ${BANK_C}`))).toBeUndefined();
  });

  test('opens a lane with a vault that starts empty', () => {
    const world = new World();
    const cap: Action = { name: 'set_exposure_cap', args: { network: ALPHA, asset: USD, amountMinor: 10n } };
    expect(world.run(signed([addUsdVault(), cap]))).toEqual({ ok: true });
    expect(world.state.vaultLedger(ALPHA, USD)).toMatchObject({ vaultMinor: 0n, nextEventSeq: 1, cursorBlock: 5 });
    expect(world.submit(world.fromAlpha({ asset: USD }))).toMatchObject({ ok: true });
  });

  test('reopens a halted lane, and what waited goes on with the next entry', () => {
    const world = new World();
    const terms = world.across();
    world.submit(terms);
    const rotated = { type: 'rotated', id: word('r'), authority: addressOf('x'), epoch: 2, byGuardian: true } as const;
    world.run(world.event(BETA, rotated));
    world.run(world.event(ALPHA, world.lock(terms)));
    expect(world.stateOf(terms)).toBe('FUNDED');
    world.run(signed([{ name: 'reopen_lane', args: { network: BETA, asset: EUR } }]));
    expect(world.state.vaultLedger(BETA, EUR)?.halted).toBe(false);
    expect(world.state.nextDeadlineMs()).toBe(world.nowMs);
    world.run({ type: 'clock' });
    expect(world.stateOf(terms)).toBe('RELAYING');
    expect(world.state.nextDeadlineMs()).toBe((terms.deliverByMs ?? 0) + 1);
  });

  test('raises the cap for what waited', () => {
    const world = new World();
    const cap = (amountMinor: bigint): Action => ({
      name: 'set_exposure_cap',
      args: { network: BETA, asset: EUR, amountMinor },
    });
    world.run(signed([cap(99n)]));
    const terms = world.across({ debtor: BANK_B, creditor: BANK_A });
    world.fund(terms);
    expect(world.stateOf(terms)).toBe('FUNDED');
    world.run(signed([cap(100n)], 2));
    world.run({ type: 'clock' });
    expect(world.stateOf(terms)).toBe('RELAYING');
  });
});
