/** What holds for every history of commands, hostile ones included. README.md lists the mutations that each one caught. */
import type { Action } from '@drawbridge/governance/action';
import type { Genesis } from '@drawbridge/governance/genesis';
import type { NetworkId, ParticipantId } from '@drawbridge/protocol/ids';
import { type StateRef, sortedRefs, stateAfter } from '@drawbridge/protocol/state-ref';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeEntry, encodeEntry } from './codec.ts';
import type { Command, Entry } from './command.ts';
import { Draft } from './draft.ts';
import { initialState } from './genesis-state.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import type { EntryRecords, ParticipantEvent } from './record.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts';
import type { SettlementState } from './state.ts';
import { onCorda } from './testing/corda-world.ts';
import {
  ABOUT_LOCKS,
  commandOf,
  fundedWorld,
  SMALL_LIMITS,
  type Step,
  steps,
  TIGHT_GENESIS,
} from './testing/random-steps.ts';
import {
  ALPHA,
  BANK_A,
  BANK_B,
  BANK_C,
  BETA,
  EUR,
  SECRETS,
  START_MS,
  signedAmendment,
  transferId,
  World,
  word,
} from './testing/world.ts';

const RUNS = { numRuns: 15 };
/** For what would let replicas differ, which seldom shows. */
const MORE_RUNS = { numRuns: 60 };
/** What banks do, and what is done with locks that fit nothing. */
const histories = (maxLength: number): fc.Arbitrary<Step[]> =>
  fc.oneof(steps(maxLength), steps(maxLength, ABOUT_LOCKS));
const hex = (state: SettlementState): string => Buffer.from(encodeSnapshot(state)).toString('hex');
const entryOf = (world: World, ...commands: Command[]): Entry => ({
  version: 1,
  stampMs: world.nowMs,
  clockProtected: false,
  commands,
});

function applyTo(state: SettlementState, ...entries: Entry[]): EntryRecords[] {
  const draft = new Draft(state);
  const records = entries.map((entry) => draft.apply(entry).records);
  draft.commit();
  return records;
}

/** Runs a history, one entry for each step. @returns the world and the entries, those that funded it included. */
function liveOn(
  genesis: Genesis,
  history: readonly Step[],
  limits: Partial<Limits>,
): { world: World; entries: Entry[] } {
  const world = fundedWorld(limits, genesis);
  const start = world.entries.length;
  for (const step of history) world.later(step.waitMs).run(commandOf(world, step));
  expect(world.entries.length - start).toBe(history.length);
  return { world, entries: world.entries };
}

const freshOn = (genesis: Genesis, limits: Partial<Limits>): SettlementState =>
  initialState(genesis, SECRETS, START_MS, { ...DEFAULT_LIMITS, ...limits });

/** What evidence said, of vaults that count and of vaults on ledgers of states. */
const eventIn = (command: Command | undefined) =>
  command?.type === 'vaultEvent' || command?.type === 'stateEvent' ? command : undefined;

const WORLDS = [
  ['where vaults count their events', TIGHT_GENESIS],
  ['where two vaults are on Corda', onCorda(TIGHT_GENESIS)],
] as const;

/** Written against the view alone, apart from `invariants.ts`. */
function expectSound(state: SettlementState): void {
  const sums = new Map<string, bigint>();
  const add = (asset: string, minor: bigint): Map<string, bigint> => sums.set(asset, (sums.get(asset) ?? 0n) + minor);
  for (const { id } of state.participants()) {
    for (const { asset, postedMinor, pendingMinor } of state.accountsOf(id)) {
      add(asset, postedMinor);
      expect(pendingMinor >= 0n && postedMinor >= pendingMinor).toBe(true);
    }
  }
  for (const { vault, vaultMinor, transitMinor, suspenseMinor } of state.vaultLedgers()) {
    add(vault.asset, vaultMinor + transitMinor + suspenseMinor);
    expect(transitMinor >= 0n && suspenseMinor >= 0n).toBe(true);
    expect(vault.mode === 'escrow' ? vaultMinor <= 0n : vaultMinor >= 0n).toBe(true);
  }
  for (const sum of sums.values()) expect(sum).toBe(0n);
}

describe.each(WORLDS)('for every history %s', (_, genesis) => {
  const live = (history: readonly Step[], limits: Partial<Limits>) => liveOn(genesis, history, limits);
  const fresh = (limits: Partial<Limits>): SettlementState => freshOn(genesis, limits);

  test('value is conserved and nothing is negative', () => {
    fc.assert(
      fc.property(histories(60), (history) => {
        const world = fundedWorld(SMALL_LIMITS, genesis);
        for (const step of history) {
          world.later(step.waitMs).run(commandOf(world, step));
          expectSound(world.state);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('statement lines and events are contiguous and add up to the balances', () => {
    fc.assert(
      fc.property(histories(60), (history) => {
        const { world } = live(history, SMALL_LIMITS);
        const balances = new Map<string, { minor: bigint; line: number }>();
        const numbers = new Map<string, number>();
        for (const { lines, events } of world.records) {
          for (const { account, asset, line, deltaMinor, balanceMinor } of lines) {
            const before = balances.get(`${account}/${asset}`) ?? { minor: 0n, line: 0 };
            expect(line).toBe(before.line + 1);
            expect(balanceMinor).toBe(before.minor + deltaMinor);
            balances.set(`${account}/${asset}`, { minor: balanceMinor, line });
          }
          for (const { participant, number } of events) {
            expect(number).toBe((numbers.get(participant) ?? 0) + 1);
            numbers.set(participant, number);
          }
        }
        for (const [key, account] of world.state.accounts) {
          expect(balances.get(key) ?? { minor: 0n, line: 0 }).toEqual({
            minor: account.postedMinor,
            line: account.lines,
          });
        }
      }),
      RUNS,
    );
  });

  test('whatever is open knows the last event that told of it', () => {
    const known = { transfers: 0, locks: 0 };
    const last = (world: World, told: ParticipantId, isIt: (body: ParticipantEvent['body']) => boolean) =>
      world.records
        .flatMap(({ events }) => events)
        .findLast(({ participant, body }) => participant === told && isIt(body))?.number;
    fc.assert(
      fc.property(steps(60, ABOUT_LOCKS), (history) => {
        const { world } = live(history, SMALL_LIMITS);
        for (const { transfer } of world.state.transfers.values()) {
          const { id, debtor: bank, creditor } = transfer.terms;
          for (const told of [bank, creditor]) {
            const number = last(
              world,
              told,
              (body) => body.type === 'transfer' && body.id === id && body.bank === bank,
            );
            expect(number).toBeGreaterThan(0);
            expect(world.state.lastEventOf(told, bank, id)).toBe(number);
          }
          known.transfers += 1;
        }
        for (const { lockId, transfer, lastEvent } of world.state.unmatched.values()) {
          const number =
            transfer && last(world, transfer.bank, (body) => body.type === 'lock' && body.lockId === lockId);
          expect(lastEvent).toBe(number);
          known.locks += transfer ? 1 : 0;
        }
      }),
      { numRuns: 60 },
    );
    expect(Math.min(known.transfers, known.locks)).toBeGreaterThan(0);
  });

  test('an id is spent once', () => {
    fc.assert(
      fc.property(histories(60), (history) => {
        const { world, entries } = live(history, SMALL_LIMITS);
        const submitted = new Set<string>();
        const locked = new Set<string>();
        const instructed = new Map<string, string>();
        entries.forEach((entry, i) => {
          const [command] = entry.commands;
          const outcome = world.outcomes[i];
          if (command?.type === 'submitTransfer' && outcome?.ok && !outcome.repeated) {
            const id = `${command.terms.debtor}/${command.terms.id}`;
            expect(submitted.has(id)).toBe(false);
            submitted.add(id);
          }
          const told = eventIn(command);
          if (told?.event.type === 'locked' && outcome?.ok) {
            const id = `${told.network}/${told.event.lockId}`;
            expect(locked.has(id)).toBe(false);
            locked.add(id);
          }
        });
        for (const { transfers } of world.records) {
          for (const { terms, instructions } of transfers) {
            const owner = `${terms.debtor}/${terms.id}`;
            for (const id of instructions) expect(instructed.get(id) ?? owner).toBe(owner);
            expect(new Set(instructions).size).toBe(instructions.length);
            for (const id of instructions) instructed.set(id, owner);
          }
        }
      }),
      RUNS,
    );
  });

  test('an instruction has one end, and a lock goes back or is claimed once', () => {
    let revived = 0;
    fc.assert(
      fc.property(steps(60, ABOUT_LOCKS), (history) => {
        const { world, entries } = live(history, SMALL_LIMITS);
        const ended = new Set<string>();
        const gone = new Set<string>();
        const once = (set: Set<string>, id: string): void => {
          expect(set.has(id)).toBe(false);
          set.add(id);
        };
        entries.forEach((entry, i) => {
          const [command] = entry.commands;
          if (!world.outcomes[i]?.ok || command === undefined) return;
          if (command.type === 'claimLock') once(gone, `${command.network}/${command.lockId}`);
          const told = eventIn(command);
          if (told === undefined) return;
          const { event, network } = told;
          if (event.type === 'executed') once(ended, event.id);
          if (event.type === 'executed' && event.kind === 'refund') once(gone, `${network}/${event.subject}`);
          if (event.type === 'voided') once(ended, event.subject);
        });
        for (const { refundsVoided } of world.state.unmatched.values()) revived += refundsVoided;
      }),
      { numRuns: 60 },
    );
    // Histories without a refund that was void would show nothing.
    expect(revived).toBeGreaterThan(0);
  });

  test('a refusal changes nothing', () => {
    fc.assert(
      fc.property(histories(40), (history) => {
        const world = fundedWorld(SMALL_LIMITS, genesis);
        for (const step of history) {
          const before = encodeSnapshot(world.state);
          const outcome = world.later(step.waitMs).run(commandOf(world, step));
          if (outcome.ok) continue;
          const idle = decodeSnapshot(before);
          applyTo(idle, entryOf(world));
          const halted = world.records.at(-1)?.alarms.find(({ type }) => type === 'LANE_HALTED');
          if (halted) {
            const key = `${halted.network}/${halted.asset}` as Parameters<typeof idle.vaults.get>[0];
            const row = idle.vaults.get(key);
            if (row) idle.vaults.set(key, { ...row, halted: true });
          }
          expect(hex(world.state)).toBe(hex(idle));
        }
      }),
      RUNS,
    );
  });

  test('replaying the encoded log gives the same bytes and records', () => {
    fc.assert(
      fc.property(histories(60), (history) => {
        const { world, entries } = live(history, SMALL_LIMITS);
        const replayed = fresh(SMALL_LIMITS);
        const records = entries.flatMap((entry) => applyTo(replayed, decodeEntry(encodeEntry(entry))));
        expect(hex(replayed)).toBe(hex(world.state));
        expect(records).toEqual(world.records);
      }),
      RUNS,
    );
  });

  test('one draft for many entries is the same as one for each', () => {
    fc.assert(
      fc.property(histories(60), fc.integer({ min: 2, max: 20 }), (history, size) => {
        const { world, entries } = live(history, SMALL_LIMITS);
        const batched = fresh(SMALL_LIMITS);
        const records: EntryRecords[] = [];
        for (let i = 0; i < entries.length; i += size) records.push(...applyTo(batched, ...entries.slice(i, i + size)));
        expect(hex(batched)).toBe(hex(world.state));
        expect(records).toEqual(world.records);
      }),
      MORE_RUNS,
    );
  });

  test('commands of one stamp in one entry are the same as one by one', () => {
    fc.assert(
      fc.property(histories(60), (history) => {
        const { world, entries } = live(history, {});
        const merged: Entry[] = [];
        for (const entry of entries) {
          const last = merged.at(-1);
          // What an amendment lets go on has its turn with the next entry.
          const isRoundDue = last?.commands.at(-1)?.type === 'amendment';
          if (last?.stampMs !== entry.stampMs || isRoundDue) merged.push(entry);
          else merged[merged.length - 1] = { ...last, commands: [...last.commands, ...entry.commands] };
        }
        const state = fresh({});
        const records = applyTo(state, ...merged);
        expect(hex(state)).toBe(hex(world.state));
        expect(records.flatMap(({ lines }) => lines)).toEqual(world.records.flatMap(({ lines }) => lines));
      }),
      RUNS,
    );
  });

  test('a snapshot and the tail of the log are the same as the whole log', () => {
    fc.assert(
      fc.property(histories(60), fc.nat(100), (history, percent) => {
        const { world, entries } = live(history, SMALL_LIMITS);
        const cut = Math.floor((entries.length * percent) / 100);
        const early = fresh(SMALL_LIMITS);
        applyTo(early, ...entries.slice(0, cut));
        const restored = decodeSnapshot(encodeSnapshot(early));
        expect(hex(restored)).toBe(hex(early));
        const records = entries.slice(cut).flatMap((entry) => applyTo(restored, entry));
        expect(hex(restored)).toBe(hex(world.state));
        expect(records).toEqual(world.records.slice(cut));
        expect(restored.nextDeadlineMs()).toBe(world.state.nextDeadlineMs());
      }),
      RUNS,
    );
  });

  test('queries read what is committed, whatever a draft holds', () => {
    fc.assert(
      fc.property(histories(30), (history) => {
        const { world } = live(history, SMALL_LIMITS);
        const before = hex(world.state);
        const draft = new Draft(world.state);
        for (const step of history) draft.apply(entryOf(world.later(step.waitMs), commandOf(world, step)));
        expect(hex(world.state)).toBe(before);
      }),
      RUNS,
    );
  });
});

describe('a ledger of states', () => {
  test('has in the end the states that the book has, and paid what the core says', () => {
    const known = { paid: 0, voided: 0, refunded: 0, several: 0, waited: 0, compared: 0 };
    fc.assert(
      fc.property(histories(80), (history) => {
        const world = new World(SMALL_LIMITS, onCorda(TIGHT_GENESIS));
        for (let n = 0; n < 24; n++) world.deposit([BANK_A, BANK_B, BANK_C][n % 3] ?? BANK_A, 60n);
        for (const step of history) {
          world.later(step.waitMs).run(commandOf(world, step));
          // Pieces that no single coin suffices for.
          if (step.b % 4 === 0) world.submit(outOfAlpha(world, step));
          if (world.state.nextDeadlineMs() !== undefined && world.state.waiting.size > 0) known.waited += 1;
          for (const { states } of world.state.instructions.values())
            if ((states?.coins.length ?? 0) > 1) known.several++;
        }
        // What lies have halted and paused is opened, so that nothing but the ledger's word is missing.
        const reopen: Action[] = [ALPHA, BETA].flatMap((network): Action[] => [
          { name: 'set_network_state', args: { id: network, state: 'active' } },
          { name: 'reopen_lane', args: { network, asset: EUR } },
        ]);
        expect(world.run(signedAmendment(world.state.nextAmendment(), reopen))).toEqual({ ok: true });
        for (let owed = world.owed(); owed.length > 0; owed = world.owed()) {
          const before = owed.length;
          for (const command of owed) world.run(command);
          if (world.owed().length >= before) break;
        }
        for (const [network, ledger] of world.ledgers) {
          const told = ledger.notarised.filter(({ type }) => type === 'executed' || type === 'voided');
          known.voided += told.filter(({ type }) => type === 'voided').length;
          known.paid += told.length;
          known.refunded += told.filter((event) => event.type === 'executed' && event.kind === 'refund').length;
          const owed = world.owed().filter((command) => command.type === 'stateEvent' && command.network === network);
          // A burn above what is outstanding is a lie about tokens that nobody issued: it is never taken.
          if (owed.length > 0) continue;
          known.compared += 1;
          expect(unspentIn(world.state, network)).toEqual(ledger.unspent());
        }
      }),
      { numRuns: 60 },
    );
    // Histories in which one of these never happens would show little.
    expect(Object.entries(known).filter(([, count]) => count === 0)).toEqual([]);
  });
});

const outOfAlpha = (world: World, { a, amount }: Step) =>
  world.terms({
    id: transferId(100_000 + world.entries.length),
    debtor: [BANK_A, BANK_B, BANK_C][a % 3] ?? BANK_A,
    amountMinor: BigInt(amount >> 1) + 1n,
    destination: { network: ALPHA, beneficiary: word(`beneficiary ${a % 3}`) },
    deliverByMs: world.nowMs + 600_000,
  });

function unspentIn(state: SettlementState, network: NetworkId): StateRef[] {
  const book = state.book(network, EUR);
  if (book === undefined) throw new Error('a Corda vault has a book');
  const coins = [...state.coins(network, EUR)].flatMap(({ ref }) => [ref, stateAfter(ref, 1)]);
  return sortedRefs([book.tip, ...book.permits.map(({ ref }) => ref), ...coins]);
}
