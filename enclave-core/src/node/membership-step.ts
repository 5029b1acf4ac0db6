/**
 * What brings raft's configuration one step closer to what the ledger says. Pure, so that each case can be tested. No step is
 * taken after which those of whom the leader has heard lately are no majority: nothing could be committed any more, for ever.
 */
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { ConfChange, ConfState, MemberProgress } from '../consensus/raft-types.ts';
import { isReplaced, type MembershipState, type NodeState, presentNodes } from '../membership/membership-state.ts';

/** Nothing when all is as it should be. */
export type MembershipStep =
  | Readonly<{ type: 'change'; change: ConfChange }>
  | Readonly<{ type: 'left'; raftId: number }>
  /** This node must leave, so another has to lead first. */
  | Readonly<{ type: 'handOver'; to: number }>
  /** It is due and may not be taken: too few of the others are there, or one voter would be left who forgets all when it ends. */
  | Readonly<{ type: 'wait'; code: 'NO_MAJORITY' | 'LAST_VOTER'; leaving: readonly number[] }>;

export type MembershipFacts = Readonly<{
  self: number;
  membership: MembershipState;
  mayTakePart: (nodeId: NodeId) => boolean;
  members: ConfState;
  progress: readonly MemberProgress[];
  lastIndex: number;
  caughtUpEntries: number;
  /** Whoever ends has lost its place, so a lone voter could never come back. */
  protectsMemory: boolean;
}>;

/** A joint change under way has to end first. */
export function nextStep(facts: MembershipFacts): MembershipStep | undefined {
  const { members, mayTakePart, membership, self } = facts;
  if (members.votersOutgoing.length > 0) return undefined;
  const present = new Set([...members.voters, ...members.learners]);
  const rows = presentNodes(membership);
  const stays = ({ nodeId, raftId }: NodeState): boolean => mayTakePart(nodeId) && !isReplaced(membership, raftId);
  const gone = rows.find((row) => !present.has(row.raftId) && !stays(row));
  if (gone) return { type: 'left', raftId: gone.raftId };
  const superseded = rows.find((row) => members.learners.includes(row.raftId) && hasNewerPlace(rows, row));
  if (superseded) return remove(superseded.raftId);
  const leaving = rows.filter((row) => present.has(row.raftId) && !mayTakePart(row.nodeId)).map(({ raftId }) => raftId);
  return firstOf([
    // Whoever is away first: while it counts, one more that leaves may be one too many.
    ...leaving.filter((id) => !isActive(facts, id)).map((id) => () => removal(facts, id)),
    ...leaving.filter((id) => isActive(facts, id) && id !== self).map((id) => () => removal(facts, id)),
    ...rows.filter((row) => mayTakePart(row.nodeId)).map((row) => () => arrival(facts, row, present)),
    ...leaving.filter((id) => id === self).map((id) => () => removal(facts, id)),
  ]);
}

/** What can be done goes before what has to wait. */
function firstOf(steps: readonly (() => MembershipStep | undefined)[]): MembershipStep | undefined {
  let waits: MembershipStep | undefined;
  for (const step of steps) {
    const taken = step();
    if (taken && taken.type !== 'wait') return taken;
    waits ??= taken;
  }
  return waits;
}

/** A node that started again before it had a vote: nobody counts on what it was. */
const hasNewerPlace = (rows: readonly NodeState[], { raftId, nodeId }: NodeState): boolean =>
  rows.some((row) => row.nodeId === nodeId && row.replaces.includes(raftId));

const isActive = ({ self, progress }: MembershipFacts, raftId: number): boolean =>
  raftId === self || progress.some(({ id, recentlyActive }) => id === raftId && recentlyActive);

function arrival(facts: MembershipFacts, row: NodeState, present: ReadonlySet<number>): MembershipStep | undefined {
  const { raftId } = row;
  if (present.has(raftId)) return promotion(facts, row);
  return { type: 'change', change: { transition: 'auto', changes: [{ type: 'addLearner', id: raftId }] } };
}

function promotion(facts: MembershipFacts, row: NodeState): MembershipStep | undefined {
  const { members, progress, lastIndex, caughtUpEntries, self } = facts;
  if (!members.learners.includes(row.raftId)) return undefined;
  const own = progress.find(({ id }) => id === row.raftId);
  const isCaughtUp = own?.state === 'replicate' && own.recentlyActive && own.match + caughtUpEntries >= lastIndex;
  if (!isCaughtUp) return undefined;
  // Those that it replaces leave by the same joint change, learners of an earlier attempt included.
  const leaving = row.replaces.filter((id) => members.voters.includes(id) || members.learners.includes(id));
  const voters = [...members.voters.filter((id) => !leaving.includes(id)), row.raftId];
  const fault = leaving.length > 0 ? faultOf(facts, voters, leaving) : undefined;
  if (fault) return fault;
  if (leaving.includes(self)) return handOver(facts, members.voters);
  const changes = [{ type: 'add' as const, id: row.raftId }, ...leaving.map((id) => ({ type: 'remove' as const, id }))];
  return { type: 'change', change: { transition: leaving.length > 0 ? 'jointImplicit' : 'auto', changes } };
}

function removal(facts: MembershipFacts, raftId: number): MembershipStep | undefined {
  const { members, self } = facts;
  if (!members.voters.includes(raftId)) return remove(raftId);
  const voters = members.voters.filter((id) => id !== raftId);
  // A group keeps a voter, whatever governance says; it refuses to remove the last node.
  if (voters.length === 0) return undefined;
  const fault = faultOf(facts, voters, [raftId]);
  if (fault) return fault;
  return raftId === self ? handOver(facts, voters) : remove(raftId);
}

const remove = (id: number): MembershipStep => ({
  type: 'change',
  change: { transition: 'auto', changes: [{ type: 'remove', id }] },
});

/** Why `voters` may not be what is left. */
function faultOf(
  facts: MembershipFacts,
  voters: readonly number[],
  leaving: readonly number[],
): MembershipStep | undefined {
  if (facts.protectsMemory && voters.length === 1) return { type: 'wait', code: 'LAST_VOTER', leaving };
  const active = voters.filter((id) => isActive(facts, id)).length;
  return 2 * active > voters.length ? undefined : { type: 'wait', code: 'NO_MAJORITY', leaving };
}

/** To the one of `voters` that has most of the log. */
function handOver({ progress, self }: MembershipFacts, voters: readonly number[]): MembershipStep | undefined {
  const candidates = progress.filter(({ id, recentlyActive }) => id !== self && voters.includes(id) && recentlyActive);
  const best = candidates.sort((a, b) => b.match - a.match)[0];
  return best && { type: 'handOver', to: best.id };
}
