/** A sender of transactions on a node and a journal in memory. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type EvmAddress, parseEvmAddress } from '@drawbridge/protocol/ids';
import { expect } from '@jest/globals';
import { type Logger, pino } from 'pino';
import { FeeKey } from '../fee-key.ts';
import type { FlightBook } from '../flight-book.ts';
import type { IntentRecord, OpenIntent } from '../intent-journal.ts';
import { type NonceLease, SoleNonceLease } from '../nonce-lease.ts';
import { type SendRequest, TransactionSender } from '../transaction-sender.ts';
import type { FakeNode } from './fake-node.ts';

export const key: FeeKey = new FeeKey(`0x${'01'.repeat(32)}`, 1);
export const vault: EvmAddress = parseEvmAddress(`0x${'ab'.repeat(20)}`);
export const log: Logger = pino({ level: 'silent' });
export const fees = { maxFeeWei: 1_000n, minPriorityFeeWei: 1n };
export const request = (name: string): SendRequest => ({ key: name, to: vault, data: '0x', gasLimit: 100_000n });

/** What a disk would have: records in order, and whether a send came before its record. */
export class MemoryJournal {
  records: IntentRecord[] = [];
  open: OpenIntent[] = [];
  broken = false;

  async append(records: readonly IntentRecord[]): Promise<void> {
    if (this.broken) throw new Error('disk full');
    this.records.push(...records);
  }
  openIntents(): OpenIntent[] {
    return this.open;
  }
}

export function makeSender(
  uses: Readonly<{ node: FakeNode; book: FlightBook; lease?: NonceLease; maxUnmined?: number; now?: () => number }>,
): TransactionSender {
  const { node, book, lease = new SoleNonceLease(), maxUnmined = 8, now = () => 0 } = uses;
  return new TransactionSender(
    { fees, batch: 4, maxUnmined, maxNonces: 3, outlookMs: 100, roomWaitMs: 20, pollMs: 5 },
    { node, key, book, lease, log, now },
  );
}

/** A second request, so many turns of the microtask queue after the first: is it sent? */
export async function expectSentWhenever(
  { node, book, sender }: Readonly<{ node: FakeNode; book: FlightBook; sender: TransactionSender }>,
  everyTicks: number,
): Promise<void> {
  for (let ticks = 0; ticks < 100; ticks += everyTicks) {
    const first = sender.submit(request(`first ${ticks}`));
    for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
    const second = sender.submit(request(`second ${ticks}`));
    const stuck = nextTurn(`stuck ${ticks} ticks after the first`);
    expect(await Promise.race([second, stuck])).toEqual({ type: 'underway' });
    await first;
    node.mine();
    await book.close(book.inNonceOrder());
  }
}
