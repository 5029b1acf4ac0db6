/** Stops the machine at every step of a ledger's life, loses what may be lost, and looks at what is left. */
import { expect } from '@jest/globals';
import type { Ledger } from '../ledger.ts';
import { CrashDisk, type Random, randomOf } from './crash-disk.ts';
import type { EntrySource } from './ledger-entries.ts';
import { appendAll, openLedger, writeLedger } from './ledger-fixture.ts';

type Life = Readonly<{
  source: EntrySource;
  last: number;
  /** Entries between two flushes, one after the other, from the first again. */
  flushEvery: readonly number[];
}>;

/** Appends and flushes until it is done or the disk stops. Returns up to where it was told that all is durable. */
async function live(disk: CrashDisk, { source, last, flushEvery }: Life, resumeFrom: number): Promise<number> {
  let promised = resumeFrom;
  let ledger: Ledger | undefined;
  try {
    ledger = (await openLedger(disk)).ledger;
    ledger.resumeAt(source.tree(Math.min(resumeFrom, ledger.storedSeqno) + 1));
    for (let step = 0; ledger.lastSeqno < last; step++) {
      const count = flushEvery[step % flushEvery.length] ?? 1;
      appendAll(ledger, source.range(ledger.lastSeqno + 1, Math.min(last, ledger.lastSeqno + count)));
      await ledger.flush();
      promised = Math.max(promised, ledger.lastSeqno);
    }
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== 'LEDGER_WRITE_FAILED' && code !== 'EIO') throw error;
  }
  await ledger?.close().catch((error: { code?: string }) => expect(error.code).toBe('EIO'));
  return promised;
}

/** @param losses seeds of what is lost of the page cache at each stop; with none all of it stays, as after a kill */
export async function expectSurvivesEveryStop(
  life: Life,
  losses: readonly number[],
  stops: Readonly<{ from: number; every: number }>,
): Promise<void> {
  const whole = new CrashDisk();
  await live(whole, life, 0);
  const expected = new CrashDisk();
  await writeLedger(expected, life.source.range(1, life.last));
  expect(whole.contents()).toEqual(expected.contents());
  for (let stop = stops.from; stop < whole.changes; stop += stops.every) {
    for (const seed of losses.length > 0 ? losses : [null]) {
      await expectSurvives(life, stop, seed === null ? null : randomOf(seed * 1_000 + stop), expected);
    }
  }
}

async function expectSurvives(life: Life, stop: number, random: Random | null, expected: CrashDisk): Promise<void> {
  const disk = new CrashDisk();
  disk.changesLeft = stop;
  let promised = await live(disk, life, 0);
  let next = disk.after(random);
  // Once more, soon after it began again: closing and cutting must bear that, too.
  next.changesLeft = 3 + (stop % 7);
  promised = await live(next, life, promised);
  next = next.after(random);
  const { ledger } = await openLedger(next);
  expect(ledger.storedSeqno).toBeGreaterThanOrEqual(promised);
  ledger.resumeAt(life.source.tree(promised + 1));
  appendAll(ledger, life.source.range(promised + 1, life.last));
  await ledger.flush();
  await ledger.close();
  expect(next.contents()).toEqual(expected.contents());
}
