import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Disk } from '../consensus/log/disk.ts';
import { ChunkFiles, MAX_OPEN_CHUNKS } from './chunk-files.ts';
import { ChunkList } from './chunk-list.ts';
import { NodeRing } from './node-ring.ts';
import { RecentRecords } from './recent-records.ts';
import { SignatureIndex } from './signature-index.ts';
import { CrashDisk } from './testing/crash-disk.ts';

const node = (position: number): Buffer => {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32BE(position);
  return bytes;
};

describe('nodes in memory', () => {
  test('stay until they are written, however many, and then as long as there is room', () => {
    const ring = new NodeRing(5);
    for (let position = 5; position < 40_000; position++) ring.put(node(position));
    for (const position of [5, 16_384, 16_389, 39_999])
      expect(ring.get(position)).toEqual(new Uint8Array(node(position)));
    expect(ring.get(4)).toBeUndefined();
    expect(ring.get(40_000)).toBeUndefined();
    const slice = ring.slice(16_000, 36_000);
    const positions = Array.from({ length: 20_000 }, (_, at) => slice.readUInt32BE(at * 32));
    expect(positions.every((position, at) => position === 16_000 + at)).toBe(true);
    ring.wrote(40_000);
    for (let position = 40_000; position < 80_000; position++) {
      ring.put(node(position));
      ring.wrote(position + 1);
    }
    expect(ring.get(79_999)).toEqual(new Uint8Array(node(79_999)));
    expect(ring.get(14_000)).toBeUndefined();
    expect(() => ring.slice(14_000, 79_999)).toThrow('not in memory');
  });
});

describe('records in memory', () => {
  test('are bounded by number and by bytes, the newest stay', () => {
    const recent = new RecentRecords();
    for (let seqno = 1; seqno <= 10_000; seqno++) recent.put(seqno, new Uint8Array(10));
    expect(recent.has(10_000)).toBe(true);
    expect(recent.has(1_808)).toBe(false);
    expect(recent.has(1_809)).toBe(true);
    recent.put(10_001, new Uint8Array(7 * 1024 * 1024));
    recent.put(10_002, new Uint8Array(2 * 1024 * 1024));
    expect(recent.has(10_001)).toBe(false);
    expect(recent.has(10_002)).toBe(true);
  });
});

describe('signatures in memory', () => {
  test('are bounded, and say from where on they are complete', () => {
    const index = new SignatureIndex(1);
    for (let seqno = 10; seqno <= 100_000; seqno += 10) index.note({ seqno, size: seqno - 5 });
    expect(index.from).toBeGreaterThan(1);
    expect(index.covering(99_000)).toEqual({ seqno: 99_010, size: 99_005 });
    expect(index.covering(99_005)).toEqual({ seqno: 99_020, size: 99_015 });
    expect(index.covering(99_995)).toBeUndefined();
    index.restart(99_000);
    expect(index.covering(98_990)).toBeUndefined();
    expect(index.covering(98_980)).toEqual({ seqno: 98_990, size: 98_985 });
  });
});

describe('the list of chunks', () => {
  test('finds the chunk of every seqno', () => {
    const names = ['tree.mmr', 'ledger_1-9.committed', 'ledger_10-10.committed', 'ledger_11-30.committed', 'ledger_31'];
    const chunks = ChunkList.of('d', names.toReversed());
    expect(chunks.all.map(({ first, last }) => [first, last])).toEqual([
      [1, 9],
      [10, 10],
      [11, 30],
      [31, null],
    ]);
    for (const [seqno, first] of [
      [1, 1],
      [9, 1],
      [10, 10],
      [11, 11],
      [30, 11],
      [31, 31],
      [10 ** 9, 31],
    ]) {
      expect(chunks.holding(seqno ?? 0)?.first).toBe(first);
    }
    expect(chunks.holding(0)).toBeUndefined();
    expect(chunks.lastClosed?.first).toBe(11);
    expect(chunks.beginning(11)?.last).toBe(30);
    expect(chunks.beginning(12)).toBeUndefined();
    expect(ChunkList.of('d', names.slice(0, 2)).holding(10)).toBeUndefined();
  });

  test.each([
    [['ledger_2']],
    [['ledger_1-9.committed', 'ledger_11']],
    [['ledger_1-9.committed', 'ledger_9']],
    [['ledger_1', 'ledger_1-9.committed']],
    [['ledger_1', 'ledger_5']],
  ])('is refused with gaps or overlaps: %j', (names) => {
    expect(() => ChunkList.of('d', names)).toThrow(expect.objectContaining({ code: 'LEDGER_DAMAGED' }));
  });
});

describe('files of chunks', () => {
  test('never more are open than the bound, whoever reads what in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 19 }), { minLength: 1, maxLength: 60 }), async (asked) => {
        const inner = new CrashDisk();
        for (let at = 0; at < 20; at++) inner.put(`d/${at}`, Buffer.from([at]));
        const disk: Disk = Object.assign(Object.create(inner), {
          open: async (path: string) => {
            await new Promise((resolve) => setImmediate(resolve));
            return inner.open(path, 'read');
          },
        });
        const files = new ChunkFiles(disk);
        const chunk = (at: number) => ({ first: at + 1, last: at + 1, path: `d/${at}` });
        const read = await Promise.all(asked.map((at) => files.read(chunk(at), 0, 1)));
        expect(read.map((bytes) => bytes[0])).toEqual(asked);
        expect(inner.mostOpened).toBeLessThanOrEqual(MAX_OPEN_CHUNKS);
        await expect(files.read({ first: 1, last: 1, path: 'd/none' }, 0, 1)).rejects.toMatchObject({ code: 'ENOENT' });
        await files.close();
        expect(inner.opened).toBe(0);
      }),
      { numRuns: 30 },
    );
  });
});
