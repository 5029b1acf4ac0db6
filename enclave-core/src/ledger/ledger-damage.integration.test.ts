import { Buffer } from 'node:buffer';
import { frameEntry } from '@drawbridge/protocol/ledger/entry-frame';
import { encodeRecord, MAX_RECORD_BODY_BYTES } from '@drawbridge/protocol/ledger/ledger-record';
import { mmrPosition, mmrSize } from '@drawbridge/protocol/ledger/merkle-tree';
import { describe, expect, test } from '@jest/globals';
import type { Ledger } from './ledger.ts';
import { CrashDisk } from './testing/crash-disk.ts';
import { EntrySource } from './testing/ledger-entries.ts';
import { openLedger, pathOf, rejection, writeLedger } from './testing/ledger-fixture.ts';

const source: EntrySource = new EntrySource();

async function written(): Promise<{ disk: CrashDisk; chunk: string; first: number; last: number }> {
  const disk = new CrashDisk();
  await writeLedger(disk, source.range(1, 150));
  const [first, last] = [29, 42];
  const chunk = pathOf(`ledger_${first}-${last}.committed`);
  expect(disk.paths()).toContain(chunk);
  return { disk, chunk, first, last };
}

function flip(bytes: Buffer, at: number): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  return bytes;
}

const seqnos = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at);

async function all(ledger: Ledger, from: number): Promise<number> {
  let count = 0;
  for await (const record of ledger.readFrom(from)) count += record.seqno > 0 ? 1 : 0;
  return count;
}

describe('a closed chunk', () => {
  test('with a flipped bit anywhere is never given out: not the record, not to peers', async () => {
    const { disk, chunk, first, last } = await written();
    const { length } = disk.file(chunk);
    for (let at = 0; at < length; at += 173) {
      const rotten = disk.after(null);
      flip(rotten.file(chunk), at);
      const { ledger } = await openLedger(rotten);
      const answers = await Promise.allSettled(seqnos(first, last).map((seqno) => ledger.record(seqno)));
      for (const [index, answer] of answers.entries()) {
        if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'LEDGER_DAMAGED', file: chunk });
        else
          expect(answer.value).toEqual(expect.objectContaining({ data: Buffer.from(source.at(first + index).data) }));
      }
      // The header vouches for nothing that is read by the tree; what is behind it does.
      const isHeader = at < 13 + 32 + 8 + 32 * 6;
      if (!isHeader) expect(answers.some(({ status }) => status === 'rejected')).toBe(true);
      if (!isHeader) expect(await rejection(all(ledger, first))).toMatchObject({ code: 'LEDGER_DAMAGED', file: chunk });
      expect(await ledger.record(first - 1)).toBeDefined();
      expect(await ledger.record(last + 1)).toBeDefined();
      await ledger.close();
    }
  });

  test('says at which byte it is damaged', async () => {
    const { disk, chunk, first } = await written();
    const { ledger } = await openLedger(disk);
    const whole = await ledger.records(first, 10_000);
    const header = disk.file(chunk).length - whole.length;
    const offset = header + (await ledger.records(first, 1)).length;
    flip(disk.file(chunk), offset + 60);
    expect(await rejection(ledger.record(first + 1))).toMatchObject({ code: 'LEDGER_DAMAGED', file: chunk, offset });
    await ledger.close();
  });

  test.each([
    ['a flipped bit', (bytes: Buffer): Buffer => flip(bytes, 700)],
    ['a missing end', (bytes: Buffer): Buffer => bytes.subarray(0, 800)],
    ['another header', (bytes: Buffer): Buffer => flip(bytes, 60)],
    ['nothing in it', (): Buffer => Buffer.alloc(0)],
  ])('with %s is replaced by what a peer has, byte for byte', async (_what, spoil) => {
    const { disk, chunk, first } = await written();
    const peer = (await openLedger(disk.after(null))).ledger;
    const rotten = disk.after(null);
    rotten.put(chunk, spoil(Buffer.from(rotten.file(chunk))));
    const { ledger } = await openLedger(rotten);
    await ledger.repair(first, (from) => peer.records(from, 300));
    expect(await all(ledger, 1)).toBe(150);
    await ledger.close();
    await peer.close();
    expect(rotten.contents()).toEqual(disk.contents());
  });

  test('is not replaced by what another ledger has, by half records, or by nothing', async () => {
    const { disk, chunk, first } = await written();
    const other = new CrashDisk();
    await writeLedger(other, new EntrySource({ seed: 2 }).range(1, 150));
    const stranger = (await openLedger(other)).ledger;
    const peer = (await openLedger(disk.after(null))).ledger;
    flip(disk.file(chunk), 700);
    const before = disk.contents();
    const { ledger } = await openLedger(disk);
    expect(await rejection(ledger.repair(first, (from) => stranger.records(from, 300)))).toMatchObject({
      code: 'LEDGER_REPAIR_FAILED',
      message: `a peer sent another record of seqno ${first} than the tree has`,
    });
    const answers = [
      (from: number) => stranger.records(from, 300),
      async (from: number) => (await peer.records(from, 300)).subarray(0, -1),
      (from: number) => peer.records(from + 1, 300),
      async () => new Uint8Array(),
    ];
    for (const fetch of answers) {
      expect(await rejection(ledger.repair(first, fetch))).toMatchObject({ code: 'LEDGER_REPAIR_FAILED' });
    }
    expect(await rejection(ledger.repair(first, () => Promise.reject(new Error('away'))))).toMatchObject({
      message: 'away',
    });
    expect(disk.contents()).toEqual(before);
    await expect(ledger.repair(first + 1, answers[0] ?? (() => stranger.records(1, 1)))).rejects.toThrow(
      'no closed chunk',
    );
    await ledger.close();
    await stranger.close();
    await peer.close();
    expect(disk.opened).toBe(0);
  });
});

describe('a tree that is damaged, too', () => {
  test.each([
    ['the leaf of its first record', 29, (position: number): number => position],
    ['the leaf of its last record', 42, (position: number): number => position],
    ['a node over leaves', 31, (position: number): number => position + 1],
  ])('at %s is put right together with the chunk', async (_what, seqno, nodeOf) => {
    const { disk, chunk, first } = await written();
    const peer = (await openLedger(disk.after(null))).ledger;
    const rotten = disk.after(null);
    flip(rotten.file(chunk), 700);
    flip(rotten.file(chunk), rotten.file(chunk).length - 5);
    const { ledger } = await openLedger(rotten);
    flip(rotten.file(pathOf('tree.mmr')), nodeOf(mmrPosition(seqno)) * 32);
    expect(await rejection(all(ledger, first))).toMatchObject({ code: 'LEDGER_DAMAGED', file: chunk });
    await ledger.repair(first, (from) => peer.records(from, 300));
    expect(await all(ledger, 1)).toBe(150);
    await ledger.close();
    await peer.close();
    expect(rotten.contents()).toEqual(disk.contents());
  });

  test('lets no peer fill the disk with records of its own', async () => {
    const { disk, first } = await written();
    const before = disk.contents();
    const { ledger } = await openLedger(disk);
    const data = frameEntry('settlement', Buffer.alloc(MAX_RECORD_BODY_BYTES - 100));
    let asked = 0;
    const endless = async (seqno: number): Promise<Uint8Array> => {
      asked += 1;
      return encodeRecord({ ...source.at(first), kind: 'settlement', seqno, data });
    };
    expect(await rejection(ledger.repair(first, endless))).toMatchObject({ code: 'LEDGER_REPAIR_FAILED' });
    expect(asked).toBeLessThan(4);
    expect(disk.contents()).toEqual(before);
    await ledger.close();
  });

  test('does not let in what another ledger has', async () => {
    const { disk, chunk, first, last } = await written();
    const other = new CrashDisk();
    await writeLedger(other, new EntrySource({ seed: 2 }).range(1, 150));
    const stranger = (await openLedger(other)).ledger;
    flip(disk.file(chunk), 700);
    const [from, to] = [mmrSize(first) * 32, mmrSize(last + 1) * 32];
    other.file(pathOf('tree.mmr')).copy(disk.file(pathOf('tree.mmr')), from, from, to);
    const before = disk.contents();
    const { ledger } = await openLedger(disk);
    expect(await rejection(ledger.repair(first, (seqno) => stranger.records(seqno, 300)))).toMatchObject({
      code: 'LEDGER_REPAIR_FAILED',
      message: expect.stringContaining('do not lead to the tree'),
    });
    expect(disk.contents()).toEqual(before);
    await ledger.close();
    await stranger.close();
  });
});

describe('the index', () => {
  test('is put right when it leads to another place', async () => {
    const { disk } = await written();
    const whole = Buffer.from(disk.file(pathOf('index.dat')));
    disk.file(pathOf('index.dat')).fill(0x22, 16 * 20, 16 * 40);
    const { ledger } = await openLedger(disk);
    expect((await ledger.record(30))?.seqno).toBe(30);
    expect((await ledger.signatureCovering(15))?.seqno).toBe(21);
    expect(await all(ledger, 1)).toBe(150);
    await ledger.close();
    expect(disk.file(pathOf('index.dat')).equals(whole)).toBe(true);
  });
});

describe('the open chunk', () => {
  test('with a flipped bit is found when it is read', async () => {
    const { disk } = await written();
    const { ledger } = await openLedger(disk);
    const path = disk.paths().find((name) => /ledger_\d+$/.test(name)) ?? '';
    flip(disk.file(path), disk.file(path).length - 3);
    expect(await rejection(ledger.record(150))).toMatchObject({ code: 'LEDGER_DAMAGED', file: path });
    await ledger.close();
  });
});
