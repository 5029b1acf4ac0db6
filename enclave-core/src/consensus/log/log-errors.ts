import { type Damage, DamagedFileError } from '../../damaged-file-error.ts';

/** The log on disk holds less, or something else, than what was acknowledged. The node must not start on it. */
export class LogDamagedError extends DamagedFileError {
  override readonly name = 'LogDamagedError';
  readonly code = 'LOG_DAMAGED' as const;

  constructor(damage: Damage, options?: ErrorOptions) {
    super({ ...damage, advice: ADVICE }, options);
  }
}

const ADVICE =
  'Nothing was changed. Do not delete or edit files of this folder: entries that were acknowledged may be in the damaged part. ' +
  'Keep a copy of the whole folder and look for the cause (disk, file system, a restored or partial copy). ' +
  'With other nodes running: remove this node from the group and let it join again with an empty folder under a new id. ' +
  'A single node: bring back the whole folder from an intact copy that is not older than the last answer given; without one, recover with the members.';

/** A write or sync failed. What reached the disk is unknown, so the store takes nothing more until it is opened again. */
export class LogWriteError extends Error {
  override readonly name = 'LogWriteError';
  readonly code = 'LOG_WRITE_FAILED' as const;
  readonly file: string;
  /** Byte offset in `file` of what was to be written; 0 where it is the file itself. */
  readonly offset: number;

  constructor(where: Readonly<{ file: string; offset: number; what: string }>, options?: ErrorOptions) {
    super(
      `${where.file} at byte ${where.offset}: ${where.what}; nothing of it was acknowledged. ` +
        'Free space or replace the disk, then start the node again',
      options,
    );
    this.file = where.file;
    this.offset = where.offset;
  }
}

/** Another process has this log open. */
export class LogLockedError extends Error {
  override readonly name = 'LogLockedError';
  readonly code = 'LOG_LOCKED' as const;

  constructor(directory: string) {
    super(`another process has the log in ${directory} open; stop it first`);
  }
}
