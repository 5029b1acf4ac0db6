/** A log in memory that tests damage and recover, and what must hold wherever the damage is. */
import { Buffer } from 'node:buffer';
import { expect } from '@jest/globals';
import type { FileLogStore } from '../file-log-store.ts';
import type { LogDamagedError } from '../log/log-errors.ts';
import type { StoredLog } from '../ports.ts';
import { MemoryDisk } from './memory-disk.ts';
import { entry, range, TemporaryLogs } from './temporary-log.ts';

export const logs: TemporaryLogs = new TemporaryLogs();
/** Where the log stands; a new one for each test. */
export let disk: MemoryDisk;
export const SEGMENT_BYTES = 8192;
export const FIRST = 'segment-000000000001.dblog';
export const SECOND = 'segment-000000000002.dblog';

export function freshDisk(): void {
  disk = new MemoryDisk();
}

export const open = (): Promise<FileLogStore> => logs.open('log', { segmentBytes: SEGMENT_BYTES }, { disk });
export const pathOf = (name: string): string => `log/${name}`;
export const contents = (name: string): Buffer => disk.files.get(pathOf(name)) ?? Buffer.alloc(0);
export const put = (name: string, bytes: Buffer): unknown => disk.files.set(pathOf(name), Buffer.from(bytes));
export const gone = (name: string): unknown => disk.files.delete(pathOf(name));

/** Every file but the spare, to put back later. */
export function copyOf(): ReadonlyMap<string, Buffer> {
  const kept = [...disk.files].filter(([path]) => !path.endsWith('.tmp'));
  return new Map(kept.map(([path, bytes]) => [path, Buffer.from(bytes)]));
}

export function putBack(files: ReadonlyMap<string, Buffer>): void {
  disk.files.clear();
  for (const [path, bytes] of files) disk.files.set(path, Buffer.from(bytes));
}

/** Appends each batch and returns the offset in the first segment after each of them. */
export async function write(...batches: { from: number; to: number; bytes?: number }[]): Promise<number[]> {
  const store = await open();
  const offsets: number[] = [];
  for (const { from, to, bytes } of batches) {
    const entries = range(from, to).map((e) => (bytes ? entry(e.index, 1, Buffer.alloc(bytes, e.index)) : e));
    await store.append({ entries, hardState: { term: 1, vote: 1, commit: from - 1 }, installed: null });
    const segment = contents(FIRST);
    offsets.push(segment.findLastIndex((byte) => byte !== 0) + 1);
  }
  await store.close();
  return offsets;
}

export async function recover(): Promise<StoredLog> {
  const store = await open();
  const log = await store.load();
  await store.close();
  return log;
}

export async function damage(): Promise<Pick<LogDamagedError, 'code' | 'file' | 'offset' | 'reason' | 'advice'>> {
  try {
    await recover();
  } catch (error) {
    return error as LogDamagedError;
  }
  throw new Error('the log was taken');
}

export const indexes = (log: StoredLog): number[] => log.entries.map(({ index }) => index);

export function change(name: string, edit: (bytes: Buffer) => unknown): void {
  edit(contents(name));
}

/** Cuts the last frame, whose entries have so many bytes each, at every so manieth byte. */
export async function expectTornTail(bytes: number, everyBytes: number): Promise<void> {
  const [, before = 0, after = 0] = await write(
    { from: 1, to: 3 },
    { from: 4, to: 6, bytes },
    { from: 7, to: 9, bytes },
  );
  const whole = copyOf();
  for (let cut = before; cut < after; cut += everyBytes) {
    putBack(whole);
    change(FIRST, (segment) => segment.fill(0, cut));
    const log = await recover();
    expect(indexes(log)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(log.hardState?.commit).toBe(3);
    if (cut > before) expect(log.tornTail).toMatchObject({ file: pathOf(FIRST), offset: before });
  }
  const store = await open();
  await store.append({ entries: range(7, 7, 2), hardState: null, installed: null });
  await store.close();
  expect(indexes(await recover())).toEqual([1, 2, 3, 4, 5, 6, 7]);
}

/** Flips a bit in every so manieth byte of what was acknowledged. */
export async function expectEveryFlipFound(everyBytes: number): Promise<void> {
  const [first = 0, second = 0] = await write({ from: 1, to: 4 }, { from: 5, to: 6, bytes: 400 });
  const whole = copyOf();
  const frames = [
    { from: 0, to: 512, start: 0 },
    { from: 1024, to: first, start: 1024 },
    { from: first, to: second, start: first },
  ];
  for (const { from, to, start } of frames) {
    for (let at = from; at < to; at += everyBytes) {
      putBack(whole);
      change(FIRST, (segment) => {
        segment[at] = (segment[at] ?? 0) ^ (1 << (at % 8));
      });
      expect(await damage()).toMatchObject({ code: 'LOG_DAMAGED', file: pathOf(FIRST), offset: start });
    }
  }
}
