/**
 * What the service's own entries do to the membership. Pure and total: every node runs it on every committed entry, so a refusal
 * is an outcome that changes nothing and that all nodes come to alike.
 */
import type { Registry } from '@drawbridge/governance/registry';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { NodeDescription, ServiceEntry } from '@drawbridge/protocol/ledger/service-entry';
import {
  FIRST_RAFT_ID,
  isReplaced,
  type MembershipState,
  type NodeState,
  presentNodes,
  rekeyRecipients,
} from './membership-state.ts';

/** Keys that have a place. A rekey has no room for more. */
export const MAX_PRESENT_NODES = 64;
/** Of one key that have not left: the leader takes out what a newer one replaces, so that only a node that cannot start has many. */
export const MAX_PLACES_OF_A_KEY = 16;
/** Keys that ever were nodes. */
export const MAX_NODES_EVER = 4_096;

export type ServiceRefusal =
  | 'NODE_NOT_LISTED'
  | 'NODE_UNKNOWN'
  | 'NODE_STAYS'
  | 'LIFE_OVER'
  | 'NODES_FULL'
  | 'VERSION_UNSUPPORTED'
  | 'EPOCH_STALE'
  | 'REKEY_RECIPIENTS'
  | 'MARK_UNKNOWN';

export type ServiceOutcome =
  /** `raftId`: the one that an admitted node got. */
  Readonly<{ ok: true; raftId?: number }> | Readonly<{ ok: false; code: ServiceRefusal; detail: string }>;

/** What of governance counts here, as of the entry. */
export type ServiceRules = Pick<Registry, 'nodes' | 'protocolVersion' | 'rekeyDue'>;

export type ServiceResult = Readonly<{ state: MembershipState; outcome: ServiceOutcome }>;

type EntryOf<T extends ServiceEntry['type']> = Extract<ServiceEntry, { type: T }>;

/** @param seqno of the entry. @returns the same `state` with a refusal */
export function applyService(
  state: MembershipState,
  entry: ServiceEntry,
  rules: ServiceRules,
  seqno: number,
): ServiceResult {
  switch (entry.type) {
    case 'admitNode':
      return admit(state, entry, rules);
    case 'updateNode':
      return update(state, entry, rules);
    case 'nodeLeft':
      return leave(state, entry, rules);
    case 'rekey':
      return rekey(state, entry, rules);
    case 'snapshotMark':
      return done({ ...state, mark: { seqno } });
    case 'snapshotEvidence':
      return believe(state, entry, seqno);
  }
}

const done = (state: MembershipState, raftId?: number): ServiceResult => ({
  state,
  outcome: { ok: true, ...(raftId !== undefined && { raftId }) },
});

const refuse = (state: MembershipState, code: ServiceRefusal, detail: string): ServiceResult => ({
  state,
  outcome: { ok: false, code, detail },
});

/** Why a node may not be one, or not like this. */
export function refuseNode(
  { nodeId, versions }: Pick<NodeDescription, 'nodeId' | 'versions'>,
  { nodes, protocolVersion }: ServiceRules,
): Readonly<{ code: ServiceRefusal; detail: string }> | undefined {
  if (!nodes.has(nodeId)) return { code: 'NODE_NOT_LISTED', detail: `an amendment must add_node ${nodeId} first` };
  if (versions.includes(protocolVersion)) return undefined;
  return {
    code: 'VERSION_UNSUPPORTED',
    detail: `the service runs protocol version ${protocolVersion}, the node has ${versions.join(', ')}`,
  };
}

/** A key that comes again has lost its memory, so it gets a new Raft id and takes over all of its earlier places. */
function admit(state: MembershipState, { node, replaces }: EntryOf<'admitNode'>, rules: ServiceRules): ServiceResult {
  const refusal = refuseNode(node, rules);
  if (refusal) return refuse(state, refusal.code, refusal.detail);
  const present = presentNodes(state);
  const earlier = present.filter(({ nodeId }) => nodeId === node.nodeId).map(({ raftId }) => raftId);
  const full = whatIsFull(state, present, node.nodeId, earlier.length);
  if (full) return refuse(state, 'NODES_FULL', full);
  if (replaces !== undefined && !earlier.includes(replaces)) {
    const other = state.nodes.get(replaces);
    if (!other || other.left) return refuse(state, 'NODE_UNKNOWN', `there is no node ${replaces} to replace`);
    if (rules.nodes.has(other.nodeId))
      return refuse(state, 'NODE_STAYS', `an amendment must remove_node ${other.nodeId}`);
    earlier.push(replaces);
  }
  const raftId = state.nextRaftId;
  const row: NodeState = { ...node, raftId, replaces: earlier, left: false };
  const nodes = new Map(state.nodes).set(raftId, row);
  return done({ ...state, nodes, nextRaftId: raftId + 1, revision: state.revision + 1 }, raftId);
}

/** Places of one key, however many, take the room of one: who starts again and again keeps nobody else out. */
function whatIsFull(
  state: MembershipState,
  present: readonly NodeState[],
  asking: NodeId,
  earlier: number,
): string | undefined {
  const others = new Set(present.map(({ nodeId }) => nodeId).filter((nodeId) => nodeId !== asking));
  if (others.size >= MAX_PRESENT_NODES || state.nodes.size >= MAX_NODES_EVER) {
    return `there are ${others.size} other nodes, and ${state.nodes.size} places ever`;
  }
  if (earlier < MAX_PLACES_OF_A_KEY) return undefined;
  return `${earlier} earlier places of this node have not left yet; start it again later`;
}

/**
 * A node that came back under its Raft id, at other addresses or with another program. In another life only the one that began
 * the service can, which was alone: everybody else has joined, and joins again.
 */
function update(state: MembershipState, { raftId, node }: EntryOf<'updateNode'>, rules: ServiceRules): ServiceResult {
  const row = state.nodes.get(raftId);
  if (!row || row.left || row.nodeId !== node.nodeId) {
    return refuse(state, 'NODE_UNKNOWN', `${raftId} is not the place of ${node.nodeId}`);
  }
  const refusal = refuseNode(node, rules);
  if (refusal) return refuse(state, refusal.code, refusal.detail);
  if (row.life !== node.life && raftId !== FIRST_RAFT_ID) {
    return refuse(state, 'LIFE_OVER', `the process that was node ${raftId} has ended; it has to join again`);
  }
  const nodes = new Map(state.nodes).set(raftId, { ...row, ...node });
  return done({ ...state, nodes, revision: state.revision + 1 });
}

/** Written once raft's configuration is without it. */
function leave(state: MembershipState, { raftId }: EntryOf<'nodeLeft'>, { nodes }: ServiceRules): ServiceResult {
  const row = state.nodes.get(raftId);
  if (!row || row.left) return refuse(state, 'NODE_UNKNOWN', `there is no node ${raftId}`);
  if (nodes.has(row.nodeId) && !isReplaced(state, raftId)) {
    return refuse(state, 'NODE_STAYS', `nothing asks node ${raftId} to leave`);
  }
  return done({ ...state, nodes: withoutPlace(state.nodes, row), revision: state.revision + 1 });
}

/** Its row is kept for the receipts that it signed, unless another row has the same key. */
function withoutPlace(nodes: MembershipState['nodes'], row: NodeState): MembershipState['nodes'] {
  const next = new Map(nodes);
  const hasTwin = [...nodes.values()].some(({ nodeId, raftId }) => nodeId === row.nodeId && raftId !== row.raftId);
  if (hasTwin) next.delete(row.raftId);
  else next.set(row.raftId, { ...row, left: true });
  for (const [raftId, other] of next) {
    if (!other.replaces.includes(row.raftId)) continue;
    next.set(raftId, { ...other, replaces: other.replaces.filter((id) => id !== row.raftId) });
  }
  return next;
}

/** The leader made it for who was here when it proposed; if that changed meanwhile it makes another. */
function rekey(state: MembershipState, { epoch, wraps }: EntryOf<'rekey'>, rules: ServiceRules): ServiceResult {
  if (epoch !== state.epoch + 1) return refuse(state, 'EPOCH_STALE', `the next epoch is ${state.epoch + 1}`);
  const recipients = rekeyRecipients(state, rules)?.map(({ nodeId }) => nodeId);
  if (!recipients) return refuse(state, 'REKEY_RECIPIENTS', 'a node is here that has to leave first');
  if (
    !sameKeys(
      recipients,
      wraps.map(({ nodeId }) => nodeId),
    )
  ) {
    return refuse(state, 'REKEY_RECIPIENTS', 'the new secret is not for exactly the nodes that are here');
  }
  return done({ ...state, epoch, rekeys: rules.rekeyDue });
}

function sameKeys(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  const [one, other] = [new Set(a), new Set(b)];
  return a.length === b.length && one.size === other.size && a.every((nodeId) => other.has(nodeId));
}

/** The first evidence for the newest mark counts. A node whose own digest is another stops, whichever came first. */
function believe(state: MembershipState, entry: EntryOf<'snapshotEvidence'>, seqno: number): ServiceResult {
  if (state.mark?.seqno !== entry.seqno) {
    return refuse(state, 'MARK_UNKNOWN', `no mark at ${entry.seqno} waits for evidence`);
  }
  const { mark: _, ...rest } = state;
  return done({ ...rest, evidence: { seqno: entry.seqno, digest: entry.digest, evidenceSeqno: seqno } });
}
