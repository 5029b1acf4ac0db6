/** Nodes and rules made up for tests. Not loaded by the node. */
import { type NodeId, parseNodeId } from '@drawbridge/protocol/ledger/node-id';
import { NO_LIFE } from '@drawbridge/protocol/ledger/node-life';
import type { NodeDescription, ServiceEntry } from '@drawbridge/protocol/ledger/service-entry';
import { applyService, type ServiceResult, type ServiceRules } from '../apply-service.ts';
import { initialMembership, type MembershipState } from '../membership-state.ts';

/** The n-th node key, from 0. */
export const nodeId = (n: number): NodeId => parseNodeId(n.toString(16).padStart(64, '0'));

export const describeNode = (n: number, change: Partial<NodeDescription> = {}): NodeDescription => ({
  nodeId: nodeId(n),
  certificate: `certificate ${n}`,
  encryptionKey: `encryption key ${n}`,
  peerAddress: `10.0.0.${n}:8441`,
  apiAddress: `10.0.0.${n}:8440`,
  platform: 'virtual',
  versions: [1],
  life: NO_LIFE,
  ...change,
});

/** Listed nodes by number. */
export const rulesFor = (listed: readonly number[], change: Partial<ServiceRules> = {}): ServiceRules => ({
  nodes: new Set(listed.map(nodeId)),
  protocolVersion: 1,
  rekeyDue: 0,
  ...change,
});

export const rekeyFor = (epoch: number, nodes: readonly number[]): ServiceEntry => ({
  type: 'rekey',
  epoch,
  wraps: nodes.map((n) => ({ nodeId: nodeId(n), sealed: Uint8Array.of(n) })),
  previous: Uint8Array.of(1),
});

/** A membership to which entries are applied one by one; node 0 began it under Raft id 1. */
export class Ledger {
  state: MembershipState = initialMembership({ ...describeNode(0), raftId: 1 });
  rules: ServiceRules = rulesFor([0]);
  seqno = 1;

  apply(entry: ServiceEntry): ServiceResult['outcome'] {
    this.seqno += 1;
    const { state, outcome } = applyService(this.state, entry, this.rules, this.seqno);
    this.state = state;
    return outcome;
  }

  admit(n: number, change: Partial<NodeDescription> = {}): ServiceResult['outcome'] {
    return this.apply({ type: 'admitNode', node: describeNode(n, change) });
  }
}
