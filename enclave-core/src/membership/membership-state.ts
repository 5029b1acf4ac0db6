/**
 * Who the nodes are, as the ledger says: keys, addresses, Raft ids, the epoch of the ledger secret, the newest snapshot that
 * can be believed. Follows from the entries alone, so it is the same on every node. Which of the nodes vote is raft's own
 * configuration; the leader brings it to what stands here.
 */
import type { Registry } from '@drawbridge/governance/registry';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { NodeRow } from '@drawbridge/protocol/ledger/service-entry';
import type { LedgerFacts } from '../settlement/ledger-facts.ts';

/** Raft id and epoch that a service begins with. */
export const FIRST_RAFT_ID = 1;
export const FIRST_EPOCH = 1;

export type NodeState = NodeRow &
  Readonly<{
    /** Raft ids whose places it takes over, earlier ones of its own key first; they leave when it gets its vote. */
    replaces: readonly number[];
    /** Out of raft's configuration, for ever. Kept, since receipts that it signed name it. */
    left: boolean;
  }>;

/** `digest` of the state at the mark that stood at `seqno`; the entry that says so stands at `evidenceSeqno`. */
export type SnapshotEvidence = Readonly<{ seqno: number; digest: Uint8Array; evidenceSeqno: number }>;

export type MembershipState = Readonly<{
  /** By Raft id, rising. */
  nodes: ReadonlyMap<number, NodeState>;
  /** No Raft id is ever used again. */
  nextRaftId: number;
  /** How often `nodes` has changed, so that two that disagree know which of them is behind. */
  revision: number;
  /** Of the ledger secret for the entries from here on. */
  epoch: number;
  /** Of the new ledger secrets that governance asked for (`registry.rekeyDue`), how many were made. */
  rekeys: number;
  /** The newest mark, until there is evidence for it. */
  mark?: Readonly<{ seqno: number }>;
  evidence?: SnapshotEvidence;
}>;

/** Of a service that begins with one node. */
export const initialMembership = (first: NodeRow): MembershipState => ({
  nodes: new Map([[first.raftId, { ...first, replaces: [], left: false }]]),
  nextRaftId: first.raftId + 1,
  revision: 1,
  epoch: FIRST_EPOCH,
  rekeys: 0,
});

/** Nodes that have not left, those that are only on their way in included. */
export const presentNodes = (state: MembershipState): NodeState[] =>
  [...state.nodes.values()].filter(({ left }) => !left);

/** The newest place of a key that has not left. */
export const presentNode = (state: MembershipState, nodeId: NodeId): NodeState | undefined =>
  presentNodes(state).findLast((node) => node.nodeId === nodeId);

/** Whether another node that is here takes over this one's place. */
export const isReplaced = (state: MembershipState, raftId: number): boolean =>
  presentNodes(state).some(({ replaces }) => replaces.includes(raftId));

/** What settlement may ask. */
export function ledgerFacts(state: MembershipState): LedgerFacts {
  const present = presentNodes(state);
  const [first, ...others] = present;
  const supportedVersions = (first?.versions ?? []).filter((version) =>
    others.every(({ versions }) => versions.includes(version)),
  );
  return { supportedVersions, members: new Set(present.map(({ nodeId }) => nodeId)) };
}

/**
 * Who gets the next ledger secret: each key that is here, at its newest place. Nothing while somebody is here who may not be:
 * such a node must be out of the configuration first, since an entry that a voter cannot read would stop it.
 */
export function rekeyRecipients(state: MembershipState, registry: Pick<Registry, 'nodes'>): NodeState[] | undefined {
  const present = presentNodes(state);
  if (present.some(({ nodeId }) => !registry.nodes.has(nodeId))) return undefined;
  return [...new Map(present.map((node) => [node.nodeId, node])).values()];
}

/** Whether the leader has a new ledger secret to make now. */
export const isRekeyDue = (state: MembershipState, registry: Pick<Registry, 'nodes' | 'rekeyDue'>): boolean =>
  registry.rekeyDue > state.rekeys && rekeyRecipients(state, registry) !== undefined;
