/** The store lacks or garbles what the ledger says it has. Deleting the history's folder makes it anew from the ledger. */
export class HistoryDamagedError extends Error {
  override readonly name = 'HistoryDamagedError';
  readonly code = 'HISTORY_DAMAGED' as const;
}
