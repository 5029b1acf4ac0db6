import { Buffer } from 'node:buffer';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { MemoryDisk } from '../testing/memory-disk.ts';
import type { DiskFile, OpenMode } from './disk.ts';
import { GrowingSnapshot, MAX_BLOCK_BYTES, readSnapshot, snapshotName } from './snapshot-file.ts';

const MEBIBYTE = 2 ** 20;
const LOG_ID = Buffer.alloc(16, 7);
const confState = { voters: [1], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
const POINT = { index: 9, term: 2, confState };
const PATH = `log/${snapshotName(9)}`;
const HEAD = Buffer.from('head');

class NotingDisk extends MemoryDisk {
  /** Bytes of each write, and of each read. */
  readonly writes: number[] = [];
  readonly reads: number[] = [];
  readonly calls: string[] = [];

  override async open(path: string, mode: OpenMode): Promise<DiskFile> {
    const file = await super.open(path, mode);
    return {
      ...file,
      read: async (position, length) => {
        const bytes = await file.read(position, length);
        this.reads.push(bytes.length);
        return bytes;
      },
      write: async (bytes, position) => {
        this.writes.push(bytes.length);
        await file.write(bytes, position);
      },
      sync: async () => void this.calls.push('sync'),
    };
  }

  override async rename(from: string, to: string): Promise<void> {
    this.calls.push('rename');
    await super.rename(from, to);
  }

  override async syncDirectory(): Promise<void> {
    this.calls.push('sync folder');
  }
}

describe('snapshot file', () => {
  let disk: NotingDisk;
  beforeEach(() => {
    disk = new NotingDisk();
  });
  const pieces = [...Array.from({ length: 5 }, (_, at) => Buffer.alloc(MEBIBYTE, at + 1)), Buffer.alloc(11, 6)];
  const create = (): Promise<GrowingSnapshot> => GrowingSnapshot.create(disk, 'log', LOG_ID, POINT);
  const write = async (): Promise<void> => {
    const growing = await create();
    for (const piece of pieces) await growing.add(piece);
    await growing.keep(HEAD, 4);
  };
  const spoilt = async (bytes: Buffer | undefined): Promise<unknown> => {
    disk.files.set(PATH, bytes ?? Buffer.alloc(0));
    return readSnapshot(disk, PATH, LOG_ID);
  };

  test('is written in pieces, and read back as it was, a piece at a time', async () => {
    await write();
    expect(Math.max(...disk.writes)).toBe(MEBIBYTE);
    expect(disk.calls).toEqual(['sync', 'rename', 'sync folder']);
    const read = await readSnapshot(disk, PATH, LOG_ID);
    expect(read).toMatchObject({ snapshot: { ...POINT, bytes: 5 * MEBIBYTE + 11 }, sequence: 4 });
    if (typeof read === 'string') throw new Error(read);
    expect(HEAD.equals(read.snapshot.head)).toBe(true);
    for (let times = 0; times < 2; times++) {
      const again: Uint8Array[] = [];
      for await (const piece of read.snapshot.pieces()) again.push(piece);
      expect(again).toHaveLength(pieces.length);
      expect(pieces.every((piece, at) => piece.equals(again[at] ?? Buffer.alloc(0)))).toBe(true);
    }
    expect(Math.max(...disk.reads)).toBe(MEBIBYTE);
  });

  test('gives other work its turn while it is checked', async () => {
    await write();
    // A disk in memory answers within the turn; a real one does not.
    const open = disk.open.bind(disk);
    disk.open = async (path, mode) => {
      const file = await open(path, mode);
      const read = async (position: number, length: number): Promise<Buffer> => {
        await nextTurn();
        return file.read(position, length);
      };
      return { ...file, read };
    };
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
    expect(turns).toBeGreaterThanOrEqual(pieces.length);
  });

  test('is refused with one byte of any piece spoilt, cut off anywhere, or with something after it', async () => {
    await write();
    const whole = Buffer.from(disk.files.get(PATH) ?? Buffer.alloc(0));
    const refusal = 'the snapshot is not what was written';
    for (let at = MEBIBYTE / 2; at < whole.length; at += MEBIBYTE) {
      const bytes = Buffer.from(whole);
      bytes.writeUInt8((bytes[at] ?? 0) ^ 1, at);
      expect(await spoilt(bytes)).toBe(refusal);
      expect(await spoilt(whole.subarray(0, at))).toBe(refusal);
    }
    for (const length of [0, 5, 14, whole.length - 33, whole.length - 1]) {
      expect(await spoilt(whole.subarray(0, length))).toBe(refusal);
    }
    expect(await spoilt(Buffer.concat([whole, Buffer.alloc(1)]))).toBe(refusal);
    expect(typeof (await spoilt(whole))).toBe('object');
  });

  test('is not read beyond its bounds because a length says so', async () => {
    await write();
    const bytes = Buffer.from(disk.files.get(PATH) ?? Buffer.alloc(0));
    bytes.writeUInt32LE(MAX_BLOCK_BYTES + 1, 12);
    disk.reads.length = 0;
    expect(await spoilt(bytes)).toBe('the snapshot is not what was written');
    expect(Math.max(...disk.reads)).toBe(12);
  });

  test('does not take the name before it is kept, and leaves nothing when it is discarded, also while a piece is written', async () => {
    const growing = await create();
    const adding = growing.add(Buffer.alloc(MEBIBYTE, 1));
    const discarding = growing.discard();
    expect([...disk.files.keys()]).toEqual([`${PATH}.tmp`]);
    await adding;
    await discarding;
    await growing.discard();
    expect(disk.files.size).toBe(0);
    await expect(growing.add(HEAD)).rejects.toThrow(RangeError);
    await expect(growing.keep(HEAD, 4)).rejects.toThrow(RangeError);
    expect(disk.files.size).toBe(0);
  });

  test('refuses pieces that would read as the end, or cannot be read at once', async () => {
    const growing = await create();
    expect(() => growing.add(Buffer.alloc(0))).toThrow(RangeError);
    await expect(growing.add(new Uint8Array(MAX_BLOCK_BYTES + 1))).rejects.toThrow(RangeError);
  });
});
