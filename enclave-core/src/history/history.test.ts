import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KeyRing } from '../keys/key-ring.ts';
import type { EntryRecords } from '../settlement/record.ts';
import { History } from './history.ts';
import {
  expectBlocksComeBack,
  expectSame,
  expectTheSameFromEverywhere,
  Model,
  TemporaryHistory,
} from './testing/history-model.ts';

const NOTHING: EntryRecords = { transfers: [], lines: [], events: [], alarms: [] };

describe('history', () => {
  let folder: TemporaryHistory;
  beforeEach(async () => {
    folder = await TemporaryHistory.make();
  });
  afterEach(() => folder.clean());

  it('shows the same from the tail, from the store, across both, and after a restart, for some histories', () =>
    expectTheSameFromEverywhere(folder, 2));

  it('goes on numbering ended transfers after a restart', async () => {
    const model = new Model();
    let history = folder.start();
    history.append(1, model.entry([{ debtor: 0, creditor: 1, state: 0, amount: 5n }]));
    await history.flush();
    history = await folder.restart(history);
    history.append(2, model.entry([{ debtor: 0, creditor: 1, state: 0, amount: 6n }]));
    expectSame(history, model);
    await history.flush();
    expectSame(history, model);
  });

  it('finds a transfer whose place gathered in memory before a restart, and one whose place was stored', async () => {
    const model = new Model();
    let history = folder.start({ gatheredPlaces: 3 });
    for (let seqno = 1; seqno <= 7; seqno++) {
      history.append(seqno, model.entry([{ debtor: 0, creditor: 1, state: 0, amount: BigInt(seqno) }]));
      await history.flush();
    }
    expectSame(history, model);
    history = await folder.restart(history);
    expectSame(history, model);
  });

  describe('after an end of which nobody knows', () => {
    const digest = Buffer.alloc(32, 7);
    const model = new Model();
    const entries = [1, 2, 3, 4].map((amount) =>
      model.entry([{ debtor: 0, creditor: 1, state: 0, amount: BigInt(amount) }]),
    );
    const [one = NOTHING, two = NOTHING, three = NOTHING, four = NOTHING] = entries;

    /** Vouched for up to 2, and with 3 and an empty 4 behind it. */
    const left = async (): Promise<History> => {
      const history = folder.start();
      history.append(1, one);
      history.append(2, two);
      history.vouch(2, digest);
      await history.flush();
      history.append(3, three);
      history.append(4, NOTHING);
      await history.flush();
      return folder.restart(history);
    };

    it('is believed up to an entry with the state that it was vouched for with, and for nothing else', async () => {
      const history = await left();
      expect(history.believe(2, Buffer.alloc(32, 8))).toBe(false);
      expect(history.believe(3, digest)).toBe(false);
      expect(history.believe(2, digest)).toBe(true);
      await history.clear();
      expect(history.believe(2, digest)).toBe(false);
    });

    it('takes what comes again if it is the same, and goes on', async () => {
      const history = await left();
      history.believe(2, digest);
      for (const [at, records] of [one, two, three, NOTHING, four].entries()) history.append(at + 1, records);
      await history.flush();
      expect(history.lastSeqno).toBe(5);
      expectSame(history, model);
    });

    it.each([
      ['something else', 3, four],
      ['something less', 3, NOTHING],
      ['something more', 4, four],
    ])('stops at %s than it has', async (_, seqno, records) => {
      const history = await left();
      history.believe(2, digest);
      for (let before = 1; before < seqno; before++) history.append(before, entries[before - 1] ?? NOTHING);
      expect(() => history.append(seqno, records)).toThrow(expect.objectContaining({ code: 'HISTORY_DAMAGED' }));
    });

    it('knows of the newest three', async () => {
      let history = folder.start();
      history.append(1, one);
      for (const seqno of [1, 2, 3, 4]) {
        history.append(seqno, NOTHING);
        history.vouch(seqno, digest);
      }
      await history.flush();
      history = await folder.restart(history);
      expect([1, 2, 3, 4].map((seqno) => history.believe(seqno, digest))).toEqual([false, true, true, true]);
    });
  });

  it('passes over entries that it covers, so that a replay changes nothing', async () => {
    const model = new Model();
    const first = model.entry([{ debtor: 0, creditor: 1, state: 0, amount: 5n }]);
    let history = folder.start();
    history.append(7, first);
    history.append(8, NOTHING);
    await history.flush();
    history = await folder.restart(history);
    expect(history.lastSeqno).toBe(8);
    history.append(7, first);
    history.append(8, NOTHING);
    expectSame(history, model);
  });

  it.each([
    ['older', { seqno: 7 }],
    ['newer', { format: 2, seqno: 7, indexed: 3, stores: 1 }],
  ])('holds nothing that was written in an %s format, and takes it again once it is cleared', async (_, meta) => {
    const model = new Model();
    const first = model.entry([{ debtor: 0, creditor: 1, state: 0, amount: 5n }]);
    let history = folder.start();
    expect(history.isOutdated).toBe(false);
    history.append(7, first);
    await history.flush();
    history = await folder.restartWithMeta(history, meta);
    expect([history.isOutdated, history.lastSeqno]).toEqual([true, 0]);
    await history.clear();
    expect([history.isOutdated, history.lastSeqno]).toEqual([false, 0]);
    history.append(7, first);
    await history.flush();
    history = await folder.restart(history);
    expect(history.isOutdated).toBe(false);
    expectSame(history, model);
  });

  it('loses what was not flushed and takes it again from a replay', async () => {
    const model = new Model();
    const history = folder.start();
    history.append(1, model.entry([{ debtor: 0, creditor: 1, state: 0, amount: 5n }]));
    await history.flush();
    const second = model.entry([{ debtor: 1, creditor: 2, state: 1, amount: 6n }]);
    history.append(2, second);
    const again = await folder.restart(history);
    expect(again.lastSeqno).toBe(1);
    again.append(2, second);
    expectSame(again, model);
  });

  it('stores a tail that grew too large before a writer goes on', async () => {
    const history = folder.start({ maxTailBytes: 2_000 });
    const model = new Model();
    for (let seqno = 1; seqno <= 20; seqno++) {
      history.append(seqno, model.entry([{ debtor: 0, creditor: 1, state: 0, amount: BigInt(seqno) }]));
      await history.drained();
    }
    expectSame(history, model);
  });

  it('leaves neither names nor ids nor amounts on the disk', async () => {
    const history = folder.start();
    const model = new Model();
    history.append(1, model.entry([{ debtor: 0, creditor: 1, state: 0, amount: 987_654_321n }]));
    await history.flush();
    const files = await readdir(join(folder.dir, 'history'));
    expect(files).toContain('data.mdb');
    for (const file of files) {
      const bytes = await readFile(join(folder.dir, 'history', file));
      for (const text of ['5493001KJTIIGC8Y1R12', 'BANKB', '00000000-0000-4000', '987654321', 'SETTLED']) {
        expect(bytes.includes(text)).toBe(false);
      }
    }
  });

  it('answers another service with nothing but an error', async () => {
    const history = folder.start();
    history.append(1, new Model().entry([{ debtor: 0, creditor: 1, state: 0, amount: 1n }]));
    await history.flush();
    const other = new KeyRing({ secret: randomBytes(32) });
    await folder.restart(history);
    expect(
      () => new History({ dir: join(folder.dir, 'history') }, { keys: other, onFailure: () => undefined }),
    ).toThrow(expect.objectContaining({ code: 'SEAL_BROKEN' }));
  });
});

describe('block codec', () => {
  it('gives back every record, of some blocks', () => expectBlocksComeBack(10));
});
