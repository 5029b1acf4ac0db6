/** What a log holds, kept the simple way, beside a store on a disk in memory. */
import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { FileLogStore } from '../file-log-store.ts';
import type { Entry } from '../raft-types.ts';
import { MemoryDisk } from './memory-disk.ts';
import { entry, TemporaryLogs } from './temporary-log.ts';

/** Entries as text that can be compared. */
export const plain = (entries: readonly Entry[]): string[] =>
  entries.map(({ term, index, type, data }) => `${term}.${index}/${type}:${Buffer.from(data).toString('hex')}`);

export async function all(store: FileLogStore, from = 0): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const found of store.readEntries(from)) entries.push(found);
  return entries;
}

/** Whatever is appended, overwritten and restarted. */
export async function expectSameAsModel(numRuns: number): Promise<void> {
  const logs = new TemporaryLogs();
  const step = fc.record({
    back: fc.nat({ max: 6 }),
    sizes: fc.array(fc.integer({ min: 0, max: 1500 }), { maxLength: 6 }),
    commit: fc.boolean(),
    restart: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const disk = new MemoryDisk();
      const open = (): Promise<FileLogStore> => logs.open('log', { segmentBytes: 8192, maxFrameBytes: 2048 }, { disk });
      let store = await open();
      let model: Entry[] = [];
      let commit = 0;
      for (const [at, { back, sizes, ...then }] of steps.entries()) {
        const from = Math.max(commit + 1, model.length + 1 - back);
        const term = at + 1;
        const entries = sizes.map((size, i) => entry(from + i, term, new Uint8Array(size).fill(i)));
        if (entries.length > 0) model = [...model.slice(0, from - 1), ...entries];
        if (then.commit) commit = model.length;
        await store.append({ entries, hardState: then.commit ? { term, vote: 0, commit } : null, installed: null });
        if (!then.restart) continue;
        await store.close();
        store = await open();
        expect(plain((await store.load()).entries)).toEqual(plain(model));
      }
      expect(plain(await all(store))).toEqual(plain(model.slice(0, commit)));
      await store.close();
    }),
    { numRuns },
  );
  await logs.clean();
}
