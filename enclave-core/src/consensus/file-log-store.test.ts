import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { FileLogStore } from './file-log-store.ts';
import { type Disk, nodeDisk } from './log/disk.ts';
import type { LogBatch, StoredLog } from './ports.ts';
import type { Entry } from './raft-types.ts';
import { saveSnapshot } from './save-snapshot.ts';
import { all, expectSameAsModel, plain } from './testing/log-model.ts';
import { entry, range, readOut, snapshotAt, TemporaryLogs } from './testing/temporary-log.ts';

const logs = new TemporaryLogs();
afterEach(() => logs.clean());

const batch = (entries: readonly Entry[], commit?: number, term = 1): LogBatch => ({
  entries,
  hardState: commit === undefined ? null : { term, vote: 1, commit },
  installed: null,
});

async function reopened(directory: string, segmentBytes?: number): Promise<{ store: FileLogStore; log: StoredLog }> {
  const store = await logs.open(directory, segmentBytes === undefined ? {} : { segmentBytes });
  return { store, log: await store.load() };
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'no error';
}

describe('file log store', () => {
  test('gives back what was appended, after a restart', async () => {
    const folder = logs.folder();
    const store = await logs.open(folder);
    expect(await store.load()).toEqual({
      snapshot: null,
      hardState: null,
      entries: [],
      tornTail: null,
      damagedSnapshots: [],
    });
    await store.append(batch(range(1, 3), 1));
    await store.append(batch([], 3));
    await store.append(batch(range(4, 5)));
    await store.close();
    const { log } = await reopened(folder);
    expect(plain(log.entries)).toEqual(plain(range(1, 5)));
    expect(log.hardState).toEqual({ term: 1, vote: 1, commit: 3 });
    expect(log.tornTail).toBeNull();
  });

  test('entries of a higher term replace what was there', async () => {
    const folder = logs.folder();
    const store = await logs.open(folder);
    await store.append(batch(range(1, 9), 4));
    await store.append(batch(range(6, 7, 2), 5, 2));
    await store.close();
    const { store: again, log } = await reopened(folder);
    expect(plain(log.entries)).toEqual(plain([...range(1, 5), ...range(6, 7, 2)]));
    expect(plain(await all(again))).toEqual(plain(range(1, 5)));
    await again.append(batch(range(8, 8, 2), 7, 2));
    expect(plain(await all(again, 5))).toEqual(plain([...range(5, 5), ...range(6, 7, 2)]));
  });

  test('goes on over many segments, larger entries than a segment included, and reads any part back', async () => {
    const folder = logs.folder();
    const store = await logs.open(folder, { maxFrameBytes: 8 * 1024 });
    const large = entry(31, 1, new Uint8Array(40_000).fill(7));
    for (let from = 1; from <= 30; from += 5) await store.append(batch(range(from, from + 4), from));
    await store.append(batch([large, ...range(32, 200)], 31));
    for (let index = 201; index <= 260; index++) await store.append(batch([entry(index)], index));
    const expected = plain([...range(1, 30), large, ...range(32, 260)]);
    expect(plain(await all(store))).toEqual(expected);
    await store.close();
    const { store: again, log } = await reopened(folder);
    expect((await readdir(folder)).filter((name) => name.startsWith('segment')).length).toBeGreaterThan(4);
    expect(plain(log.entries)).toEqual(expected);
    for (const from of [1, 30, 31, 32, 199, 260])
      expect(plain(await all(again, from))).toEqual(expected.slice(from - 1));
    expect(await all(again, 261)).toEqual([]);
  });

  test('starts from the newest snapshot and reads only the segments after it', async () => {
    const folder = logs.folder();
    const opened: string[] = [];
    const store = await logs.open(folder);
    await store.append(batch(range(1, 100), 100));
    for (let index = 101; index <= 200; index++) await store.append(batch([entry(index)], index));
    for (const index of [50, 150, 190]) await saveSnapshot(store, snapshotAt(index));
    await store.close();
    const disk: Disk = {
      ...nodeDisk,
      open(path, mode) {
        opened.push(`${mode} ${path.slice(-8)}`);
        return nodeDisk.open(path, mode);
      },
    };
    const again = await logs.open(folder, {}, { disk });
    const log = await again.load();
    expect(await readOut(log.snapshot)).toEqual(await readOut(snapshotAt(190)));
    expect(plain(log.entries)).toEqual(plain(range(191, 200)));
    const reads = opened.filter((line) => line === 'read 01.dblog').length;
    expect(reads).toBe(1);
    expect((await readdir(folder)).filter((name) => name.endsWith('.dbsnap'))).toEqual([
      'snapshot-0000000000000150.dbsnap',
      'snapshot-0000000000000190.dbsnap',
    ]);
  });

  test('goes on after a snapshot that a leader sent, whenever the crash comes', async () => {
    const folder = logs.folder();
    const store = await logs.open(folder);
    await store.append(batch(range(1, 20), 10));
    await saveSnapshot(store, snapshotAt(15, 3));
    await store.close();
    // The crash came before the log noted the snapshot; entry 15 of another term is superseded with all after it.
    const { store: second, log } = await reopened(folder);
    expect(await readOut(log.snapshot)).toEqual(await readOut(snapshotAt(15, 3)));
    expect(log.entries).toEqual([]);
    await second.append(batch([entry(16, 3)], 16, 3));
    await saveSnapshot(second, snapshotAt(1000, 4));
    await second.append({ ...batch([entry(1001, 4)], 1001, 4), installed: { index: 1000, term: 4 } });
    await second.close();
    const { store: third, log: later } = await reopened(folder);
    expect(later.snapshot?.index).toBe(1000);
    expect(plain(later.entries)).toEqual(plain([entry(1001, 4)]));
    expect((await all(third)).map(({ index }) => index)).toEqual([...range(1, 10).map(({ index }) => index), 16, 1001]);
  });

  test('a bootstrap snapshot before any entry is noted with the first batch', async () => {
    const folder = logs.folder();
    const store = await logs.open(folder);
    await saveSnapshot(store, snapshotAt(1));
    await store.append({ entries: [], hardState: { term: 1, vote: 0, commit: 1 }, installed: { index: 1, term: 1 } });
    await store.append(batch([entry(2)], 2));
    await store.close();
    expect((await reopened(folder)).log).toMatchObject({ snapshot: { index: 1 }, entries: [{ index: 2 }] });
  });

  test('refuses gaps and a commit beyond the log, and stays usable', async () => {
    const store = await logs.open(logs.folder());
    await store.append(batch(range(1, 2)));
    for (const wrong of [batch([entry(4)]), batch([entry(2), entry(4)]), batch([], 3)]) {
      await expect(store.append(wrong)).rejects.toThrow(RangeError);
    }
    await store.append(batch([entry(3)], 3));
  });

  test.each(['ENOSPC', 'EIO'])(
    'after %s nothing is acknowledged any more, and a restart finds all that was',
    async (code) => {
      const folder = logs.folder();
      let failing = false;
      const disk: Disk = {
        ...nodeDisk,
        async open(path, mode) {
          const file = await nodeDisk.open(path, mode);
          return {
            size: file.size,
            read: (at, length) => file.read(at, length),
            truncate: (length) => file.truncate(length),
            sync: () => file.sync(),
            close: () => file.close(),
            async write(bytes, at) {
              if (!failing || mode !== 'durable') return file.write(bytes, at);
              await file.write(bytes.subarray(0, 512), at);
              throw Object.assign(new Error(code), { code });
            },
          };
        },
      };
      const store = await logs.open(folder, {}, { disk });
      await store.append(batch(range(1, 5), 5));
      failing = true;
      await expect(store.append(batch([entry(6, 1, new Uint8Array(3000).fill(1))]))).rejects.toMatchObject({
        code: 'LOG_WRITE_FAILED',
        file: join(folder, 'segment-000000000001.dblog'),
        offset: 1536,
        message: expect.stringMatching(/at byte 1536: .*Free space or replace the disk, then start the node again/),
      });
      failing = false;
      expect(await codeOf(store.append(batch([entry(6)])))).toBe('LOG_WRITE_FAILED');
      expect(await codeOf(saveSnapshot(store, snapshotAt(5)))).toBe('LOG_WRITE_FAILED');
      await store.close();
      const { log } = await reopened(folder);
      expect(plain(log.entries)).toEqual(plain(range(1, 5)));
      expect(log.tornTail).toMatchObject({ file: join(folder, 'segment-000000000001.dblog') });
    },
  );

  test('a snapshot that does not fit is no snapshot, gives its space back at once, and the one before it stays', async () => {
    const folder = logs.folder();
    let room = Infinity;
    const disk: Disk = {
      ...nodeDisk,
      async open(path, mode) {
        const file = await nodeDisk.open(path, mode);
        const write = file.write.bind(file);
        file.write = (bytes, at) =>
          at + bytes.length > room && path.endsWith('.dbsnap.tmp')
            ? Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }))
            : write(bytes, at);
        return file;
      },
    };
    const snapshots = async (): Promise<string[]> => (await readdir(folder)).filter((name) => name.includes('dbsnap'));
    const store = await logs.open(folder, {}, { disk });
    await store.append(batch(range(1, 5), 5));
    await saveSnapshot(store, snapshotAt(2));
    const writer = await store.beginSnapshot(snapshotAt(4));
    await writer.add(Buffer.alloc(1000, 1));
    expect(await snapshots()).toHaveLength(2);
    room = 2000;
    await expect(writer.add(Buffer.alloc(1000, 2))).rejects.toMatchObject({
      code: 'LOG_WRITE_FAILED',
      file: join(folder, 'snapshot-0000000000000004.dbsnap'),
    });
    expect(await snapshots()).toHaveLength(1);
    expect(await codeOf(writer.keep(Buffer.alloc(8)))).toBe('LOG_WRITE_FAILED');
    expect(await codeOf(store.dropBefore(4))).toBe('LOG_WRITE_FAILED');
    await store.close();
    expect((await reopened(folder)).log).toMatchObject({ snapshot: { index: 2 }, damagedSnapshots: [] });
    expect(await snapshots()).toHaveLength(1);
  });

  test('of snapshots that are written at once each counts when it is kept, and none that is discarded or left', async () => {
    const folder = logs.folder();
    const store = await logs.open(folder);
    await store.append(batch(range(1, 9), 9));
    const [given, kept, left] = [snapshotAt(3), snapshotAt(5), snapshotAt(7)];
    const writers = await Promise.all([given, kept, left].map((point) => store.beginSnapshot(point)));
    for (const writer of writers) {
      for (const piece of kept.pieces() as Iterable<Uint8Array>) await writer.add(piece);
    }
    await writers[0]?.discard();
    await expect(writers[0]?.add(Buffer.alloc(1))).rejects.toThrow(RangeError);
    await expect(writers[0]?.keep(given.head)).rejects.toThrow(RangeError);
    await writers[1]?.keep(kept.head);
    await writers[1]?.discard();
    const names = (await readdir(folder)).filter((name) => name.includes('dbsnap'));
    expect(names).toEqual(['snapshot-0000000000000005.dbsnap', 'snapshot-0000000000000007.dbsnap.tmp']);
    await store.append(batch([entry(10)], 10));
    await store.close();
    expect(await readOut((await reopened(folder)).log.snapshot)).toEqual(await readOut(kept));
    expect((await readdir(folder)).filter((name) => name.includes('dbsnap'))).toHaveLength(1);
    await writers[2]?.discard();
  });

  test('a spare segment that could not be prepared fails only when it is needed', async () => {
    const folder = logs.folder();
    let full = false;
    const disk: Disk = {
      ...nodeDisk,
      open(path, mode) {
        if (full && mode === 'create') return Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }));
        return nodeDisk.open(path, mode);
      },
    };
    const store = await logs.open(folder, { segmentBytes: 2048 }, { disk });
    const spare = join(folder, 'spare.tmp');
    while (statSync(spare, { throwIfNoEntry: false })?.size !== 2048) await new Promise((next) => setImmediate(next));
    full = true;
    // Two frames fit into a segment, and one spare segment is there.
    for (let index = 1; index <= 4; index++) await store.append(batch([entry(index)], index));
    expect(await codeOf(store.append(batch([entry(5)])))).toBe('LOG_WRITE_FAILED');
    full = false;
    await store.close();
    expect(plain((await reopened(folder, 2048)).log.entries)).toEqual(plain(range(1, 4)));
  });

  test('only one process can have the log; files are for their owner only', async () => {
    const folder = join(logs.folder(), 'log');
    const store = await logs.open(folder);
    expect(await codeOf(logs.open(folder))).toBe('LOG_LOCKED');
    await store.append(batch([entry(1)]));
    await saveSnapshot(store, snapshotAt(1));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of await readdir(folder)) {
      if (!name.endsWith('.sock')) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    }
    await store.close();
    await (await logs.open(folder)).close();
    expect((await readdir(folder)).filter((name) => name.endsWith('.sock'))).toEqual([]);
  });

  test('a restart gives the same log as a model in memory, for some histories', () => expectSameAsModel(8));
});
