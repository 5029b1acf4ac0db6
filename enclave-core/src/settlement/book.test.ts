import type { StateRef } from '@drawbridge/protocol/state-ref';
import { stateRef } from '@drawbridge/protocol/state-ref';
import { describe, expect, test } from '@jest/globals';
import { decode, encode } from 'cborg';
import type { BookRow, CoinRow } from './book.ts';
import { decodeEntry, encodeEntry } from './codec.ts';
import { InvariantError } from './invariant-error.ts';
import { assertAll } from './invariants.ts';
import { lockKey } from './keys.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts';
import type { SettlementState } from './state.ts';
import { onCorda } from './testing/corda-world.ts';
import { ALPHA, ALPHA_EUR, BANK_A, GAMMA_EUR, GENESIS, World, word } from './testing/world.ts';
import { CodecError } from './tuples.ts';

/** A book with coins, held and free, a void, a record of a lock, and a state that has a successor. */
function richWorld(): World {
  const world = new World({}, onCorda(GENESIS));
  world.deposit(BANK_A, 500n);
  world.deposit(BANK_A, 200n);
  const terms = world.terms({
    amountMinor: 150n,
    destination: { network: ALPHA, beneficiary: word('customer') },
    deliverByMs: world.nowMs + 1_000,
  });
  world.submit(terms);
  world.run({ type: 'cancelTransfer', bank: BANK_A, id: terms.id });
  world.run(world.event(ALPHA, world.lock(world.terms(), { reference: word('nobody') })));
  world.run(world.event(ALPHA, { type: 'guardianProposed' }));
  return world;
}

describe('a snapshot', () => {
  test('holds the books', () => {
    const { state } = richWorld();
    const restored = decodeSnapshot(encodeSnapshot(state));
    for (const name of ['books', 'coinRows', 'recordRows', 'instructions'] as const) {
      expect(state[name].size).toBeGreaterThan(0);
      expect(new Map<string, unknown>(restored[name])).toEqual(new Map<string, unknown>(state[name]));
    }
    expect(encodeSnapshot(restored)).toEqual(encodeSnapshot(state));
  });

  test('of a service without Corda vaults has the form that it had', () => {
    expect((decode(encodeSnapshot(new World().state)) as unknown[]).length).toBe(17);
    expect((decode(encodeSnapshot(richWorld().state)) as unknown[])[0]).toBe(3);
  });

  type Fields = unknown[][][];
  test.each<readonly [string, (books: Fields, fields: unknown[]) => void]>([
    ['no books', (_, fields) => fields.pop()],
    ['a book less', (books) => books[0]?.pop()],
    ['a coin less', (books) => books[1]?.pop()],
    ['a record less', (books) => books[2]?.pop()],
    ['the version of no books', (_, fields) => (fields[0] = 1)],
    ['the version of books without proof', (_, fields) => (fields[0] = 2)],
  ])('with %s is refused', (_, spoil) => {
    const fields = decode(encodeSnapshot(richWorld().state)) as unknown[];
    spoil(fields[17] as Fields, fields);
    expect(() => decodeSnapshot(encode(fields))).toThrow(CodecError);
  });
});

describe('a book that contradicts the state is found', () => {
  const bookIn = (state: SettlementState): BookRow => {
    const book = state.books.get(ALPHA_EUR);
    if (!book) throw new Error('alpha is on Corda');
    return book;
  };
  const coinIn = (state: SettlementState, held: boolean): [Parameters<typeof state.coinRows.get>[0], CoinRow] => {
    const found = [...state.coinRows].find(([, { heldBy }]) => (heldBy !== undefined) === held);
    if (!found) throw new Error('there is such a coin');
    return found;
  };
  const elsewhere: StateRef = stateRef(word('elsewhere'), 5);
  const spoils: readonly (readonly [string, (state: SettlementState) => void])[] = [
    ['a book of a vault that counts', (state) => state.books.set(GAMMA_EUR, bookIn(state))],
    ['no book', (state) => state.books.delete(ALPHA_EUR)],
    [
      'a permit less',
      (state) => state.books.set(ALPHA_EUR, { ...bookIn(state), permits: bookIn(state).permits.slice(0, 2) }),
    ],
    [
      'a permit twice',
      (state) => {
        const [first, second] = bookIn(state).permits;
        if (first && second) state.books.set(ALPHA_EUR, { ...bookIn(state), permits: [first, second, second] });
      },
    ],
    ['another sum', (state) => state.books.set(ALPHA_EUR, { ...bookIn(state), coinsMinor: 1n })],
    [
      'a coin worth more',
      (state) => {
        const [name, coin] = coinIn(state, false);
        state.coinRows.set(name, { ...coin, amountMinor: coin.amountMinor + 1n });
      },
    ],
    [
      'a coin under another name',
      (state) => {
        const [name, coin] = coinIn(state, false);
        state.coinRows.set(name, { ...coin, ref: elsewhere });
      },
    ],
    [
      'a coin held by nobody',
      (state) => {
        const [name, { heldBy: _, ...coin }] = coinIn(state, true);
        state.coinRows.set(name, coin);
      },
    ],
    [
      'a coin held by somebody',
      (state) => {
        const [name, coin] = coinIn(state, false);
        state.coinRows.set(name, { ...coin, heldBy: word('nobody') });
      },
    ],
    [
      'a permit held by somebody',
      (state) =>
        state.books.set(ALPHA_EUR, {
          ...bookIn(state),
          permits: bookIn(state).permits.map((permit) => ({ ...permit, heldBy: word('nobody') })),
        }),
    ],
    [
      'an instruction without states',
      (state) => {
        for (const [id, { states: _, ...open }] of state.instructions) state.instructions.set(id, open);
      },
    ],
    [
      'a void of other states',
      (state) => {
        for (const [id, open] of state.instructions)
          if (open.kind === 'void' && open.states)
            state.instructions.set(id, { ...open, states: { ...open.states, coins: [] } });
      },
    ],
    ['no record of an unmatched lock', (state) => state.recordRows.clear()],
    ['a record of no lock', (state) => state.recordRows.set(lockKey(ALPHA_EUR, word('none')), elsewhere)],
    [
      'a record that is the vault',
      (state) => {
        for (const name of state.recordRows.keys()) state.recordRows.set(name, bookIn(state).tip);
      },
    ],
  ];
  test.each(spoils)('%s', (_, spoil) => {
    const { state } = richWorld();
    expect(() => assertAll(state)).not.toThrow();
    spoil(state);
    expect(() => assertAll(state)).toThrow(InvariantError);
  });

  test('by the command that touched it', () => {
    const world = richWorld();
    const book = bookIn(world.state);
    world.state.books.set(ALPHA_EUR, { ...book, coinsMinor: book.coinsMinor + 1n });
    expect(() => world.deposit(BANK_A, 10n)).toThrow(InvariantError);
  });
});

test('consumed states are read in ascending order alone', () => {
  const world = new World({}, onCorda(GENESIS));
  const command = world.event(ALPHA, world.lock(world.terms()));
  if (command.type !== 'stateEvent') throw new Error('alpha is on Corda');
  const written = (consumed: readonly StateRef[]): Uint8Array =>
    encodeEntry({
      version: 1,
      stampMs: 1,
      clockProtected: false,
      commands: [{ ...command, event: { ...command.event, consumed } }],
    });
  const [low, high] = [stateRef(word('a'), 1), stateRef(word('a'), 2)];
  expect(() => decodeEntry(written([low, high]))).not.toThrow();
  for (const refs of [
    [high, low],
    [low, low],
  ])
    expect(() => decodeEntry(written(refs))).toThrow(CodecError);
  expect(() => written(Array.from({ length: 513 }, (_, i) => stateRef(word('a'), i)))).toThrow(CodecError);
});
