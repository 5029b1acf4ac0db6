/**
 * `NOT_LEADER`, `PROPOSAL_DROPPED`, `OVERLOADED`, `TOO_LARGE`: certainly not committed; try again, elsewhere or later.
 * `UNCERTAIN`: handed to raft and not known to be committed or lost; ask by the proposal's own id.
 * `STOPPED`: never handed to raft. `UNAVAILABLE`: no leader answered a read in time.
 */
export type ReplicaErrorCode =
  | 'NOT_LEADER'
  | 'PROPOSAL_DROPPED'
  | 'OVERLOADED'
  | 'TOO_LARGE'
  | 'UNCERTAIN'
  | 'STOPPED'
  | 'UNAVAILABLE';

export class ReplicaError extends Error {
  override readonly name = 'ReplicaError';
  readonly code: ReplicaErrorCode;
  /** Raft id of the leader known at that time, null when unknown. */
  readonly leader: number | null;

  constructor(code: ReplicaErrorCode, message: string, leader: number | null = null, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.leader = leader;
  }
}
