/** What a node says of transactions and of the group, from what it knows. */
import type { ConfState } from '../consensus/raft-types.ts';
import type { NetworkNode, ServiceNetwork, TransactionStatus } from '../core-service.ts';
import type { MembershipState } from '../membership/membership-state.ts';

type Place = Readonly<{ view: number; seqno: number }>;

/**
 * As CCF defines it. What is committed can never become invalid, on any node.
 * @param local newest committed place, and the view that this node is in
 * @param viewAt view of a committed entry
 */
export function statusOfTransaction(
  { view, seqno }: Place,
  local: Readonly<{ committed: Place; view: number }>,
  viewAt: (seqno: number) => number | undefined,
): TransactionStatus {
  if (seqno <= local.committed.seqno) return viewAt(seqno) === view ? 'Committed' : 'Invalid';
  if (view < local.committed.view) return 'Invalid';
  return view === local.view ? 'Pending' : 'Unknown';
}

export function networkOf({
  currentView,
  leader,
  members,
  membership,
  serviceCertificate,
}: Readonly<{
  currentView: number;
  leader: number | null;
  members: ConfState;
  membership: MembershipState;
  serviceCertificate: string;
}>): ServiceNetwork {
  const nodes: NetworkNode[] = [];
  for (const { raftId, nodeId, left, apiAddress, peerAddress, platform } of membership.nodes.values()) {
    if (left) continue;
    const status = members.voters.includes(raftId)
      ? 'Trusted'
      : members.learners.includes(raftId)
        ? 'Learner'
        : 'Pending';
    nodes.push({ nodeId, raftId, status, primary: raftId === leader, apiAddress, peerAddress, platform });
  }
  return { currentView, primaryId: nodes.find(({ primary }) => primary)?.nodeId ?? null, nodes, serviceCertificate };
}
