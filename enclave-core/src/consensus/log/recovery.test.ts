import { Buffer } from 'node:buffer';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { saveSnapshot } from '../save-snapshot.ts';
import {
  change,
  contents,
  copyOf,
  damage,
  disk,
  expectEveryFlipFound,
  expectTornTail,
  FIRST,
  freshDisk,
  gone,
  indexes,
  logs,
  open,
  pathOf,
  put,
  putBack,
  recover,
  SECOND,
  SEGMENT_BYTES,
  write,
} from '../testing/damaged-log.ts';
import { seededEntropy } from '../testing/deterministic-host.ts';
import { entry, range, snapshotAt } from '../testing/temporary-log.ts';

type Written = { file: string; position: number; bytes: Buffer };

/** What is written to durable files from now on. */
function durableWrites(): Written[] {
  const writes: Written[] = [];
  const inner = disk.open.bind(disk);
  disk.open = async (file, mode) => {
    const opened = await inner(file, mode);
    const write = (bytes: Uint8Array, position: number): Promise<void> => {
      if (mode === 'durable') writes.push({ file, position, bytes: Buffer.from(bytes) });
      return opened.write(bytes, position);
    };
    return { ...opened, write };
  };
  return writes;
}

beforeEach(freshDisk);
afterEach(() => logs.clean());

describe('a torn tail', () => {
  test.each([
    { what: 'a frame of several sectors', bytes: 400 },
    { what: 'a frame of one sector', bytes: 20 },
  ])('$what, cut here and there: it goes, all before it stays, and the log goes on', ({ bytes }) =>
    expectTornTail(bytes, 101),
  );

  test('any set of sectors of the last frame that never reached the disk', async () => {
    const [before = 0, after = 0] = await write({ from: 1, to: 3 }, { from: 4, to: 6, bytes: 900 });
    const whole = copyOf();
    const sectors = (after - before) / 512;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 ** sectors - 2 }), async (written) => {
        putBack(whole);
        change(FIRST, (segment) => {
          for (let i = 0; i < sectors; i++)
            if (!(written & (1 << i))) segment.fill(0, before + 512 * i, before + 512 * (i + 1));
        });
        expect(indexes(await recover())).toEqual([1, 2, 3]);
        expect((await recover()).tornTail).toBeNull();
      }),
      { numRuns: 40 },
    );
  });

  test('a batch of several frames that ends early leaves a part that raft can go on from', async () => {
    const store = await logs.open('log', { segmentBytes: SEGMENT_BYTES, maxFrameBytes: 600 }, { disk });
    await store.append({ entries: range(1, 2), hardState: { term: 1, vote: 1, commit: 1 }, installed: null });
    const offset = contents(FIRST).findLastIndex((byte) => byte !== 0) + 1;
    const entries = range(3, 40, 2);
    await store.append({ entries, hardState: { term: 2, vote: 2, commit: 30 }, installed: null });
    await store.close();
    const whole = copyOf();
    for (let cut = offset; cut < SEGMENT_BYTES; cut += 512) {
      putBack(whole);
      change(FIRST, (segment) => segment.fill(0, cut));
      const log = await recover();
      const last = indexes(log).at(-1) ?? 0;
      expect(log.hardState).toMatchObject(last > 2 ? { term: 2, vote: 2 } : { term: 1, commit: 1 });
      expect(log.hardState?.commit).toBeLessThanOrEqual(last);
      if (last === 40) expect(log.hardState?.commit).toBe(30);
    }
  });

  test('what was read is written again before it counts: a killed process may have left it in the page cache only', async () => {
    const [before = 0, after = 0] = await write({ from: 1, to: 3 }, { from: 4, to: 6 });
    const frame = Buffer.from(contents(FIRST).subarray(before, after));
    const writes = durableWrites();
    await recover();
    expect(writes).toEqual([{ file: pathOf(FIRST), position: before, bytes: frame }]);
  });

  test('so is the newest seal, since frames follow in the next segment that say there must be one', async () => {
    await write({ from: 1, to: 6, bytes: 1000 }, { from: 7, to: 9, bytes: 1000 });
    const seal = Buffer.from(contents(FIRST).subarray(512, 1024));
    const writes = durableWrites();
    await recover();
    expect(writes[0]).toEqual({ file: pathOf(FIRST), position: 512, bytes: seal });
  });

  test('is not assumed where later frames follow', async () => {
    const [before = 0, next = 0] = await write({ from: 1, to: 3 }, { from: 4, to: 6, bytes: 700 }, { from: 7, to: 7 });
    const whole = copyOf();
    for (let at = before; at < next; at += 512) {
      putBack(whole);
      change(FIRST, (segment) => segment.fill(0, at, at + 512));
      expect(await damage()).toMatchObject({ code: 'LOG_DAMAGED', file: pathOf(FIRST), offset: before });
    }
  });

  test('is not assumed where a later segment exists', async () => {
    await write({ from: 1, to: 6, bytes: 1000 }, { from: 7, to: 9, bytes: 1000 });
    const whole = copyOf();
    change(FIRST, (segment) => segment.fill(0, 1024 + 512, 2048));
    const reason = expect.stringMatching(/later segments exist/);
    expect(await damage()).toMatchObject({ code: 'LOG_DAMAGED', file: pathOf(FIRST), offset: 1024, reason });
    putBack(whole);
    change(FIRST, (segment) => segment.fill(0, 1024));
    expect(await damage()).toMatchObject({
      reason: expect.stringMatching(/frames are missing at the end/),
      offset: 1024,
    });
  });
});

describe('damage', () => {
  test('a flipped bit here and there in what was acknowledged is found, with file and offset', () =>
    expectEveryFlipFound(101));

  test('nothing is changed when it is found, and the words tell what to do', async () => {
    await write({ from: 1, to: 4 }, { from: 5, to: 6 });
    change(FIRST, (segment) => {
      segment[1100] = (segment[1100] ?? 0) ^ 4;
    });
    const before = copyOf();
    const error = await damage();
    expect(error.advice).toMatch(/Do not delete/);
    expect(error.reason).toMatch(/not what was written/);
    expect(copyOf()).toEqual(before);
  });

  test('frames in another order', async () => {
    const [first = 0, second = 0, third = 0] = await write({ from: 1, to: 1 }, { from: 2, to: 2 }, { from: 3, to: 3 });
    change(FIRST, (segment) => {
      const frame = Buffer.from(segment.subarray(first, second));
      segment.copy(segment, first, second, third);
      frame.copy(segment, second);
    });
    expect(await damage()).toMatchObject({
      offset: first,
      reason: expect.stringMatching(/frame 3 stands where frame 2/),
    });
  });

  test('a head that makes its frame reach into what was never written is no torn write', async () => {
    const [before = 0, after = 0] = await write({ from: 1, to: 3 }, { from: 4, to: 6, bytes: 300 });
    change(FIRST, (segment) => {
      segment.writeUInt32LE((after - before) / 512 + 1, before + 4);
      segment.writeUInt32LE(segment.readUInt32LE(before + 16) + 511, before + 16);
    });
    expect(await damage()).toMatchObject({ file: pathOf(FIRST), offset: before });
  });

  /** The same log id and the same sizes with other content, as after a restored copy that went on by itself. */
  async function branch(term: number): Promise<ReadonlyMap<string, Buffer>> {
    const own = copyOf();
    disk.files.clear();
    const store = await open();
    for (let index = 1; index <= 18; index++) {
      const entries = [entry(index, term, Buffer.alloc(1000, index))];
      await store.append({ entries, hardState: { term, vote: 1, commit: index }, installed: null });
    }
    await store.close();
    const other = copyOf();
    putBack(own);
    return other;
  }

  test('frames and segments of another branch of the same log', async () => {
    const one = await branch(1);
    const two = await branch(2);
    putBack(one);
    change(FIRST, (segment) => two.get(pathOf(FIRST))?.copy(segment, 1024 + 1536, 1024 + 1536, 1024 + 3072));
    expect(await damage()).toMatchObject({ offset: 1024 + 1536, reason: expect.stringMatching(/does not continue/) });
    putBack(one);
    const store = await open();
    await saveSnapshot(store, snapshotAt(17));
    await store.close();
    put(SECOND, two.get(pathOf(SECOND)) ?? Buffer.alloc(0));
    const reason = expect.stringMatching(/the segment does not continue/);
    expect(await damage()).toMatchObject({ file: pathOf(SECOND), offset: 0, reason });
  });

  test('a segment and a snapshot of another log', async () => {
    await write({ from: 1, to: 6, bytes: 1000 }, { from: 7, to: 12, bytes: 1000 });
    const own = copyOf();
    disk.files.clear();
    const store = await logs.open('log', { segmentBytes: SEGMENT_BYTES }, { disk, entropy: seededEntropy(2) });
    for (const from of [1, 7])
      await store.append({ entries: range(from, from + 5, 1, 1000), hardState: null, installed: null });
    await saveSnapshot(store, snapshotAt(3));
    await store.close();
    const other = copyOf();
    putBack(new Map([...own, [pathOf(SECOND), other.get(pathOf(SECOND)) ?? Buffer.alloc(0)]]));
    expect(await damage()).toMatchObject({ file: pathOf(SECOND), reason: 'the segment belongs to another log' });
    const name = 'snapshot-0000000000000003.dbsnap';
    putBack(new Map([...own, [pathOf(name), other.get(pathOf(name)) ?? Buffer.alloc(0)]]));
    expect(await damage()).toMatchObject({
      file: pathOf(name),
      reason: expect.stringMatching(/belongs to another log/),
    });
  });

  test('a received snapshot that is gone, when the log goes on after it', async () => {
    const store = await open();
    await store.append({ entries: range(1, 3), hardState: { term: 1, vote: 1, commit: 3 }, installed: null });
    await saveSnapshot(store, snapshotAt(3));
    await saveSnapshot(store, snapshotAt(90, 2));
    const entries = range(91, 92, 2);
    await store.append({ entries, hardState: { term: 2, vote: 1, commit: 91 }, installed: { index: 90, term: 2 } });
    await store.close();
    gone('snapshot-0000000000000090.dbsnap');
    expect(await damage()).toMatchObject({ file: pathOf('snapshot-0000000000000090.dbsnap'), offset: 0 });
    gone('snapshot-0000000000000003.dbsnap');
    expect(await damage()).toMatchObject({ file: pathOf('snapshot-0000000000000090.dbsnap'), offset: 0 });
  });

  test('a segment that is missing, too short, too long or out of its place', async () => {
    await write({ from: 1, to: 6, bytes: 1000 }, { from: 7, to: 12, bytes: 1000 }, { from: 13, to: 18, bytes: 1000 });
    const whole = copyOf();
    const attempts: [string, () => void, string, number][] = [
      ['first gone', () => gone(FIRST), FIRST, 0],
      ['middle gone', () => gone(SECOND), SECOND, 0],
      ['last gone', () => gone('segment-000000000003.dblog'), 'segment-000000000003.dblog', 0],
      ['shorter', () => put(FIRST, contents(FIRST).subarray(0, 5000)), FIRST, 5000],
      ['longer', () => put(SECOND, Buffer.concat([contents(SECOND), Buffer.from('x')])), SECOND, SEGMENT_BYTES],
      ['seal flipped', () => change(FIRST, (b) => b.writeUInt8(b.readUInt8(520) ^ 1, 520)), FIRST, 512],
      ['seal gone', () => change(FIRST, (b) => b.fill(0, 512, 1024)), FIRST, 512],
      ['wrong place', () => put(SECOND, contents(FIRST)), SECOND, 0],
    ];
    for (const [what, attempt, file, offset] of attempts) {
      putBack(whole);
      attempt();
      expect({ what, ...(await damage()) }).toMatchObject({
        what,
        code: 'LOG_DAMAGED',
        file: pathOf(file),
        offset,
      });
    }
    putBack(whole);
    expect(indexes(await recover())).toHaveLength(18);
  });

  test('a log that is shorter than when its snapshot was written', async () => {
    const store = await open();
    await store.append({ entries: range(1, 2), hardState: { term: 1, vote: 1, commit: 2 }, installed: null });
    const earlier = Buffer.from(contents(FIRST));
    await store.append({ entries: range(3, 4), hardState: { term: 1, vote: 1, commit: 4 }, installed: null });
    await saveSnapshot(store, snapshotAt(4));
    await store.close();
    put(FIRST, earlier);
    expect(await damage()).toMatchObject({
      file: pathOf(FIRST),
      reason: expect.stringMatching(/ends at frame 1/),
    });
    gone(FIRST);
    expect(await damage()).toMatchObject({ reason: expect.stringMatching(/all segments are missing/) });
  });

  test('a damaged snapshot is passed over, said so, and the log makes up for it; without any the node stops', async () => {
    const store = await open();
    await store.append({ entries: range(1, 9), hardState: { term: 1, vote: 1, commit: 9 }, installed: null });
    await saveSnapshot(store, snapshotAt(4));
    await saveSnapshot(store, snapshotAt(8));
    await store.close();
    const name = (index: number): string => `snapshot-000000000000000${index}.dbsnap`;
    const flip = (b: Buffer): unknown => b.writeUInt8(b.readUInt8(90) ^ 16, 90);
    change(name(8), flip);
    const log = await recover();
    expect(log.snapshot?.index).toBe(4);
    expect(indexes(log)).toEqual([5, 6, 7, 8, 9]);
    expect(log.damagedSnapshots).toEqual([{ file: pathOf(name(8)), reason: 'the snapshot is not what was written' }]);
    change(name(4), flip);
    expect(await damage()).toMatchObject({ code: 'LOG_DAMAGED', file: pathOf(name(8)), offset: 0 });
  });
});

test('a sector that the disk cannot read any more is damage with file and offset; in a snapshot it is passed over', async () => {
  const store = await open();
  await store.append({ entries: range(1, 9), hardState: { term: 1, vote: 1, commit: 9 }, installed: null });
  await saveSnapshot(store, snapshotAt(4));
  await saveSnapshot(store, snapshotAt(8));
  await store.close();
  const inner = disk.open.bind(disk);
  let unreadable = 'snapshot-0000000000000008.dbsnap';
  disk.open = async (path, mode) => {
    const file = await inner(path, mode);
    const failing = (): Promise<Buffer> => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }));
    return path.endsWith(unreadable) ? { ...file, read: failing } : file;
  };
  expect((await recover()).damagedSnapshots).toEqual([
    { file: pathOf(unreadable), reason: 'the disk cannot read it (EIO)' },
  ]);
  unreadable = FIRST;
  expect(await damage()).toMatchObject({ code: 'LOG_DAMAGED', file: pathOf(FIRST), offset: 0 });
});

test('a flipped bit anywhere in a snapshot is found', async () => {
  const store = await open();
  await store.append({ entries: range(1, 9), hardState: { term: 1, vote: 1, commit: 9 }, installed: null });
  await saveSnapshot(store, snapshotAt(4));
  await saveSnapshot(store, snapshotAt(8));
  await store.close();
  const whole = copyOf();
  const name = 'snapshot-0000000000000008.dbsnap';
  for (let at = 0; at < contents(name).length; at++) {
    putBack(whole);
    change(name, (bytes) => bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (at % 8)), at));
    expect((await recover()).snapshot?.index).toBe(4);
  }
});

test('a crash between two segments, at any step, loses nothing', async () => {
  await write({ from: 1, to: 6, bytes: 1000 });
  const full = copyOf();
  await write({ from: 7, to: 9, bytes: 1000 });
  const next = Buffer.from(contents(SECOND)).fill(0, 512);
  const unsealed = full.get(pathOf(FIRST)) ?? Buffer.alloc(0);
  const sealed = Buffer.from(contents(FIRST));
  const halfSealed = Buffer.from(sealed).fill(0, 700, 1024);
  for (const first of [unsealed, halfSealed, sealed]) {
    putBack(
      new Map([
        [pathOf(FIRST), first],
        [pathOf(SECOND), next],
        [pathOf('spare.tmp'), Buffer.from('half')],
      ]),
    );
    expect(indexes(await recover())).toEqual([1, 2, 3, 4, 5, 6]);
    expect(contents(FIRST).equals(sealed)).toBe(true);
  }
});
