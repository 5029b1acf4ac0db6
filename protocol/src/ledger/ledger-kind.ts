/**
 * What an entry of the ledger is. `settlement` alone is sealed; the others can be read by whoever has the files. `empty` and
 * `members` are raft's own, `genesis` stands at seqno 1. A number keeps its meaning for ever.
 */
export const ledgerKind = {
  empty: 0,
  settlement: 1,
  governance: 2,
  service: 3,
  signature: 4,
  members: 5,
  genesis: 6,
} as const;

export type LedgerKind = keyof typeof ledgerKind;

/** First byte of the data of an entry that is none of raft's own; the second is its kind. */
export const ENTRY_FORMAT = 1;
