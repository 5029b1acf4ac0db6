/** A ledger on a disk in memory, for tests. */
import type { Disk } from '../../consensus/log/disk.ts';
import { Ledger, type LedgerEntry, type LedgerOptions } from '../ledger.ts';
import { SERVICE_ID } from './ledger-entries.ts';

export const DIRECTORY = 'node/ledger';

export const pathOf = (name: string): string => `${DIRECTORY}/${name}`;

/** In the next turn, whatever the delay. */
export const promptTimers = {
  after(_ms: number, call: () => void): () => void {
    const timer = setImmediate(call);
    return () => clearImmediate(timer);
  },
};

export type OpenedLedger = Readonly<{ ledger: Ledger; failures: Error[] }>;

export async function openLedger(disk: Disk, options: Partial<LedgerOptions> = {}): Promise<OpenedLedger> {
  const failures: Error[] = [];
  const ledger = await Ledger.open(
    { directory: DIRECTORY, serviceId: SERVICE_ID, chunkBytes: 1_500, ...options },
    { disk, timers: promptTimers, onFailure: (error) => failures.push(error) },
  );
  return { ledger, failures };
}

export function appendAll(ledger: Ledger, entries: readonly LedgerEntry[]): void {
  for (const entry of entries) ledger.append(entry);
}

/** A ledger with these entries, synced and closed. */
export async function writeLedger(
  disk: Disk,
  entries: readonly LedgerEntry[],
  options: Partial<LedgerOptions> = {},
): Promise<void> {
  const { ledger } = await openLedger(disk, options);
  appendAll(ledger, entries);
  await ledger.flush();
  await ledger.close();
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it was expected to fail');
}
