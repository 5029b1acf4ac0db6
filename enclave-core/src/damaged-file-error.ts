/** What is damaged: `offset` is that in `file` of the first byte that is wrong. */
export type Damage = Readonly<{ file: string; offset: number; reason: string }>;

/** A file holds less, or something else, than what was written to it. */
export abstract class DamagedFileError extends Error {
  readonly file: string;
  readonly offset: number;
  readonly reason: string;
  /** What an operator should do, in words. */
  readonly advice: string;

  constructor({ file, offset, reason, advice }: Damage & Readonly<{ advice: string }>, options?: ErrorOptions) {
    super(`${file} at byte ${offset}: ${reason}. ${advice}`, options);
    this.file = file;
    this.offset = offset;
    this.reason = reason;
    this.advice = advice;
  }
}
