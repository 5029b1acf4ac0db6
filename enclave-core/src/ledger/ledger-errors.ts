import { type Damage, DamagedFileError } from '../damaged-file-error.ts';

/** A file of the ledger holds less, or something else, than what was written and synced. Nothing was changed. */
export class LedgerDamagedError extends DamagedFileError {
  override readonly name = 'LedgerDamagedError';
  readonly code = 'LEDGER_DAMAGED' as const;

  constructor(damage: Damage, options?: ErrorOptions) {
    super({ ...damage, advice: DAMAGE_ADVICE }, options);
  }
}

const DAMAGE_ADVICE =
  'Nothing was changed. Look for the cause (disk, file system, a restored or partial copy) and keep a copy of the folder. The ' +
  'files `ledger_*` are the same on every node, byte for byte: put the intact one of another node or of a backup in the place of ' +
  'this one; a closed chunk may stand for an open one that begins alike. `tree.mmr` and `index.dat` are made again from them when ' +
  'they are missing.';

/** The log says something else at this place than the ledger, or two nodes do: a fork, or files of another past. */
export class LedgerConflictError extends Error {
  override readonly name = 'LedgerConflictError';
  readonly code = 'LEDGER_CONFLICT' as const;
  /** First and last seqno between which they differ. */
  readonly from: number;
  readonly to: number;

  constructor(range: Readonly<{ from: number; to: number }>, what: string) {
    super(
      `${what} (seqno ${range.from === range.to ? range.from : `${range.from} to ${range.to}`}). ${CONFLICT_ADVICE}`,
    );
    this.from = range.from;
    this.to = range.to;
  }
}

const CONFLICT_ADVICE =
  'The node must not go on: log and ledger are of different pasts, as where one of the folders was put back from a copy. ' +
  'Keep both folders; compare with `drawbridge verify ledger` against the other nodes to see which is the true one.';

/** A write or sync failed. What reached the disk is unknown, so the ledger takes nothing more until it is opened again. */
export class LedgerWriteError extends Error {
  override readonly name = 'LedgerWriteError';
  readonly code = 'LEDGER_WRITE_FAILED' as const;

  constructor(what: string, options?: ErrorOptions) {
    super(
      `${what}; what was not flushed comes again from the log. Free space or replace the disk, then start the node again`,
      options,
    );
  }
}

/** A damaged chunk could not be replaced by what a peer sent. Nothing was changed. */
export class LedgerRepairError extends Error {
  override readonly name = 'LedgerRepairError';
  readonly code = 'LEDGER_REPAIR_FAILED' as const;
}

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'ENOENT';
}
