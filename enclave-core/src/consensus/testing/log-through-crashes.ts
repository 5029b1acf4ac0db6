/** A log that loses power at any point of a life with many segments, snapshots and dropped segments. */

import { Buffer } from 'node:buffer';
import { expect } from '@jest/globals';
import { FILE_LOG_STORE_DEFAULTS, FileLogStore } from '../file-log-store.ts';
import type { StoredLog } from '../ports.ts';
import { saveSnapshot } from '../save-snapshot.ts';
import { CrashDisk } from './crash-disk.ts';
import { seededEntropy } from './deterministic-host.ts';
import { entry, readOut, snapshotAt } from './temporary-log.ts';

const SEGMENT_BYTES = 4096;
const ENTRIES_PER_BATCH = 3;
const BATCHES = 24;
const SNAPSHOT_EVERY_BATCHES = 6;

/** What the store said was durable. */
export type Acknowledged = { index: number; commit: number; snapshot: number };

export const openOn = (disk: CrashDisk): Promise<FileLogStore> =>
  FileLogStore.open(
    { ...FILE_LOG_STORE_DEFAULTS, directory: 'log', segmentBytes: SEGMENT_BYTES },
    { entropy: seededEntropy(1), disk },
  );

export const dataOf = (index: number): Buffer => Buffer.alloc(1 + ((index * 131) % 400), index);

/** Goes on from what is there; `acknowledged` is kept up to date until the disk fails. */
export async function live(disk: CrashDisk, acknowledged: Acknowledged): Promise<void> {
  const store = await openOn(disk);
  try {
    const stored = await store.load();
    let next = (stored.entries.at(-1)?.index ?? stored.snapshot?.index ?? 0) + 1;
    for (let batch = 1; batch <= BATCHES; batch++) {
      const entries = Array.from({ length: ENTRIES_PER_BATCH }, (_, at) => entry(next + at, 1, dataOf(next + at)));
      await store.append({ entries, hardState: { term: 1, vote: 1, commit: next - 1 }, installed: null });
      acknowledged.commit = next - 1;
      next += ENTRIES_PER_BATCH;
      acknowledged.index = next - 1;
      if (batch % SNAPSHOT_EVERY_BATCHES !== 0) continue;
      // One that another follows before it is kept leaves nothing behind.
      const superseded = await store.beginSnapshot(snapshotAt(acknowledged.commit - 1));
      await superseded.add(dataOf(next));
      await saveSnapshot(store, snapshotAt(acknowledged.commit));
      await superseded.discard();
      acknowledged.snapshot = acknowledged.commit;
      await store.dropBefore(acknowledged.commit);
    }
  } finally {
    await store.close();
  }
}

export async function loaded(disk: CrashDisk): Promise<StoredLog> {
  const store = await openOn(disk);
  const stored = await store.load();
  const { snapshot } = stored;
  if (snapshot) expect(await readOut(snapshot)).toEqual(await readOut(snapshotAt(snapshot.index)));
  await store.close();
  expect((await disk.list('log')).filter((name) => name.endsWith('.dbsnap.tmp'))).toEqual([]);
  return stored;
}

/** Whatever a log says must be what was written. */
export function expectTruthful({ snapshot, entries, hardState }: StoredLog): void {
  const start = snapshot?.index ?? 0;
  for (const [at, { index, data }] of entries.entries()) {
    if (index !== start + 1 + at || !dataOf(index).equals(data)) throw new Error(`entry ${index} at place ${at}`);
  }
  expect(hardState?.commit ?? 0).toBeLessThanOrEqual(start + entries.length);
}

export function expectAll(stored: StoredLog, acknowledged: Acknowledged): void {
  expectTruthful(stored);
  const { snapshot, entries, hardState } = stored;
  expect(snapshot?.index ?? 0).toBeGreaterThanOrEqual(acknowledged.snapshot);
  expect((snapshot?.index ?? 0) + entries.length).toBeGreaterThanOrEqual(acknowledged.index);
  expect(hardState?.commit ?? 0).toBeGreaterThanOrEqual(acknowledged.commit);
}

export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Loses power in the middle of every so manieth operation, restarts, goes on, and loses it again. */
export async function expectNothingLost(everyOperations: number, seed: number): Promise<void> {
  const calm = new CrashDisk();
  await live(calm, { index: 0, commit: 0, snapshot: 0 });
  const random = randomOf(seed);
  for (let operations = 0; operations < calm.operations; operations += everyOperations) {
    const disk = new CrashDisk();
    const acknowledged: Acknowledged = { index: 0, commit: 0, snapshot: 0 };
    disk.losePowerAfter(operations);
    await live(disk, acknowledged).catch(() => undefined);
    disk.restart(random);
    expectAll(await loaded(disk), acknowledged);
    disk.losePowerAfter(Math.floor(random() * calm.operations));
    await live(disk, acknowledged).catch(() => undefined);
    disk.restart(random);
    expectAll(await loaded(disk), acknowledged);
  }
}
