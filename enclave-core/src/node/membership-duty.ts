/**
 * The leader's duty towards the group: brings raft's configuration to what the ledger says. A node that was admitted becomes
 * a learner; one that has caught up becomes a voter, and the one that it replaces leaves by the same joint change; one that
 * may not be a node any more leaves. One step at a time, each of them safe to be done again by the next leader.
 */
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { ServiceEntry } from '@drawbridge/protocol/ledger/service-entry';
import type { ConfChange, ConfState, MemberProgress } from '../consensus/raft-types.ts';
import { isReplaced, type MembershipState, type NodeState, presentNodes } from '../membership/membership-state.ts';
import type { Timers } from './timers.ts';

export type MembershipDutyOptions = Readonly<{
  /** How often the leader looks, in ms. Default 100. */
  lookEveryMs?: number;
  /** Entries that a learner may be behind when it becomes a voter. Default 256. */
  caughtUpEntries?: number;
}>;

export type MembershipDutyDependencies = Readonly<{
  self: number;
  leads: () => boolean;
  membership: () => MembershipState;
  /** Whether governance lets a node of this key take part. */
  mayTakePart: (nodeId: NodeId) => boolean;
  members: () => ConfState;
  progress: () => readonly MemberProgress[];
  lastIndex: () => number;
  changeMembers: (change: ConfChange) => Promise<unknown>;
  /** Settles when the other leads, or will not. */
  transferLeadership: (to: number) => Promise<unknown>;
  propose: (entry: ServiceEntry) => Promise<unknown>;
  /** Proposes a new ledger secret where governance asked for one. */
  rekeyIfDue: () => Promise<void>;
  timers: Timers;
}>;

/** What is to be done next; nothing when all is as it should be. */
export type MembershipStep =
  | Readonly<{ type: 'change'; change: ConfChange }>
  | Readonly<{ type: 'left'; raftId: number }>
  /** This node must leave, so another has to lead first. */
  | Readonly<{ type: 'handOver'; to: number }>;

type Facts = Readonly<{
  self: number;
  membership: MembershipState;
  mayTakePart: (nodeId: NodeId) => boolean;
  members: ConfState;
  progress: readonly MemberProgress[];
  lastIndex: number;
  caughtUpEntries: number;
}>;

/** Pure, so that each case can be tested. A joint change under way has to end first. */
export function nextStep(facts: Facts): MembershipStep | undefined {
  const { members, mayTakePart, membership } = facts;
  if (members.votersOutgoing.length > 0) return undefined;
  const present = new Set([...members.voters, ...members.learners]);
  const rows = presentNodes(membership);
  const stays = ({ nodeId, raftId }: NodeState): boolean => mayTakePart(nodeId) && !isReplaced(membership, raftId);
  const gone = rows.find((row) => !present.has(row.raftId) && !stays(row));
  if (gone) return { type: 'left', raftId: gone.raftId };
  for (const row of rows) {
    if (!present.has(row.raftId)) {
      return { type: 'change', change: { transition: 'auto', changes: [{ type: 'addLearner', id: row.raftId }] } };
    }
    const step = mayTakePart(row.nodeId) ? promotion(facts, row) : removal(facts, row.raftId);
    if (step) return step;
  }
  return undefined;
}

function promotion(
  { members, progress, lastIndex, caughtUpEntries, self }: Facts,
  row: NodeState,
): MembershipStep | undefined {
  if (!members.learners.includes(row.raftId)) return undefined;
  const own = progress.find(({ id }) => id === row.raftId);
  const isCaughtUp = own?.state === 'replicate' && own.recentlyActive && own.match + caughtUpEntries >= lastIndex;
  if (!isCaughtUp) return undefined;
  // Those that it replaces leave by the same joint change, learners of an earlier attempt included.
  const leaving = row.replaces.filter((id) => members.voters.includes(id) || members.learners.includes(id));
  if (leaving.includes(self)) return handOver(members, progress, self);
  const changes = [{ type: 'add' as const, id: row.raftId }, ...leaving.map((id) => ({ type: 'remove' as const, id }))];
  return { type: 'change', change: { transition: leaving.length > 0 ? 'jointImplicit' : 'auto', changes } };
}

function removal({ members, progress, self }: Facts, raftId: number): MembershipStep | undefined {
  // A group keeps a voter, whatever governance says; it refuses to remove the last node.
  if (members.voters.length === 1 && members.voters[0] === raftId) return undefined;
  if (raftId === self) return handOver(members, progress, self);
  return { type: 'change', change: { transition: 'auto', changes: [{ type: 'remove', id: raftId }] } };
}

/** To the voter that has most of the log. */
function handOver(
  { voters }: ConfState,
  progress: readonly MemberProgress[],
  self: number,
): MembershipStep | undefined {
  const candidates = progress.filter(({ id, recentlyActive }) => id !== self && voters.includes(id) && recentlyActive);
  const best = candidates.sort((a, b) => b.match - a.match)[0];
  return best && { type: 'handOver', to: best.id };
}

export class MembershipDuty {
  readonly #options: Required<MembershipDutyOptions>;
  readonly #uses: MembershipDutyDependencies;
  #cancel: (() => void) | undefined;
  #busy = false;
  #stopped = false;

  constructor(options: MembershipDutyOptions, dependencies: MembershipDutyDependencies) {
    this.#options = { lookEveryMs: options.lookEveryMs ?? 100, caughtUpEntries: options.caughtUpEntries ?? 256 };
    this.#uses = dependencies;
  }

  start(): void {
    this.#cancel = this.#uses.timers.after(this.#options.lookEveryMs, () => {
      this.#look();
      if (!this.#stopped) this.start();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #look(): void {
    if (this.#busy || this.#stopped || !this.#uses.leads()) return;
    this.#busy = true;
    this.#step()
      // Lost leadership, another change under way: the next look decides anew.
      .catch(() => undefined)
      .finally(() => {
        this.#busy = false;
      });
  }

  async #step(): Promise<void> {
    const { self, membership, mayTakePart, members, progress, lastIndex, changeMembers, transferLeadership, propose } =
      this.#uses;
    const step = nextStep({
      self,
      membership: membership(),
      mayTakePart,
      members: members(),
      progress: progress(),
      lastIndex: lastIndex(),
      caughtUpEntries: this.#options.caughtUpEntries,
    });
    if (step?.type === 'change') await changeMembers(step.change);
    else if (step?.type === 'left') await propose({ type: 'nodeLeft', raftId: step.raftId });
    else if (step?.type === 'handOver') await transferLeadership(step.to);
    else await this.#uses.rekeyIfDue();
  }
}
