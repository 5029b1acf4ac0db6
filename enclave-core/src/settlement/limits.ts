/**
 * Bounds of the settlement state. They decide what `apply` answers, so they are part of the state, equal on every node,
 * and kept in its snapshots.
 */
export type Limits = Readonly<{
  /** Live transfers of one debtor bank; the next one is refused with `LIMIT_REACHED`. */
  liveTransfersPerBank: number;
  /**
   * Unmatched locks of one vault kept with their particulars. Anyone can make locks, so reaching it never refuses
   * evidence: later ones are booked to suspense by amount and a mark of what they were, and come back by `restore_lock`.
   */
  unmatchedLocksPerVault: number;
  /** Ended transfers of one bank whose lock reference is still known, so that a late lock can be claimed. */
  pastReferencesPerBank: number;
  /** Deadlines that one entry lets pass; the rest pass with the next entries, oldest first. */
  deadlinesPerEntry: number;
  /** Waiting transfers that one event or entry tries again; the rest follow with the next entries, oldest first. */
  retriesPerStep: number;
  /** Longest time from submission to a deadline, in ms. */
  deadlineHorizonMs: number;
  /** How far a header's time may be ahead of the core's, in seconds: a head of the far future would be trusted for ever. */
  headerLeadS: number;
}>;

export const DEFAULT_LIMITS: Limits = {
  liveTransfersPerBank: 20_000,
  unmatchedLocksPerVault: 50_000,
  pastReferencesPerBank: 10_000,
  deadlinesPerEntry: 256,
  retriesPerStep: 64,
  deadlineHorizonMs: 366 * 24 * 3_600_000,
  headerLeadS: 900,
};

/** Remittance text of a transfer, in characters, as in pacs.008. */
export const MAX_REMITTANCE_CHARACTERS = 140;
/** Commands in one log entry. */
export const MAX_COMMANDS_PER_ENTRY = 10_000;
/** Actions in one amendment. */
export const MAX_ACTIONS_PER_AMENDMENT = 256;
