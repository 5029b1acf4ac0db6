import { Buffer } from 'node:buffer';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseChunkName } from '@drawbridge/protocol/ledger/chunk';
import { decodeRecord, type LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';
import { MerkleFrontier } from '@drawbridge/protocol/ledger/merkle-tree';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Disk, nodeDisk } from '../consensus/log/disk.ts';
import { sha256 } from '../sha256.ts';
import { MAX_OPEN_CHUNKS } from './chunk-files.ts';
import type { Ledger } from './ledger.ts';
import { CrashDisk } from './testing/crash-disk.ts';
import { EntrySource } from './testing/ledger-entries.ts';
import { appendAll, DIRECTORY, openLedger, pathOf, rejection, writeLedger } from './testing/ledger-fixture.ts';

const text = (record: LedgerRecord | undefined): string =>
  record ? JSON.stringify({ ...record, ...mapBytes(record) }) : 'nothing';
const mapBytes = ({ commitEvidenceDigest, claimsDigest, data }: LedgerRecord): object => ({
  commitEvidenceDigest: Buffer.from(commitEvidenceDigest).toString('hex'),
  claimsDigest: Buffer.from(claimsDigest).toString('hex'),
  data: Buffer.from(data).toString('hex'),
});
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

async function allOf(ledger: Ledger, from = 1): Promise<string[]> {
  const records: string[] = [];
  for await (const record of ledger.readFrom(from)) records.push(text(record));
  return records;
}

describe('a ledger', () => {
  test('gives back what was appended, from memory at once and from the disk after a restart', async () => {
    const disk = new CrashDisk();
    const source = new EntrySource();
    const { ledger } = await openLedger(disk);
    expect(ledger.lastSeqno).toBe(0);
    appendAll(ledger, source.range(1, 200));
    expect(ledger.lastSeqno).toBe(200);
    expect(hex(ledger.root())).toBe(hex(source.tree(201).root()));
    expect(text(await ledger.record(77))).toBe(text(source.at(77)));
    expect(await ledger.record(201)).toBeUndefined();
    expect(await ledger.record(0)).toBeUndefined();
    await ledger.close();

    const again = await openLedger(disk);
    expect(again.ledger.storedSeqno).toBe(200);
    expect(again.ledger.lastSeqno).toBe(200);
    expect(again.ledger.tornTail).toBeNull();
    expect(hex(again.ledger.root())).toBe(hex(source.tree(201).root()));
    for (const seqno of [1, 2, 99, 100, 199, 200]) {
      expect(text(await again.ledger.record(seqno))).toBe(text(source.at(seqno)));
    }
    expect(await allOf(again.ledger)).toEqual(source.range(1, 200).map(text));
    expect(await allOf(again.ledger, 150)).toEqual(source.range(150, 200).map(text));
    appendAll(again.ledger, source.range(201, 260));
    await again.ledger.flush();
    expect(await allOf(again.ledger)).toEqual(source.range(1, 260).map(text));
    await again.ledger.close();
  });

  test('closes a chunk at the first signature after its size is reached, and never before', async () => {
    const disk = new CrashDisk();
    await writeLedger(disk, new EntrySource().range(1, 300));
    const chunks = (await disk.list(DIRECTORY)).flatMap((name) => parseChunkName(name) ?? []);
    chunks.sort((a, b) => a.first - b.first);
    expect(chunks.length).toBeGreaterThan(10);
    for (const [at, { first, last }] of chunks.entries()) {
      expect(first).toBe(at === 0 ? 1 : (chunks[at - 1]?.last ?? 0) + 1);
      if (at === chunks.length - 1) expect(last).toBeUndefined();
      else expect((last ?? 0) % 7).toBe(0);
      const size = disk.file(
        pathOf(last === undefined ? `ledger_${first}` : `ledger_${first}-${last}.committed`),
      ).length;
      if (last !== undefined) expect(size).toBeGreaterThanOrEqual(1_500);
    }
  });

  test('has the same files whatever was written with one write, and however often it was restarted', async () => {
    const source = new EntrySource({ dataBytes: (seqno) => (seqno * 37) % 400 });
    const expected = new CrashDisk();
    await writeLedger(expected, source.range(1, 90));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat({ max: 3 })), { maxLength: 12 }),
        async (steps) => {
          const disk = new CrashDisk();
          let { ledger } = await openLedger(disk);
          for (const [count, then] of steps) {
            const from = ledger.lastSeqno + 1;
            appendAll(ledger, source.range(from, Math.min(90, from + count - 1)));
            if (then === 1) await ledger.flush();
            if (then === 2) await new Promise((resolve) => setImmediate(resolve));
            if (then !== 3) continue;
            await ledger.close();
            ({ ledger } = await openLedger(disk));
          }
          appendAll(ledger, source.range(ledger.lastSeqno + 1, 90));
          await ledger.flush();
          await ledger.close();
          expect(disk.contents()).toEqual(expected.contents());
        },
      ),
      { numRuns: 12 },
    );
  });

  test('gives peers whole records within what they ask for, but one at least', async () => {
    const disk = new CrashDisk();
    const source = new EntrySource({ dataBytes: (seqno) => (seqno === 40 ? 9_000 : 60) });
    await writeLedger(disk, source.range(1, 100));
    const { ledger } = await openLedger(disk);
    const got: string[] = [];
    for (let from = 1; from <= 100; ) {
      const bytes = await ledger.records(from, 700);
      expect(bytes.length).toBeGreaterThan(0);
      if (from !== 40) expect(bytes.length).toBeLessThanOrEqual(700);
      for (let offset = 0; offset < bytes.length; from++) {
        const read = decodeRecord(bytes, offset);
        if (read === 'torn') throw new Error('half a record');
        got.push(text(read.record));
        offset = read.next;
      }
    }
    expect(got).toEqual(source.range(1, 100).map(text));
    expect(await ledger.records(101, 700)).toHaveLength(0);
    appendAll(ledger, source.range(101, 110));
    expect((await ledger.records(101, 1)).length).toBeGreaterThan(0);
    await ledger.close();
  });

  test('keeps a bounded number of files open', async () => {
    const disk = new CrashDisk();
    const source = new EntrySource();
    await writeLedger(disk, source.range(1, 700));
    expect(disk.opened).toBe(0);
    const { ledger } = await openLedger(disk);
    const asked = Array.from({ length: 300 }, (_, at) => ((at * 131) % 700) + 1);
    const records = await Promise.all(asked.map((seqno) => ledger.record(seqno)));
    expect(records.map(text)).toEqual(asked.map((seqno) => text(source.at(seqno))));
    // Beside the chunks: tree, index and the open chunk.
    expect(disk.mostOpened).toBeLessThanOrEqual(MAX_OPEN_CHUNKS + 3);
    await ledger.close();
    expect(disk.opened).toBe(0);
  });

  test('reads while chunks are closed and renamed', async () => {
    const disk = new CrashDisk();
    const source = new EntrySource();
    const { ledger } = await openLedger(disk);
    for (let seqno = 1; seqno <= 300; seqno += 10) {
      appendAll(ledger, source.range(seqno, seqno + 9));
      const read = Promise.all([1, seqno, seqno + 9].map((wanted) => ledger.record(wanted)));
      if (seqno % 3 === 0) await ledger.flush();
      expect((await read).map(text)).toEqual([1, seqno, seqno + 9].map((wanted) => text(source.at(wanted))));
    }
    await ledger.close();
  });

  test('reads from a chunk whose file has its new name already', async () => {
    const inner = new CrashDisk();
    const source = new EntrySource();
    await writeLedger(inner, source.range(1, 25));
    const reads: Promise<LedgerRecord | undefined>[] = [];
    const disk: Disk = {
      open: (path, mode) => inner.open(path, mode),
      list: (directory) => inner.list(directory),
      makeDirectory: () => inner.makeDirectory(),
      remove: (path) => inner.remove(path),
      syncDirectory: () => inner.syncDirectory(),
      lock: () => inner.lock(),
      async rename(from, to) {
        await inner.rename(from, to);
        reads.push(ledger.record(16), ledger.record(20));
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      },
    };
    const { ledger } = await openLedger(disk);
    appendAll(ledger, source.range(26, 30));
    await ledger.flush();
    expect((await Promise.all(reads)).map(text)).toEqual([16, 20].map((seqno) => text(source.at(seqno))));
    await ledger.close();
  });

  test('on a real disk: files are for this user only, and all is there after a restart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'drawbridge-ledger-'));
    const directory = join(folder, 'ledger');
    const source = new EntrySource();
    await writeLedger(nodeDisk, source.range(1, 60), { directory });
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    const names = await readdir(directory);
    expect(names).toContain('ledger_1-14.committed');
    for (const name of names) expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
    const { ledger } = await openLedger(nodeDisk, { directory });
    expect(await allOf(ledger)).toEqual(source.range(1, 60).map(text));
    appendAll(ledger, source.range(61, 80));
    await ledger.close();
    await rm(folder, { recursive: true });
  });

  test('takes entries in order only', async () => {
    const { ledger } = await openLedger(new CrashDisk());
    const source = new EntrySource();
    expect(() => ledger.append(source.at(2))).toThrow('seqno 1 comes next, not 2');
    ledger.append(source.at(1));
    expect(() => ledger.append(source.at(1))).toThrow('seqno 2 comes next, not 1');
    expect(ledger.lastSeqno).toBe(1);
    await ledger.close();
  });

  test('gives a frontier that does not change, and the children of the root', async () => {
    const { ledger } = await openLedger(new CrashDisk());
    const source = new EntrySource();
    expect(() => ledger.rootChildren()).toThrow('not known');
    appendAll(ledger, source.range(1, 20));
    const before = ledger.frontier();
    expect(hex(sha256(Buffer.concat(ledger.rootChildren())))).toBe(hex(ledger.root()));
    appendAll(ledger, source.range(21, 30));
    expect(hex(before.root())).toBe(hex(source.tree(21).root()));
    await ledger.close();
  });
});

describe('back pressure', () => {
  test('waits while more than the bound is queued', async () => {
    const { ledger } = await openLedger(new CrashDisk(), { maxQueuedBytes: 10_000 });
    const source = new EntrySource({ dataBytes: () => 1_000 });
    await ledger.drained();
    appendAll(ledger, source.range(1, 30));
    let drained = false;
    const waiting = ledger.drained().then(() => {
      drained = true;
    });
    await Promise.resolve();
    expect(drained).toBe(false);
    await waiting;
    expect(drained).toBe(true);
    await ledger.close();
  });
});

describe('after a restart', () => {
  async function reopened(): Promise<{ ledger: Ledger; source: EntrySource; disk: CrashDisk }> {
    const disk = new CrashDisk();
    const source = new EntrySource();
    await writeLedger(disk, source.range(1, 150));
    return { ledger: (await openLedger(disk)).ledger, source, disk };
  }

  test.each([1, 2, 3, 60, 140, 149, 150, 151])(
    'entries that come again from a state of size %d are not written twice',
    async (size) => {
      const { ledger, source, disk } = await reopened();
      const before = disk.contents();
      ledger.resumeAt(source.tree(size));
      expect(ledger.lastSeqno).toBe(size - 1);
      expect(ledger.storedSeqno).toBe(150);
      appendAll(ledger, source.range(size, 150));
      await ledger.flush();
      expect(disk.contents()).toEqual(before);
      appendAll(ledger, source.range(151, 160));
      await ledger.close();
      const whole = new CrashDisk();
      await writeLedger(whole, source.range(1, 160));
      expect(disk.contents()).toEqual(whole.contents());
    },
  );

  test('another entry in the open chunk is a conflict at once', async () => {
    const { ledger, source } = await reopened();
    ledger.resumeAt(source.tree(140));
    appendAll(ledger, source.range(140, 146));
    const other = { ...source.at(147), view: 9 };
    expect(() => ledger.append(other)).toThrow(
      expect.objectContaining({ code: 'LEDGER_CONFLICT', from: 147, to: 147 }),
    );
    await ledger.close();
  });

  test('another entry in a closed chunk is a conflict before anything is written', async () => {
    const { ledger, source } = await reopened();
    ledger.resumeAt(source.tree(10));
    appendAll(ledger, source.range(10, 19));
    const conflict = (): void => {
      ledger.append({ ...source.at(20), epoch: 7 });
      appendAll(ledger, source.range(21, 150));
    };
    expect(conflict).toThrow(expect.objectContaining({ code: 'LEDGER_CONFLICT' }));
    expect(ledger.lastSeqno).toBeLessThanOrEqual(150);
    await ledger.close();
  });

  test('a state of another ledger is a conflict, one of beyond its end is damage', async () => {
    const { ledger, source } = await reopened();
    const other = new EntrySource({ seed: 2 });
    expect(() => ledger.resumeAt(other.tree(149))).toThrow(expect.objectContaining({ code: 'LEDGER_CONFLICT' }));
    expect(() => ledger.resumeAt(other.tree(151))).toThrow(expect.objectContaining({ code: 'LEDGER_CONFLICT' }));
    expect(() => ledger.resumeAt(source.tree(152))).toThrow(expect.objectContaining({ code: 'LEDGER_DAMAGED' }));
    ledger.resumeAt(MerkleFrontier.of(149, source.tree(149).peaks(), sha256));
    await ledger.close();
  });

  test('entries that are on disk but did not come again yet are not given out', async () => {
    const { ledger, source } = await reopened();
    ledger.resumeAt(source.tree(100));
    expect(await ledger.record(100)).toBeUndefined();
    expect(text(await ledger.record(99))).toBe(text(source.at(99)));
    expect(await allOf(ledger, 95)).toEqual(source.range(95, 99).map(text));
    expect(await ledger.records(100, 1_000)).toHaveLength(0);
    await ledger.close();
  });
});

describe('a disk that fails', () => {
  test.each(['ENOSPC', 'EIO'])(
    'with %s: the node is told once, nothing is taken any more, and a restart finds what was flushed',
    async (code) => {
      const disk = new CrashDisk();
      const source = new EntrySource();
      const { ledger, failures } = await openLedger(disk);
      appendAll(ledger, source.range(1, 100));
      await ledger.flush();
      if (code === 'ENOSPC') disk.capacity = disk.paths().reduce((sum, path) => sum + disk.file(path).length, 0) + 300;
      else disk.syncFailure = code;
      appendAll(ledger, source.range(101, 140));
      expect(await rejection(ledger.flush())).toMatchObject({ code: 'LEDGER_WRITE_FAILED', cause: { code } });
      expect(failures).toHaveLength(1);
      expect(() => ledger.append(source.at(141))).toThrow(expect.objectContaining({ code: 'LEDGER_WRITE_FAILED' }));
      expect(await rejection(ledger.drained())).toMatchObject({ code: 'LEDGER_WRITE_FAILED' });
      await ledger.close();
      expect(failures).toHaveLength(1);

      const next = disk.after(null);
      const again = (await openLedger(next)).ledger;
      expect(again.storedSeqno).toBeGreaterThanOrEqual(100);
      again.resumeAt(source.tree(90));
      appendAll(again, source.range(90, 140));
      await again.close();
      const whole = new CrashDisk();
      await writeLedger(whole, source.range(1, 140));
      expect(next.contents()).toEqual(whole.contents());
    },
  );
});
