import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AssetCode, NetworkId, ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { KeyRing } from '../keys/key-ring.ts';
import type { EntryRecords, ParticipantEvent, StatementLine, Transfer, TransferState } from '../settlement/record.ts';
import { decodeBlock, encodeBlock } from './block-codec.ts';
import { History, type HistoryOptions } from './history.ts';

const BANKS = ['5493001KJTIIGC8Y1R12', 'BANKB', 'BANKC'] as ParticipantId[];
const EUR = 'EUR' as AssetCode;
const STATES: readonly TransferState[] = ['SETTLED', 'REJECTED', 'RELAYING'];
const word = (n: number): `0x${string}` => `0x${n.toString(16).padStart(64, '0')}`;
const NOTHING: EntryRecords = { transfers: [], lines: [], events: [], alarms: [] };

/** What readers should see, kept the simple way. */
class Model {
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
        updatedMs: n + 1,
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

function expectSame(history: History, model: Model): void {
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

describe('history', () => {
  const keys = new KeyRing({ secret: randomBytes(32) });
  let dir: string;
  let open: History[];
  const start = (options: Partial<HistoryOptions> = {}): History => {
    const onFailure = (error: unknown): void => {
      throw error;
    };
    const history = new History({ dir: join(dir, 'history'), flushMs: 10_000, ...options }, { keys, onFailure });
    open.push(history);
    return history;
  };
  beforeEach(async () => {
    open = [];
    dir = await mkdtemp(join(tmpdir(), 'drawbridge-history-'));
  });
  afterEach(async () => {
    for (const history of open) await history.close();
    await rm(dir, { recursive: true, force: true });
  });
  const restart = async (history: History): Promise<History> => {
    open = open.filter((other) => other !== history);
    await history.close();
    return start();
  };

  it('shows the same from the tail, from the store, across both, and after a restart', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(payment, { maxLength: 6 }), { maxLength: 12 }),
        fc.nat(12),
        async (entries, cut) => {
          let history = start({ cacheBytes: 4_000 });
          const model = new Model();
          for (const [i, payments] of entries.entries()) {
            if (i === cut) await history.flush();
            history.append(i + 1, model.entry(payments));
          }
          expectSame(history, model);
          await history.flush();
          expectSame(history, model);
          history = await restart(history);
          expect(history.lastSeqno).toBe(entries.length);
          expectSame(history, model);
          await history.clear();
          history = await restart(history);
          expectSame(history, new Model());
        },
      ),
      { numRuns: 15 },
    );
  });

  it('goes on numbering ended transfers after a restart', async () => {
    const model = new Model();
    let history = start();
    history.append(1, model.entry([{ debtor: 0, creditor: 1, state: 0, amount: 5n }]));
    await history.flush();
    history = await restart(history);
    history.append(2, model.entry([{ debtor: 0, creditor: 1, state: 0, amount: 6n }]));
    expectSame(history, model);
    await history.flush();
    expectSame(history, model);
  });

  it('passes over entries that it covers, so that a replay changes nothing', async () => {
    const model = new Model();
    const first = model.entry([{ debtor: 0, creditor: 1, state: 0, amount: 5n }]);
    let history = start();
    history.append(7, first);
    history.append(8, NOTHING);
    await history.flush();
    history = await restart(history);
    expect(history.lastSeqno).toBe(8);
    history.append(7, first);
    history.append(8, NOTHING);
    expectSame(history, model);
  });

  it('loses what was not flushed and takes it again from a replay', async () => {
    const model = new Model();
    const history = start();
    history.append(1, model.entry([{ debtor: 0, creditor: 1, state: 0, amount: 5n }]));
    await history.flush();
    const second = model.entry([{ debtor: 1, creditor: 2, state: 1, amount: 6n }]);
    history.append(2, second);
    const again = await restart(history);
    expect(again.lastSeqno).toBe(1);
    again.append(2, second);
    expectSame(again, model);
  });

  it('stores a tail that grew too large before a writer goes on', async () => {
    const history = start({ maxTailBytes: 2_000 });
    const model = new Model();
    for (let seqno = 1; seqno <= 20; seqno++) {
      history.append(seqno, model.entry([{ debtor: 0, creditor: 1, state: 0, amount: BigInt(seqno) }]));
      await history.drained();
    }
    expectSame(history, model);
  });

  it('leaves neither names nor ids nor amounts on the disk', async () => {
    const history = start();
    const model = new Model();
    history.append(1, model.entry([{ debtor: 0, creditor: 1, state: 0, amount: 987_654_321n }]));
    await history.flush();
    const files = await readdir(join(dir, 'history'));
    expect(files).toContain('data.mdb');
    for (const file of files) {
      const bytes = await readFile(join(dir, 'history', file));
      for (const text of ['5493001KJTIIGC8Y1R12', 'BANKB', '00000000-0000-4000', '987654321', 'SETTLED']) {
        expect(bytes.includes(text)).toBe(false);
      }
    }
  });

  it('answers another service with nothing but an error', async () => {
    const history = start();
    history.append(1, new Model().entry([{ debtor: 0, creditor: 1, state: 0, amount: 1n }]));
    await history.flush();
    const other = new KeyRing({ secret: randomBytes(32) });
    await restart(history);
    expect(() => new History({ dir: join(dir, 'history') }, { keys: other, onFailure: () => undefined })).toThrow(
      expect.objectContaining({ code: 'SEAL_BROKEN' }),
    );
  });
});

describe('block codec', () => {
  it('gives back every record', () => {
    fc.assert(
      fc.property(fc.array(payment, { maxLength: 40 }), (payments) => {
        const { transfers, lines, events } = new Model().entry(payments);
        expect(decodeBlock(encodeBlock({ transfers, lines, events }))).toEqual({ transfers, lines, events });
      }),
    );
  });
});
