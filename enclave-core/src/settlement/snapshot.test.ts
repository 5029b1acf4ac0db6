import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { describe, expect, test } from '@jest/globals';
import { decode, encode } from 'cborg';
import { InvariantError } from './invariant-error.ts';
import { accountKey } from './keys.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts';
import { ALPHA, BANK_A, BETA, EUR, signedAmendment, World, word } from './testing/world.ts';
import { CodecError } from './tuples.ts';

/** Of the transfer that ended last. */
const referenceOf = ({ state }: World): Bytes32 => Array.from(state.pastReferences.values()).at(-1) ?? word('none');

/** A world with a row in every table. */
function richWorld(): World {
  const world = new World();
  world.deposit(BANK_A, 500n);
  const cancelled = world.fromAlpha();
  world.submit(cancelled);
  world.run({ type: 'cancelTransfer', bank: BANK_A, id: cancelled.id });
  world.fund(world.across({ onVoid: 'refund' }));
  world.submit(world.across({ remittance: 'for later' }));
  world.run({ type: 'cancelTransfer', bank: BANK_A, id: world.across().id });
  world.run(world.event(ALPHA, world.lock(world.fromAlpha(), { reference: word('nobody') })));
  world.run(world.event(ALPHA, world.lock(cancelled, { reference: referenceOf(world) })));
  world.run(signedAmendment(1, [{ name: 'set_exposure_cap', args: { network: BETA, asset: EUR, amountMinor: 50n } }]));
  world.submit(world.toBeta({ amountMinor: 60n }));
  return world;
}

describe('snapshots', () => {
  test('hold the whole state', () => {
    const { state } = richWorld();
    for (const table of [state.accounts, state.vaults, state.transfers, state.references, state.pastReferences]) {
      expect(table.size).toBeGreaterThan(0);
    }
    for (const table of [state.unmatched, state.instructions, state.parties, state.outboxEnds]) {
      expect(table.size).toBeGreaterThan(0);
    }
    const restored = decodeSnapshot(encodeSnapshot(state));
    for (const name of ['accounts', 'vaults', 'transfers', 'references', 'pastReferences', 'unmatched'] as const) {
      expect(new Map<string, unknown>(restored[name])).toEqual(new Map<string, unknown>(state[name]));
    }
    for (const name of ['instructions', 'parties', 'outboxEnds'] as const) {
      expect(new Map<string, unknown>(restored[name])).toEqual(new Map<string, unknown>(state[name]));
    }
    expect(restored.header).toEqual(state.header);
    expect(restored.secrets).toEqual(state.secrets);
    expect(restored.limits).toEqual(state.limits);
    expect(restored.serviceId).toBe(state.serviceId);
    expect(restored.spent.toShards()).toEqual(state.spent.toShards());
  });

  test('restore the indexes', () => {
    const { state } = richWorld();
    const restored = decodeSnapshot(encodeSnapshot(state));
    expect([...restored.liveTransfersOf(BANK_A)]).toEqual([...state.liveTransfersOf(BANK_A)]);
    expect([...restored.accountsOf(BANK_A)]).toEqual([...state.accountsOf(BANK_A)]);
    expect([...restored.openInstructions(BETA, 0)]).toEqual([...state.openInstructions(BETA, 0)]);
    expect(restored.participantByCertificate(word(`certificate of ${BANK_A}`))?.id).toBe(BANK_A);
    expect(restored.nextDeadlineMs()).toBe(state.nextDeadlineMs());
  });

  test('are the same for the same state', () => {
    expect(encodeSnapshot(richWorld().state)).toEqual(encodeSnapshot(richWorld().state));
  });

  test('are not taken of a state that contradicts itself', () => {
    const { state } = richWorld();
    const account = state.account(BANK_A, EUR);
    if (!account) throw new Error('the bank has an account');
    state.putAccount(accountKey(BANK_A, EUR), { ...account, postedMinor: account.postedMinor + 1n });
    expect(() => encodeSnapshot(state)).toThrow(InvariantError);
  });

  type Fields = unknown[];
  const spoil = (change: (fields: Fields) => void): Uint8Array => {
    const fields = decode(encodeSnapshot(richWorld().state)) as Fields;
    change(fields);
    return encode(fields);
  };
  const rows = (fields: Fields, at: number): unknown[][] => fields[at] as unknown[][];
  const lockOfBank = (fields: Fields): unknown[] => rows(fields, 12).find((lock) => lock[5] !== null) ?? [];
  test.each<readonly [string, (fields: Fields) => void]>([
    ['another version', (fields) => (fields[0] = 2)],
    ['a field more', (fields) => fields.push(null)],
    ['money from nowhere', (fields) => ((rows(fields, 7)[0] ?? [])[2] = '100000')],
    ['an account less', (fields) => rows(fields, 7).pop()],
    ['a vault less', (fields) => rows(fields, 8).pop()],
    ['a live transfer less', (fields) => rows(fields, 9).pop()],
    ['a reference less', (fields) => rows(fields, 10).pop()],
    ['an unmatched lock less', (fields) => rows(fields, 12).pop()],
    ['an instruction less', (fields) => rows(fields, 13).pop()],
    ['a live transfer that nobody was told of', (fields) => ((rows(fields, 9)[0] ?? [])[2] = 0)],
    ['an event of the future', (fields) => ((rows(fields, 9)[0] ?? [])[3] = 1_000)],
    ['a lock that its bank was not told of', (fields) => (lockOfBank(fields)[9] = null)],
    ['no spent ids', (fields) => (fields[15] = Array.from({ length: 256 }, () => new Uint8Array()))],
  ])('%s is refused', (_, change) => {
    expect(() => decodeSnapshot(spoil(change))).toThrow(CodecError);
  });
});
