import { describe, expect, test } from '@jest/globals';
import { FILE_LOG_STORE_DEFAULTS, FileLogStore } from './file-log-store.ts';
import { loadLog, reconciled } from './replica-start.ts';
import { saveSnapshot } from './save-snapshot.ts';
import { seededEntropy } from './testing/deterministic-host.ts';
import { MemoryDisk } from './testing/memory-disk.ts';
import { range, readOut, snapshotAt } from './testing/temporary-log.ts';

const open = (disk: MemoryDisk): Promise<FileLogStore> =>
  FileLogStore.open(
    { ...FILE_LOG_STORE_DEFAULTS, segmentBytes: 8192, directory: 'log' },
    { entropy: seededEntropy(1), disk },
  );
const bootstrap = { voters: [1, 2, 3], first: snapshotAt(1) };

describe('start of a replica', () => {
  test('an empty log is bootstrapped once, also when the first attempt ended half way', async () => {
    const disk = new MemoryDisk();
    const store = await open(disk);
    const failing = Object.assign(Object.create(store) as FileLogStore, {
      load: () => store.load(),
      beginSnapshot: store.beginSnapshot.bind(store),
      append: () => Promise.reject(new Error('crash')),
    });
    await expect(loadLog(failing, bootstrap)).rejects.toThrow('crash');
    await store.close();
    const second = await open(disk);
    const stored = await loadLog(second, { voters: [9], first: snapshotAt(2) });
    expect(stored.snapshot).toMatchObject({ index: 1, term: 1, confState: { voters: [1, 2, 3] } });
    expect(await readOut(stored.snapshot)).toMatchObject({ head: 'head at 1', pieces: ['state', ' at 1'] });
    expect(reconciled(stored)).toEqual({ term: 1, vote: 0, commit: 1 });
    await second.close();
  });

  test('a snapshot that the log had not noted yet is noted, and its hard state durable, before anything else', async () => {
    const disk = new MemoryDisk();
    const store = await open(disk);
    await store.append({ entries: range(1, 4), hardState: { term: 3, vote: 2, commit: 2 }, installed: null });
    await saveSnapshot(store, snapshotAt(50, 3));
    await store.close();
    const second = await open(disk);
    const stored = await loadLog(second, null);
    expect(stored).toMatchObject({ snapshot: { index: 50 }, hardState: { term: 3, vote: 2, commit: 50 }, entries: [] });
    await second.close();
    const third = await open(disk);
    expect((await third.load()).hardState).toEqual({ term: 3, vote: 2, commit: 50 });
    await third.close();
  });

  test('a node that joins begins with nothing', async () => {
    const store = await open(new MemoryDisk());
    const stored = await loadLog(store, null);
    expect(stored).toMatchObject({ snapshot: null, hardState: null, entries: [] });
    expect(reconciled(stored)).toBeNull();
    await store.close();
  });

  test('what a snapshot holds is committed; in a term that only it knows nobody was voted for', () => {
    const snapshot = snapshotAt(50, 7);
    expect(reconciled({ snapshot, hardState: null })).toEqual({ term: 7, vote: 0, commit: 50 });
    expect(reconciled({ snapshot, hardState: { term: 5, vote: 2, commit: 9 } })).toEqual({
      term: 7,
      vote: 0,
      commit: 50,
    });
    expect(reconciled({ snapshot, hardState: { term: 7, vote: 2, commit: 9 } })).toEqual({
      term: 7,
      vote: 2,
      commit: 50,
    });
    expect(reconciled({ snapshot, hardState: { term: 8, vote: 2, commit: 60 } })).toEqual({
      term: 8,
      vote: 2,
      commit: 60,
    });
  });
});
