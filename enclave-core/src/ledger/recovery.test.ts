import { Buffer } from 'node:buffer';
import { recordBytes } from '@drawbridge/protocol/ledger/ledger-record';
import { describe, expect, test } from '@jest/globals';
import { CrashDisk, randomOf } from './testing/crash-disk.ts';
import { EntrySource } from './testing/ledger-entries.ts';
import { appendAll, DIRECTORY, openLedger, pathOf, rejection, writeLedger } from './testing/ledger-fixture.ts';

const source: EntrySource = new EntrySource();
const INDEX = pathOf('index.dat');
const TREE = pathOf('tree.mmr');

/** Entries 1 to 100 are synced, those up to 110 only written. */
async function written(): Promise<{ disk: CrashDisk }> {
  const disk = new CrashDisk();
  const { ledger } = await openLedger(disk);
  appendAll(ledger, source.range(1, 100));
  await ledger.flush();
  appendAll(ledger, source.range(101, 110));
  await ledger.record(1);
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  return { disk };
}

/** The same as a new process finds it. */
async function killed(): Promise<{ disk: CrashDisk; open: string }> {
  const next = (await written()).disk.after(null);
  const open = next.paths().filter((path) => /ledger_\d+$/.test(path));
  expect(open).toHaveLength(1);
  return { disk: next, open: open[0] ?? '' };
}

async function same(disk: CrashDisk, last: number): Promise<void> {
  const whole = new CrashDisk();
  await writeLedger(whole, source.range(1, last));
  expect(disk.contents()).toEqual(whole.contents());
}

/** Opens, goes on from a state of before, and compares with a ledger that was never interrupted. */
async function expectGoesOn(disk: CrashDisk, least: number): Promise<void> {
  const { ledger } = await openLedger(disk);
  expect(ledger.storedSeqno).toBeGreaterThanOrEqual(least);
  ledger.resumeAt(source.tree(90));
  appendAll(ledger, source.range(90, 130));
  await ledger.close();
  await same(disk, 130);
}

const endOf = (seqno: number, first: number, header: number): number =>
  source.range(first, seqno).reduce((end, entry) => end + recordBytes(entry), header);

describe('after a kill', () => {
  test('everything that was written is there', async () => {
    const { disk } = await killed();
    const { ledger } = await openLedger(disk.after(null));
    expect(ledger.storedSeqno).toBe(110);
    await ledger.close();
    await expectGoesOn(disk, 110);
  });

  test('a record that ends too early is cut, wherever it does, and comes again from the log', async () => {
    const { disk, open } = await killed();
    const { length } = disk.file(open);
    const from = length - recordBytes(source.at(110)) - recordBytes(source.at(109)) - 1;
    for (let cut = from; cut < length; cut += 61) {
      const torn = disk.after(null);
      torn.put(open, torn.file(open).subarray(0, cut));
      const opened = await openLedger(torn);
      expect(opened.ledger.storedSeqno).toBeGreaterThanOrEqual(107);
      expect(opened.ledger.storedSeqno).toBeLessThan(110);
      expect(opened.ledger.tornTail?.file ?? open).toBe(open);
      const { tornTail } = opened.ledger;
      if (tornTail)
        expect(tornTail).toEqual({ file: open, offset: torn.file(open).length, bytes: cut - tornTail.offset });
      await opened.ledger.close();
      await expectGoesOn(torn, 107);
    }
  });

  test('zeros in what was not synced are cut, even where they look like data', async () => {
    const { disk, open } = await killed();
    const bytes = disk.file(open);
    bytes.fill(0, bytes.length - 40);
    disk.file(TREE).fill(0, disk.file(TREE).length - 64);
    const { ledger } = await openLedger(disk.after(null));
    expect(ledger.storedSeqno).toBe(109);
    await ledger.close();
    await expectGoesOn(disk, 109);
  });

  test('a record beyond the mark that is another than was written is cut', async () => {
    const { disk, open } = await killed();
    const bytes = disk.file(open);
    const at = bytes.length - recordBytes(source.at(110)) - 1;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    const { ledger } = await openLedger(disk.after(null));
    expect(ledger.storedSeqno).toBe(108);
    await ledger.close();
    await expectGoesOn(disk, 108);
  });

  test('a record beyond the mark that nothing vouches for is cut', async () => {
    const { disk } = await killed();
    disk.put(TREE, disk.file(TREE).subarray(0, disk.file(TREE).length - 32 * 6));
    const { ledger } = await openLedger(disk.after(null));
    expect(ledger.storedSeqno).toBeLessThan(110);
    expect(ledger.storedSeqno).toBeGreaterThanOrEqual(100);
    await ledger.close();
    await expectGoesOn(disk, 100);
  });

  test('what was read is written once more before it counts as synced', async () => {
    const disk = (await written()).disk.afterFailedSync();
    const { ledger } = await openLedger(disk);
    expect(ledger.storedSeqno).toBe(110);
    // Whatever of the page cache is lost now.
    for (let seed = 1; seed <= 10; seed++) {
      const { ledger: again } = await openLedger(disk.after(randomOf(seed)));
      expect(again.storedSeqno).toBe(110);
      await again.close();
    }
    await ledger.close();
  });

  test('so is the header of a chunk of which nothing was synced', async () => {
    const first = new CrashDisk();
    const { ledger: killed } = await openLedger(first);
    appendAll(killed, source.range(1, 10));
    await killed.record(1);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    const disk = first.afterFailedSync();
    const { ledger } = await openLedger(disk);
    expect(ledger.storedSeqno).toBe(10);
    for (let seed = 1; seed <= 10; seed++) {
      const { ledger: again } = await openLedger(disk.after(randomOf(seed)));
      expect(again.storedSeqno).toBe(10);
      await again.close();
    }
    await ledger.close();
  });

  test.each([
    ['empty', (): Buffer => Buffer.alloc(0)],
    ['zeros', (): Buffer => Buffer.alloc(700)],
    ['half a header', (bytes: Buffer): Buffer => bytes.subarray(0, 60)],
  ])('a chunk that was begun and never synced is taken away: %s', async (_what, spoil) => {
    const disk = new CrashDisk();
    const closing = Array.from({ length: 100 }, (_, at) => at + 1);
    const { ledger } = await openLedger(disk);
    let opened = '';
    for (const seqno of closing) {
      ledger.append(source.at(seqno));
      await ledger.flush();
      opened = disk.paths().find((path) => /ledger_\d+$/.test(path)) ?? '';
      if (seqno > 20 && opened === '') break;
    }
    expect(opened).toBe('');
    const next = ledger.lastSeqno + 1;
    ledger.append(source.at(next));
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    const after = disk.after(null);
    const path = pathOf(`ledger_${next}`);
    after.put(path, spoil(after.file(path)));
    const { ledger: again } = await openLedger(after);
    expect(again.storedSeqno).toBe(next - 1);
    appendAll(again, source.range(next, 130));
    await again.close();
    await same(after, 130);
  });
});

describe('damage of what was synced is found at the start', () => {
  test('a flipped bit in a record of the open chunk, with file and offset', async () => {
    const { disk, open } = await killed();
    const first = Number(/ledger_(\d+)$/.exec(open)?.[1]);
    const header = disk.file(open).length - endOf(110, first, 0);
    for (const seqno of [first, first + 1, 99, 100]) {
      const start = endOf(seqno - 1, first, header);
      for (const at of [start + 1, start + 5, start + 30, endOf(seqno, first, header) - 1]) {
        const rotten = disk.after(null);
        const bytes = rotten.file(open);
        bytes[at] = (bytes[at] ?? 0) ^ 4;
        const before = rotten.contents();
        const error = await rejection(openLedger(rotten));
        expect(error).toMatchObject({ code: 'LEDGER_DAMAGED', file: open, offset: start });
        expect(error).toMatchObject({ message: expect.stringContaining('put the intact one of another node') });
        expect(rotten.contents()).toEqual(before);
        expect(rotten.opened).toBe(0);
      }
    }
  });

  test('a flipped bit in a record that no signature covers yet', async () => {
    const disk = new CrashDisk();
    await writeLedger(disk, source.range(1, 110));
    const open = disk.paths().find((path) => /ledger_\d+$/.test(path)) ?? '';
    const bytes = disk.file(open);
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 4;
    const offset = bytes.length - recordBytes(source.at(110));
    expect(await rejection(openLedger(disk))).toMatchObject({ code: 'LEDGER_DAMAGED', file: open, offset });
  });

  test('a flipped bit in its header', async () => {
    const { disk, open } = await killed();
    for (const at of [0, 9, 20, 50, 60, 100]) {
      const rotten = disk.after(null);
      const bytes = rotten.file(open);
      bytes[at] = (bytes[at] ?? 0) ^ 4;
      const before = rotten.contents();
      expect(await rejection(openLedger(rotten))).toMatchObject({ code: 'LEDGER_DAMAGED', file: open, offset: 0 });
      expect(rotten.contents()).toEqual(before);
    }
  });

  test('an open chunk that is shorter than what was synced, or missing', async () => {
    const { disk, open } = await killed();
    const short = disk.after(null);
    const end = disk.file(open).length - endOf(110, 101, 0) - 1;
    short.put(open, short.file(open).subarray(0, end));
    expect(await rejection(openLedger(short))).toMatchObject({ code: 'LEDGER_DAMAGED', file: open });
    short.put(open, short.file(open).subarray(0, disk.file(open).length - endOf(110, 100, 0)));
    expect(await rejection(openLedger(short))).toMatchObject({
      code: 'LEDGER_DAMAGED',
      file: open,
      reason: 'the chunk ends with seqno 99, but had been synced up to 100',
    });
    disk.delete(open);
    expect(await rejection(openLedger(disk))).toMatchObject({
      code: 'LEDGER_DAMAGED',
      file: open,
      reason: expect.stringContaining('records up to seqno 100 were synced'),
    });
  });

  test('a closed chunk that is missing, and chunks that overlap', async () => {
    const { disk } = await killed();
    const closed = disk.paths().filter((path) => path.endsWith('.committed'));
    const gap = disk.after(null);
    gap.delete(closed[1] ?? '');
    expect(await rejection(openLedger(gap))).toMatchObject({
      code: 'LEDGER_DAMAGED',
      reason: expect.stringContaining('missing'),
    });
    const twice = disk.after(null);
    twice.put(pathOf('ledger_2-5.committed'), Buffer.alloc(10));
    expect(await rejection(openLedger(twice))).toMatchObject({
      code: 'LEDGER_DAMAGED',
      reason: expect.stringContaining('overlaps'),
    });
  });

  test('a ledger of another service', async () => {
    const { disk } = await killed();
    const serviceId = `0x${'11'.repeat(32)}` as never;
    expect(await rejection(openLedger(disk, { serviceId }))).toMatchObject({
      code: 'LEDGER_DAMAGED',
      reason: 'the chunk belongs to another service',
    });
  });
});

describe('tree and index', () => {
  test.each([
    ['tree.mmr is missing', (disk: CrashDisk): void => disk.delete(TREE)],
    ['index.dat is missing', (disk: CrashDisk): void => disk.delete(INDEX)],
    [
      'both are missing',
      (disk: CrashDisk): void => {
        disk.delete(TREE);
        disk.delete(INDEX);
      },
    ],
    ['tree.mmr is short', (disk: CrashDisk): void => disk.put(TREE, disk.file(TREE).subarray(0, 777))],
    ['index.dat is short', (disk: CrashDisk): void => disk.put(INDEX, disk.file(INDEX).subarray(0, 777))],
    ['tree.mmr is all zeros', (disk: CrashDisk): unknown => disk.file(TREE).fill(0)],
    ['index.dat is all zeros', (disk: CrashDisk): unknown => disk.file(INDEX).fill(0)],
    ['the mark is damaged', (disk: CrashDisk): unknown => disk.file(INDEX).writeUInt32BE(5_000, 4)],
  ])('are made again: %s', async (_what, spoil) => {
    const disk = new CrashDisk();
    await writeLedger(disk, source.range(1, 110));
    const whole = disk.after(null);
    spoil(disk);
    const { ledger } = await openLedger(disk);
    expect(ledger.storedSeqno).toBe(110);
    await ledger.close();
    expect(disk.contents()).toEqual(whole.contents());
  });

  test('are not made again from records that do not lead to the next chunk', async () => {
    const disk = new CrashDisk();
    await writeLedger(disk, source.range(1, 110));
    disk.delete(TREE);
    const chunk = disk.paths().filter((path) => path.endsWith('.committed'))[2] ?? '';
    const bytes = disk.file(chunk);
    bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 1;
    expect(await rejection(openLedger(disk))).toMatchObject({
      code: 'LEDGER_DAMAGED',
      reason: expect.stringContaining('do not lead to the tree'),
    });
  });

  test('what a closed chunk lacks is said when they are made again', async () => {
    const disk = new CrashDisk();
    await writeLedger(disk, source.range(1, 110));
    disk.delete(TREE);
    const chunk = disk.paths().filter((path) => path.endsWith('.committed'))[2] ?? '';
    disk.put(chunk, disk.file(chunk).subarray(0, -1));
    expect(await rejection(openLedger(disk))).toMatchObject({ code: 'LEDGER_DAMAGED', file: chunk });
  });
});

describe('the start', () => {
  test('reads no more of a long ledger than of a short one', async () => {
    const costOf = async (entries: number): Promise<{ bytes: number; changes: number }> => {
      const disk = new CrashDisk();
      await writeLedger(disk, source.range(1, entries));
      const again = disk.after(null);
      const { ledger } = await openLedger(again);
      const cost = { bytes: again.bytesRead, changes: again.changes };
      expect(ledger.storedSeqno).toBe(entries);
      await ledger.close();
      return cost;
    };
    // One chunk has 14 entries: both end with five in the open one.
    const short = await costOf(14 * 4 + 5);
    const long = await costOf(14 * 60 + 5);
    expect(long.bytes).toBeLessThan(short.bytes + 1_000);
    expect(long.changes).toBe(short.changes);
  });

  test('removes what a repair left behind', async () => {
    const disk = new CrashDisk();
    await writeLedger(disk, source.range(1, 30));
    disk.put(pathOf('ledger_1-14.committed.tmp'), Buffer.alloc(5));
    const { ledger } = await openLedger(disk);
    expect(await disk.list(DIRECTORY)).not.toContain('ledger_1-14.committed.tmp');
    await ledger.close();
  });
});
