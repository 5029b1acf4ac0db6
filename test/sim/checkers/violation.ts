/** Something that must never be was seen. Ends the run; the report says how to see it again. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly code = 'SIM_VIOLATION' as const;
  /** Which checker saw it. */
  readonly checker: CheckerName;

  constructor(checker: CheckerName, what: string, options?: ErrorOptions) {
    super(what, options);
    this.checker = checker;
  }
}

export type CheckerName =
  | 'one-leader-per-term'
  | 'log-matching'
  | 'durable-log'
  | 'leader-vote-durable'
  | 'leader-completeness'
  | 'same-entry-applied'
  | 'acknowledged-kept'
  | 'equal-state'
  | 'settlement-invariants'
  | 'id-spent-once'
  | 'real-time-order'
  | 'linearizability'
  | 'node-health'
  | 'progress';

/** An error that nothing which was injected explains. */
export function unexpected(what: string, error: unknown): Violation {
  return new Violation('node-health', `${what}: ${describe(error)}`, { cause: error });
}

/** With its causes. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `; because of ${describe(error.cause)}`;
  return `${error.name}: ${error.message}${cause}`;
}
