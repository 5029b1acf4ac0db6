import type { StatesBook } from '@drawbridge/connector-sdk/states-book';
import { type Bytes32, parseBytes32 } from '@drawbridge/protocol/bytes32';
import { type StateRef, stateRef } from '@drawbridge/protocol/state-ref';
import { beforeEach, expect, test } from '@jest/globals';
import type { KeptState, StateStatus } from './agent-queries.ts';
import { owedEvidence } from './owed-evidence.ts';
import type { VaultOnLedger } from './vault-on-ledger.ts';

const tx = (byte: string): Bytes32 => parseBytes32(`0x${byte.repeat(32)}`);
const vault = tx('aa');
const limits = { maxPages: 4, maxSpenders: 2 };

let book: StatesBook;
let kept: KeptState[];
let spenders: Map<StateRef, Bytes32>;
let unknown: Set<StateRef>;
let mode: 'escrow' | 'issue';
let spendersAsked: number;

beforeEach(() => {
  book = { vault, proven: true, vaultState: stateRef(tx('01'), 0), permits: [stateRef(tx('02'), 0)], states: [] };
  kept = [
    { ref: stateRef(tx('01'), 0), kind: 'vault' },
    { ref: stateRef(tx('02'), 0), kind: 'permit' },
  ];
  spenders = new Map();
  unknown = new Set();
  mode = 'escrow';
  spendersAsked = 0;
});

const owed = () =>
  owedEvidence(
    vault,
    book,
    {
      vault: async () => ({ mode }) as VaultOnLedger,
      states: async () => kept,
      status: async (refs) => refs.map(statusOf),
      spender: async (ref) => {
        spendersAsked += 1;
        return spenders.get(ref);
      },
    },
    limits,
  );
const statusOf = (ref: StateRef): StateStatus =>
  unknown.has(ref) ? 'unknown' : spenders.has(ref) ? 'consumed' : 'unconsumed';

test('nothing, where book and node agree', async () => {
  kept.push({ ref: stateRef(tx('03'), 1), kind: 'coin' });
  book = { ...book, states: [{ ref: stateRef(tx('03'), 0), kind: 'coin' }] };
  expect(await owed()).toEqual({ transactions: [], burns: [], unexplained: 0, compared: 6 });
});

test('how the vault was made, before all else, until the core has seen it', async () => {
  book = { ...book, proven: false };
  kept.push({ ref: stateRef(tx('13'), 1), kind: 'coin' });
  expect((await owed()).transactions).toEqual([tx('01'), tx('13')]);
});

test('what made states that the book lacks, once each: a coin is named by its cash, a lock in escrow by its coin', async () => {
  kept = [
    { ref: stateRef(tx('11'), 0), kind: 'vault' },
    { ref: stateRef(tx('12'), 0), kind: 'permit' },
    { ref: stateRef(tx('12'), 3), kind: 'coin' },
    { ref: stateRef(tx('13'), 1), kind: 'coin' },
    { ref: stateRef(tx('14'), 2), kind: 'lock' },
  ];
  expect((await owed()).transactions).toEqual([tx('11'), tx('12'), tx('13')]);
});

test('a burn is told by its record alone', async () => {
  mode = 'issue';
  kept.push({ ref: stateRef(tx('14'), 0), kind: 'lock' }, { ref: stateRef(tx('15'), 0), kind: 'lock' });
  book = { ...book, states: [{ ref: stateRef(tx('15'), 0), kind: 'record' }] };
  expect(await owed()).toMatchObject({ transactions: [], burns: [tx('14')] });
});

test('who spent what the book holds, its vault state and permits too', async () => {
  spenders.set(book.vaultState, tx('21'));
  spenders.set(stateRef(tx('02'), 0), tx('22'));
  expect((await owed()).transactions).toEqual([tx('21'), tx('22')]);
});

test('no more spenders are asked for than allowed', async () => {
  const refs = ['31', '32', '33'].map((byte) => stateRef(tx(byte), 0));
  book = { ...book, states: refs.map((ref) => ({ ref, kind: 'coin' })) };
  for (const ref of refs) spenders.set(ref, tx('41'));
  expect((await owed()).transactions).toEqual([tx('41')]);
  expect(spendersAsked).toBe(2);
});

test('states that the node does not know, or cannot say who spent them, are counted', async () => {
  unknown.add(book.vaultState);
  const query = { vault: async () => ({ mode }) as VaultOnLedger, states: async () => kept };
  const found = await owedEvidence(
    vault,
    book,
    { ...query, status: async () => ['unknown', 'consumed'], spender: async () => undefined },
    limits,
  );
  expect(found).toMatchObject({ transactions: [], unexplained: 2 });
});
