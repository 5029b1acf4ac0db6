/** Who a node's peers are: what the ledger says, and who else may ask to become one. */
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { MembershipState, NodeState } from '../membership/membership-state.ts';
import type { Peer, PeerDirectory } from '../peers/peer-types.ts';

export class MemberDirectory implements PeerDirectory {
  readonly #membership: () => MembershipState | undefined;
  readonly #mayTakePart: (nodeId: NodeId) => boolean;

  /** `membership` is nothing before the node has its first state, when it knows nobody. */
  constructor(membership: () => MembershipState | undefined, mayTakePart: (nodeId: NodeId) => boolean) {
    this.#membership = membership;
    this.#mayTakePart = mayTakePart;
  }

  *peers(): Iterable<Peer> {
    for (const node of this.#present()) yield peerOf(node);
  }

  byNodeId(nodeId: NodeId): Peer | undefined {
    let newest: NodeState | undefined;
    for (const node of this.#present()) {
      if (node.nodeId === nodeId && node.raftId > (newest?.raftId ?? 0)) newest = node;
    }
    return newest && peerOf(newest);
  }

  /** How far the ledger here is as to who the nodes are. */
  get revision(): number {
    return this.#membership()?.revision ?? 0;
  }

  mayJoin(nodeId: NodeId): boolean {
    return this.#mayTakePart(nodeId);
  }

  /** One whose key lost its place stays a peer until it has left, so that it learns of it. */
  *#present(): Iterable<NodeState> {
    for (const node of this.#membership()?.nodes.values() ?? []) if (!node.left) yield node;
  }
}

const peerOf = ({ raftId, nodeId, peerAddress, life }: NodeState): Peer => ({
  raftId,
  nodeId,
  address: peerAddress,
  life,
});
