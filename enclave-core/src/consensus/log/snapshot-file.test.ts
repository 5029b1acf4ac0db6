import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryDisk } from '../testing/memory-disk.ts';
import type { DiskFile, OpenMode } from './disk.ts';
import { readSnapshot, snapshotName, writeSnapshot } from './snapshot-file.ts';

const MEBIBYTE = 2 ** 20;
const LOG_ID = Buffer.alloc(16, 7);
const confState = { voters: [1], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
const PATH = `log/${snapshotName(9)}`;

class NotingDisk extends MemoryDisk {
  /** Bytes of each write. */
  readonly writes: number[] = [];

  override async open(path: string, mode: OpenMode): Promise<DiskFile> {
    const file = await super.open(path, mode);
    return {
      ...file,
      write: async (bytes, position) => {
        this.writes.push(bytes.length);
        await file.write(bytes, position);
      },
    };
  }
}

describe('snapshot file', () => {
  let disk: NotingDisk;
  beforeEach(() => {
    disk = new NotingDisk();
  });
  const content = Buffer.alloc(5 * MEBIBYTE + 11, 3);
  const write = (): Promise<void> =>
    writeSnapshot(disk, 'log', LOG_ID, { snapshot: { index: 9, term: 2, confState, content }, sequence: 4 });

  test('is written in pieces, and read back as it was', async () => {
    await write();
    expect(Math.max(...disk.writes)).toBe(MEBIBYTE);
    const read = await readSnapshot(disk, PATH, LOG_ID);
    expect(read).toMatchObject({ snapshot: { index: 9, term: 2, confState }, sequence: 4 });
    expect(typeof read === 'object' && content.equals(read.snapshot.content)).toBe(true);
  });

  test('gives other work its turn while it is checked', async () => {
    await write();
    let turns = 0;
    let done = false;
    const reading = readSnapshot(disk, PATH, LOG_ID).finally(() => {
      done = true;
    });
    while (!done) {
      await nextTurn();
      turns += 1;
    }
    await reading;
    expect(turns).toBeGreaterThanOrEqual(content.length / MEBIBYTE);
  });

  test('is refused with one byte of any piece spoilt', async () => {
    await write();
    const bytes = disk.files.get(PATH);
    for (let at = MEBIBYTE / 2; bytes && at < bytes.length; at += MEBIBYTE) {
      bytes.writeUInt8((bytes[at] ?? 0) ^ 1, at);
      expect(await readSnapshot(disk, PATH, LOG_ID)).toBe('the snapshot is not what was written');
      bytes.writeUInt8((bytes[at] ?? 0) ^ 1, at);
    }
  });
});
