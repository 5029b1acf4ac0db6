/** All events of a bank with their proofs, as pages of an export that can be held against the ledger. */
import type { EventReceiptPage } from '@drawbridge/protocol/api/receipt';
import type { BankExportPage } from '@drawbridge/protocol/ledger/bank-export';
import { parseTransactionId } from '@drawbridge/protocol/ledger/transaction-id';
import { ConnectionError, EventGapError } from './problem-error.ts';

export type ExportOptions = Readonly<{ after?: number; signal?: AbortSignal }>;

/**
 * One page for each that `read` gives, up to the newest event when it began; a stream without events has one empty page.
 * Ends between pages when `signal` is given. @throws EventGapError
 */
export async function* exportEvents(
  read: (after: number) => Promise<EventReceiptPage>,
  { after = 0, signal }: ExportOptions,
): AsyncIterable<BankExportPage> {
  let until: number | undefined;
  for (let next = after; until === undefined || next < until; ) {
    if (signal?.aborted) return;
    const page = await read(next);
    until ??= page.last;
    const items = [];
    for (const { number, receipt, claims_proof } of page.events) {
      if (number !== next + 1) throw new EventGapError(next + 1, number);
      next = number;
      items.push({ seqno: seqnoOf(page, receipt), claims_proof });
    }
    // A page that brings nothing would be asked for again for ever.
    if (items.length === 0 && next < until) throw new EventGapError(next + 1, until);
    yield { participant: page.participant, items };
  }
}

function seqnoOf({ receipts }: EventReceiptPage, place: number): number {
  const id = parseTransactionId(receipts[place]?.transaction_id ?? '');
  if (id === undefined) throw new ConnectionError('ANSWER_INVALID');
  return id.seqno;
}
