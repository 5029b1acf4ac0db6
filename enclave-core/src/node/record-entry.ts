/** A record of the ledger as the log entry that it was. */
import type { LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';
import { entryType, type Entry as LogEntry } from '../consensus/raft-types.ts';

/** Which of raft's two forms a change of members had makes no difference to who applies it from here. */
export const entryOfRecord = ({ view, seqno, kind, data }: LedgerRecord): LogEntry => ({
  term: view,
  index: seqno,
  type: kind === 'members' ? entryType.confChangeV2 : entryType.normal,
  data,
});
