/** What a replica says of itself. */
import type { RaftEngine } from './raft-engine.ts';
import type { ConfState, RaftStatus } from './raft-types.ts';

export type ReplicaStatus = Omit<RaftStatus, 'leader'> &
  Readonly<{
    leader: number | null;
    members: ConfState;
    pendingProposals: number;
    pendingBytes: number;
    engineMemoryBytes: number;
    stopped: boolean;
  }>;

export const noMembers: ConfState = {
  voters: [],
  learners: [],
  votersOutgoing: [],
  learnersNext: [],
  autoLeave: false,
};

/** What is left to say when the engine died: it cannot be asked any more. */
export const statusOfDead: Omit<ReplicaStatus, 'id'> = {
  term: 0,
  vote: 0,
  commit: 0,
  applied: 0,
  leader: null,
  leadTransferee: 0,
  firstIndex: 0,
  lastIndex: 0,
  role: 'follower',
  members: noMembers,
  pendingProposals: 0,
  pendingBytes: 0,
  engineMemoryBytes: 0,
  stopped: true,
};

/** Of a replica that runs. */
export function statusOf(
  engine: Pick<RaftEngine, 'status' | 'memoryBytes'>,
  members: ConfState,
  pending: Readonly<{ pendingCount: number; pendingBytes: number }>,
): ReplicaStatus {
  const status = engine.status();
  return {
    ...status,
    leader: status.leader === 0 ? null : status.leader,
    members,
    pendingProposals: pending.pendingCount,
    pendingBytes: pending.pendingBytes,
    engineMemoryBytes: engine.memoryBytes,
    stopped: false,
  };
}
