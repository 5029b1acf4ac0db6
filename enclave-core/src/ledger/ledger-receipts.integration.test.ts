import { Buffer } from 'node:buffer';
import { leafOf } from '@drawbridge/protocol/ledger/ledger-record';
import { foldPath } from '@drawbridge/protocol/ledger/merkle-tree';
import { describe, expect, test } from '@jest/globals';
import { sha256 } from '../sha256.ts';
import type { Ledger } from './ledger.ts';
import { CrashDisk } from './testing/crash-disk.ts';
import { EntrySource, type EntrySourceOptions } from './testing/ledger-entries.ts';
import { appendAll, openLedger, pathOf, rejection, writeLedger } from './testing/ledger-fixture.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Seqno of the first signature over a tree with that leaf. */
const expectedSignature = (
  seqno: number,
  last: number,
  { signEvery = 7, lag = 1 }: EntrySourceOptions,
): number | undefined => {
  for (let at = seqno + 1; at <= last; at++) {
    if (at % signEvery === 0 && Math.max(1, at - lag + 1) > seqno) return at;
  }
  return undefined;
};

async function expectReceipts(ledger: Ledger, source: EntrySource, options: EntrySourceOptions): Promise<void> {
  for (let seqno = 1; seqno <= ledger.lastSeqno; seqno++) {
    const signed = expectedSignature(seqno, ledger.lastSeqno, options);
    const found = await ledger.signatureCovering(seqno);
    expect(found?.seqno).toBe(signed);
    const parts = await ledger.receiptParts(seqno);
    if (signed === undefined) expect(parts).toBeUndefined();
    if (!parts || !found) continue;
    expect(parts.signature).toEqual(found.entry);
    expect(hex(parts.record.commitEvidenceDigest)).toBe(hex(source.at(seqno).commitEvidenceDigest));
    const root = foldPath(leafOf(parts.record, sha256), parts.path, sha256);
    expect(hex(root)).toBe(hex(source.tree(parts.signature.size).root()));
  }
}

describe('receipts', () => {
  test.each([
    { signEvery: 7, lag: 1 },
    { signEvery: 5, lag: 13 },
  ])(
    'of every entry lead to the root of the first signature that covers it, from memory and from the disk: %j',
    async (options) => {
      const disk = new CrashDisk();
      const source = new EntrySource(options);
      const { ledger } = await openLedger(disk);
      appendAll(ledger, source.range(1, 45));
      await expectReceipts(ledger, source, options);
      await ledger.close();
      const again = (await openLedger(disk)).ledger;
      await expectReceipts(again, source, options);
      again.resumeAt(source.tree(31));
      await expectReceipts(again, source, options);
      appendAll(again, source.range(31, 60));
      await expectReceipts(again, source, options);
      await again.close();
    },
  );

  test('are there as soon as the signature is appended', async () => {
    const { ledger } = await openLedger(new CrashDisk());
    const source = new EntrySource();
    appendAll(ledger, source.range(1, 6));
    expect(await ledger.receiptParts(6)).toBeUndefined();
    ledger.append(source.at(7));
    expect((await ledger.receiptParts(6))?.signature.size).toBe(7);
    expect(await ledger.receiptParts(7)).toBeUndefined();
    expect(await ledger.receiptParts(8)).toBeUndefined();
    await ledger.close();
  });

  test('are made after tree.mmr was damaged, which is put right', async () => {
    const disk = new CrashDisk();
    const source = new EntrySource();
    await writeLedger(disk, source.range(1, 150));
    const whole = Buffer.from(disk.file(pathOf('tree.mmr')));
    disk.file(pathOf('tree.mmr')).fill(0x55, 32 * 20, 32 * 60);
    const { ledger } = await openLedger(disk);
    await expectReceipts(ledger, source, {});
    expect(disk.file(pathOf('tree.mmr')).equals(whole)).toBe(true);
    await ledger.close();
  });

  test('are refused when the tree cannot be put right', async () => {
    const disk = new CrashDisk();
    const source = new EntrySource();
    await writeLedger(disk, source.range(1, 150));
    disk.file(pathOf('tree.mmr')).fill(0x55, 32 * 2, 32 * 60);
    const chunk = disk.paths().find((path) => path.includes('ledger_1-')) ?? '';
    const bytes = disk.file(chunk);
    bytes[400] = (bytes[400] ?? 0) ^ 1;
    const { ledger } = await openLedger(disk);
    expect(await rejection(ledger.receiptParts(9))).toMatchObject({ code: 'LEDGER_DAMAGED', file: chunk });
    await ledger.close();
  });
});
