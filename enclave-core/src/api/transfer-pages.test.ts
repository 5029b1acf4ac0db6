import type { TransferId } from '@drawbridge/protocol/ids';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Transfer, TransferState } from '../settlement/record.ts';
import { EUR, FakeCore, WORLD } from './testing/fake-core.ts';
import { listTransfers, parseCursor, type TransferCursor } from './transfer-pages.ts';

const LIVE: readonly TransferState[] = ['AWAITING_FUNDS', 'FUNDED', 'RELAYING', 'VOIDING'];
const ENDED: readonly TransferState[] = ['SETTLED', 'REJECTED', 'RETURNED'];

const transfer = (n: number, createdMs: number, state: TransferState): Transfer => ({
  terms: {
    id: `8a562c67-ca16-48ba-b074-${n.toString(16).padStart(12, '0')}` as TransferId,
    asset: EUR,
    amountMinor: 1n,
    debtor: n % 3 === 0 ? WORLD.beta : WORLD.alpha,
    creditor: n % 3 === 0 ? WORLD.alpha : WORLD.beta,
    onVoid: 'return',
  },
  state,
  createdMs,
  updatedMs: createdMs,
  instructions: [],
});

/** Reads all pages; `between` may change the core after each. */
function readAll(core: FakeCore, limit: number, state?: TransferState, between = (): void => undefined): Transfer[] {
  const all: Transfer[] = [];
  let after: TransferCursor | undefined;
  for (let pages = 0; pages < 1_000; pages++) {
    const page = listTransfers(core, { participant: WORLD.alpha, state, after, limit });
    if (!page) throw new Error('cursor refused');
    if (page.items.length > limit) throw new Error('page over its limit');
    all.push(...page.items);
    if (page.next === undefined) return all;
    after = parseCursor(page.next);
    expect(after).toBeDefined();
    between();
  }
  throw new Error('pages do not end');
}

const worlds = fc.record({
  states: fc.array(fc.constantFrom(...LIVE, ...ENDED), { maxLength: 40 }),
  /** Transfers that share one stamp, as those of a batch do. */
  together: fc.integer({ min: 1, max: 12 }),
  limit: fc.integer({ min: 1, max: 9 }),
});

function coreOf({ states, together }: { states: readonly TransferState[]; together: number }): FakeCore {
  const core = new FakeCore();
  states.forEach((state, n) => {
    core.put(transfer(n, Math.floor(n / together), state));
  });
  return core;
}
const idsOf = (transfers: readonly Transfer[]): string[] => transfers.map(({ terms }) => terms.id).sort();

describe('pages of transfers', () => {
  test('have every transfer exactly once', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const core = coreOf(world);
        expect(idsOf(readAll(core, world.limit))).toEqual(idsOf([...core.live.values(), ...core.ended.values()]));
      }),
    );
  });

  test('of one state have those of that state', () => {
    fc.assert(
      fc.property(worlds, fc.constantFrom(...LIVE, ...ENDED), (world, state) => {
        const core = coreOf(world);
        const expected = [...core.live.values(), ...core.ended.values()].filter((item) => item.state === state);
        expect(idsOf(readAll(core, world.limit, state))).toEqual(idsOf(expected));
      }),
    );
  });

  test('leave out none that ends while one reads', () => {
    fc.assert(
      fc.property(worlds, fc.array(fc.nat(), { maxLength: 40 }), (world, picks) => {
        const core = coreOf(world);
        const all = idsOf([...core.live.values(), ...core.ended.values()]);
        const queue = [...picks];
        const seen = readAll(core, world.limit, undefined, () => {
          const living = [...core.live.values()];
          const one = living[(queue.pop() ?? 0) % Math.max(living.length, 1)];
          if (one && queue.length > 0) core.put({ ...one, state: 'SETTLED' });
        });
        expect([...new Set(idsOf(seen))]).toEqual(all);
      }),
    );
  });
});

test.each([
  '',
  'x',
  'live',
  'live~1',
  'live~1~ALPHA',
  'live~x~ALPHA~y',
  'SETTLED',
  'SETTLED~',
  'SETTLED~1~2',
  'DONE~1',
  'SETTLED~-1',
  'constructor~1',
])('no cursor: %s', (text) => expect(parseCursor(text)).toBeUndefined());
