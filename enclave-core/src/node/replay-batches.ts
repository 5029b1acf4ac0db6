/** Records of the ledger as batches that the state machine applies in one turn of the event loop each. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';
import type { Entry as LogEntry } from '../consensus/raft-types.ts';
import { entryOfRecord } from './record-entry.ts';

/** Entries of a batch, and bytes from which on it is whole: an entry of many payments takes as long as many entries. */
const MAX_ENTRIES = 64;
const BATCH_BYTES = 32 * 1024;

/** Up to and with seqno `upTo`. Other work gets its turn after each batch. */
export async function* replayBatches(
  records: Iterable<LedgerRecord> | AsyncIterable<LedgerRecord>,
  upTo: number,
): AsyncGenerator<readonly LogEntry[]> {
  let batch: LogEntry[] = [];
  let bytes = 0;
  for await (const record of records) {
    if (record.seqno > upTo) break;
    batch.push(entryOfRecord(record));
    bytes += record.data.length;
    if (batch.length < MAX_ENTRIES && bytes < BATCH_BYTES) continue;
    yield batch;
    await nextTurn();
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}
