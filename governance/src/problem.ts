/** One thing that is wrong in a file of governance: where, what, and what would be right. */
export type Problem = Readonly<{
  /** Place in the file, for example `participants[2].lei`; empty for the whole. */
  path: string;
  problem: string;
  expected: string;
}>;

/** A value, or everything that is wrong with it. */
export type Checked<T> = Readonly<{ ok: true; value: T }> | Readonly<{ ok: false; problems: readonly Problem[] }>;

/** `participants[2].lei: has wrong check digits; expected 20 characters with ISO 17442 check digits` */
export const formatProblem = ({ path, problem, expected }: Problem): string =>
  `${path === '' ? 'file' : path}: ${problem}; expected ${expected}`;
