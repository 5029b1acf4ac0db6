import { Buffer } from 'node:buffer';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { FileLogStore } from '../file-log-store.ts';
import { saveSnapshot } from '../save-snapshot.ts';
import { CrashDisk } from '../testing/crash-disk.ts';
import { all } from '../testing/log-model.ts';
import {
  type Acknowledged,
  expectAll,
  expectNothingLost,
  expectTruthful,
  live,
  loaded,
  openOn,
  randomOf,
} from '../testing/log-through-crashes.ts';
import { MemoryDisk } from '../testing/memory-disk.ts';
import { entry, range, snapshotAt, TemporaryLogs } from '../testing/temporary-log.ts';
import { LogDamagedError } from './log-errors.ts';

const logs = new TemporaryLogs();
afterEach(() => logs.clean());

const segments = (disk: MemoryDisk): string[] =>
  [...disk.files.keys()].filter((name) => name.endsWith('.dblog')).map((name) => name.slice(-8, -6));

/** Segments of 4 KiB, each with three batches of one entry. */
async function filled(disk: MemoryDisk, last: number): Promise<FileLogStore> {
  const store = await logs.open('log', { segmentBytes: 4096 }, { disk });
  for (let index = 1; index <= last; index++) {
    const entries = [entry(index, 1, Buffer.alloc(700, index))];
    await store.append({ entries, hardState: { term: 1, vote: 1, commit: index }, installed: null });
  }
  return store;
}

describe('dropping segments', () => {
  test('what no kept snapshot needs goes, and nothing else', async () => {
    const disk = new MemoryDisk();
    const store = await filled(disk, 20);
    const whole = segments(disk);
    expect(whole.length).toBeGreaterThan(5);
    await store.dropBefore(20);
    expect(segments(disk)).toEqual(whole);
    await saveSnapshot(store, snapshotAt(8));
    await saveSnapshot(store, snapshotAt(18));
    await store.dropBefore(18);
    const afterBoth = segments(disk);
    const left = (await all(store)).map(({ index }) => index);
    expect(left[0]).toBeGreaterThan(5);
    expect(left).toEqual(range(Math.min(8, left[0] ?? 0), 20).map(({ index }) => index));
    await saveSnapshot(store, snapshotAt(20));
    await store.dropBefore(12);
    expect((await all(store)).at(0)?.index).toBeLessThanOrEqual(12);
    await store.dropBefore(20);
    expect(segments(disk).length).toBeLessThan(afterBoth.length);
    expect((await all(store)).map(({ index }) => index)).toContain(18);
    await store.close();
    const again = await logs.open('log', { segmentBytes: 4096 }, { disk });
    expect(await again.load()).toMatchObject({ snapshot: { index: 20 }, entries: [], hardState: { commit: 20 } });
    await again.append({ entries: [entry(21)], hardState: { term: 1, vote: 1, commit: 21 }, installed: null });
    expect((await all(again, 19)).map(({ index }) => index)).toEqual([19, 20, 21]);
  });

  test('the older of two snapshots still starts a node when the newer one is damaged', async () => {
    const disk = new MemoryDisk();
    const store = await filled(disk, 20);
    for (const index of [4, 12, 19]) await saveSnapshot(store, snapshotAt(index));
    await store.dropBefore(19);
    await store.close();
    const path = 'log/snapshot-0000000000000019.dbsnap';
    disk.files.get(path)?.writeUInt8(1, 70);
    const again = await logs.open('log', { segmentBytes: 4096 }, { disk });
    const { snapshot, entries, damagedSnapshots } = await again.load();
    expect(snapshot?.index).toBe(12);
    expect(entries.map(({ index }) => index)).toEqual(range(13, 20).map(({ index }) => index));
    expect(damagedSnapshots).toMatchObject([{ file: path }]);
  });

  test('a log whose beginning is gone without a snapshot that covers it is damaged, and the words say so', async () => {
    const disk = new MemoryDisk();
    const store = await filled(disk, 20);
    await saveSnapshot(store, snapshotAt(5));
    await store.close();
    for (const number of [1, 2, 3]) disk.files.delete(`log/segment-00000000000${number}.dblog`);
    const refused = logs.open('log', { segmentBytes: 4096 }, { disk });
    await expect(refused).rejects.toMatchObject({
      code: 'LOG_DAMAGED',
      file: 'log/segment-000000000003.dblog',
      offset: 0,
      reason: expect.stringMatching(/begins with entry \d+, and the newest whole snapshot ends at entry 5/),
      advice: expect.stringMatching(/Do not delete/),
    });
  });

  test('a long life takes bounded space', async () => {
    const disk = new CrashDisk();
    const acknowledged: Acknowledged = { index: 0, commit: 0, snapshot: 0 };
    await live(disk, acknowledged);
    await live(disk, acknowledged);
    const { bytes } = disk;
    for (let life = 0; life < 20; life++) await live(disk, acknowledged);
    expect(acknowledged.index).toBeGreaterThan(1500);
    expect(disk.bytes).toBeLessThan(1.5 * bytes);
  });
});

describe('loss of power', () => {
  test('at some point of appending, saving and dropping loses nothing that was acknowledged', () =>
    expectNothingLost(23, 7));

  test('on a disk that lies about its syncs never yields what was not written, and a shorter log is noticed', async () => {
    let refused = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const random = randomOf(seed);
      const disk = new CrashDisk();
      const acknowledged: Acknowledged = { index: 0, commit: 0, snapshot: 0 };
      await live(disk, acknowledged);
      const before = { ...acknowledged };
      disk.lying = true;
      await live(disk, acknowledged);
      disk.lying = false;
      disk.restart(random);
      try {
        const stored = await loaded(disk);
        expectTruthful(stored);
        expectAll(stored, before);
      } catch (error) {
        if (!(error instanceof LogDamagedError)) throw error;
        refused += 1;
        expect(error.file).toMatch(/^log\//);
        expect(error.advice).toMatch(/remove this node from the group/);
      }
    }
    expect(refused).toBeGreaterThan(0);
  });

  test('between a snapshot and its log: a snapshot on disk never commits more than the log on disk knows', async () => {
    const disk = new CrashDisk();
    const acknowledged: Acknowledged = { index: 0, commit: 0, snapshot: 0 };
    await live(disk, acknowledged);
    const store = await openOn(disk);
    const { snapshot, hardState } = await store.load();
    await store.close();
    expect(snapshot?.index).toBeLessThanOrEqual(hardState?.commit ?? 0);
  });
});
