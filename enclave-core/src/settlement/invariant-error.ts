/** The state contradicts itself, which no input can bring about. Stops the node; never retried. Holds no amounts or parties. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
  readonly code = 'SETTLEMENT_INVARIANT' as const;
}
