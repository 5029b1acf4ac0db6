/** Histories in folders of their own, what readers should see of them, and that they do. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AssetCode, NetworkId, ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import { expect } from '@jest/globals';
import fc from 'fast-check';
import { KeyRing } from '../../keys/key-ring.ts';
import type {
  EntryRecords,
  ParticipantEvent,
  StatementLine,
  Transfer,
  TransferState,
} from '../../settlement/record.ts';
import { decodeBlock, encodeBlock } from '../block-codec.ts';
import { History, type HistoryOptions } from '../history.ts';
import { LmdbStore } from '../lmdb-store.ts';

const BANKS = ['5493001KJTIIGC8Y1R12', 'BANKB', 'BANKC'] as ParticipantId[];
const EUR = 'EUR' as AssetCode;
const STATES: readonly TransferState[] = ['SETTLED', 'REJECTED', 'RELAYING'];
const word = (n: number): `0x${string}` => `0x${n.toString(16).padStart(64, '0')}`;

/** What readers should see, kept the simple way. */
export class Model {
  readonly transfers = new Map<string, Transfer>();
  readonly ended = new Map<string, Transfer[]>();
  readonly lines = new Map<string, StatementLine[]>();
  readonly events = new Map<string, ParticipantEvent[]>();
  #count = 0;

  #push<T>(map: Map<string, T[]>, key: string, item: T): void {
    map.set(key, [...(map.get(key) ?? []), item]);
  }

  entry(payments: readonly { debtor: number; creditor: number; state: number; amount: bigint }[]): EntryRecords {
    const transfers: Transfer[] = [];
    const lines: StatementLine[] = [];
    const events: ParticipantEvent[] = [];
    for (const payment of payments) {
      const n = ++this.#count;
      const debtor = BANKS[payment.debtor] as ParticipantId;
      const creditor = BANKS[payment.creditor] as ParticipantId;
      const state = STATES[payment.state] as TransferState;
      const id = `00000000-0000-4000-8000-${n.toString().padStart(12, '0')}` as TransferId;
      const terms = { id, asset: EUR, amountMinor: payment.amount, debtor, creditor, onVoid: 'return' as const };
      const edge = n % 3 === 0 && { source: { network: 'quorum-a' as NetworkId, depositor: word(n) as never } };
      const transfer: Transfer = {
        terms: { ...terms, ...edge, ...(n % 2 === 0 && { remittance: `invoice ${n}`, fundByMs: n }) },
        state,
        ...(state === 'REJECTED' && { reason: 'AM04' as const }),
        createdMs: n,
        // Where it is the stamp of lines and events, these are stored by their transfer.
        updatedMs: n + (n % 2),
        ...(n % 3 === 0 && { reference: word(n + 1) as never, lockId: word(n + 2) as never }),
        instructions: n % 5 === 0 ? [word(n + 3) as never] : [],
      };
      transfers.push(transfer);
      const parties = debtor === creditor ? [debtor] : [debtor, creditor];
      for (const party of parties) {
        if (state !== 'RELAYING') this.#push(this.ended, `${party}/${state}`, transfer);
        const line: StatementLine = {
          account: party,
          asset: EUR,
          line: (this.lines.get(party)?.length ?? 0) + 1,
          deltaMinor: party === debtor ? -payment.amount : payment.amount,
          balanceMinor: payment.amount * 3n,
          kind: 'payment',
          ...(n % 2 === 0 && { counterparty: creditor, transfer: { bank: debtor, id } }),
          stampMs: n,
        };
        this.#push(this.lines, party, line);
        lines.push(line);
        const number = (this.events.get(party)?.length ?? 0) + 1;
        const body: ParticipantEvent['body'] =
          n % 4 === 0
            ? {
                type: 'lock',
                network: 'quorum-a' as NetworkId,
                asset: EUR,
                lockId: word(n) as never,
                state: 'UNMATCHED',
              }
            : { type: 'transfer', bank: debtor, id, state, ...(state === 'REJECTED' && { reason: 'AM04' as const }) };
        const event: ParticipantEvent = { participant: party, number, stampMs: n, body };
        this.#push(this.events, party, event);
        events.push(event);
      }
      if (state !== 'RELAYING') this.transfers.set(`${debtor}/${id}`, transfer);
    }
    return { transfers, lines, events, alarms: [] };
  }
}

const payment = fc.record({
  debtor: fc.nat(2),
  creditor: fc.nat(2),
  state: fc.nat(2),
  amount: fc.oneof(fc.bigInt(1n, 1000n), fc.bigInt(2n ** 53n, 2n ** 63n - 1n)),
});

function collect<T>(page: (after: number) => { items: readonly T[]; next?: number }): T[] {
  const all: T[] = [];
  for (let after: number | undefined = 0; after !== undefined; ) {
    const { items, next } = page(after);
    all.push(...items);
    after = next;
  }
  return all;
}

export function expectSame(history: History, model: Model): void {
  for (const [key, transfer] of model.transfers) {
    const [bank, id] = key.split('/') as [ParticipantId, TransferId];
    expect(history.transfer(bank, id)).toEqual(transfer);
  }
  for (const bank of BANKS) {
    for (const state of STATES) {
      const ended = collect((after) => history.endedTransfers(bank, state, after, 3));
      expect(ended).toEqual(model.ended.get(`${bank}/${state}`) ?? []);
    }
    expect(collect((after) => history.statement(bank, EUR, after, 4))).toEqual(model.lines.get(bank) ?? []);
    expect(collect((after) => history.events(bank, after, 5))).toEqual(model.events.get(bank) ?? []);
  }
}

/** A folder for one history at a time, under one key. */
export class TemporaryHistory {
  readonly dir: string;
  readonly #keys = new KeyRing({ secret: randomBytes(32) });
  #open: History[] = [];

  private constructor(dir: string) {
    this.dir = dir;
  }

  static async make(): Promise<TemporaryHistory> {
    return new TemporaryHistory(await mkdtemp(join(tmpdir(), 'drawbridge-history-')));
  }

  start(options: Partial<HistoryOptions> = {}): History {
    const onFailure = (error: unknown): void => {
      throw error;
    };
    const history = new History(
      { dir: join(this.dir, 'history'), flushMs: 10_000, ...options },
      { keys: this.#keys, onFailure },
    );
    this.#open.push(history);
    return history;
  }

  async restart(history: History): Promise<History> {
    this.#open = this.#open.filter((other) => other !== history);
    await history.close();
    return this.start();
  }

  /** As a program of another format left it. */
  async restartWithMeta(history: History, meta: object): Promise<History> {
    this.#open = this.#open.filter((other) => other !== history);
    await history.close();
    const store = new LmdbStore(join(this.dir, 'history'));
    const sealed = this.#keys.seal('history', Buffer.from(JSON.stringify(meta)), Buffer.from('meta'));
    await store.write({ blocks: [], meta: sealed });
    await store.close();
    return this.start();
  }

  async clean(): Promise<void> {
    for (const history of this.#open) await history.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}

export async function expectTheSameFromEverywhere(folder: TemporaryHistory, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(payment, { maxLength: 6 }), { maxLength: 12 }),
      fc.nat(12),
      async (entries, cut) => {
        let history = folder.start({ cacheBytes: 4_000 });
        const model = new Model();
        for (const [i, payments] of entries.entries()) {
          if (i === cut) await history.flush();
          history.append(i + 1, model.entry(payments));
        }
        expectSame(history, model);
        await history.flush();
        expectSame(history, model);
        history = await folder.restart(history);
        expect(history.lastSeqno).toBe(entries.length);
        expectSame(history, model);
        await history.clear();
        history = await folder.restart(history);
        expectSame(history, new Model());
      },
    ),
    { numRuns },
  );
}

export function expectBlocksComeBack(numRuns: number): void {
  fc.assert(
    fc.property(fc.array(payment, { maxLength: 40 }), (payments) => {
      const { transfers, lines, events } = new Model().entry(payments);
      expect(decodeBlock(encodeBlock({ transfers, lines, events }))).toEqual({ transfers, lines, events });
    }),
    { numRuns },
  );
}
