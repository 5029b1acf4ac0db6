/**
 * The leader's duty towards the group: brings raft's configuration to what the ledger says. A node that was admitted becomes
 * a learner; one that has caught up becomes a voter, and the one that it replaces leaves by the same joint change; one that
 * may not be a node any more leaves. One step at a time, each of them safe to be done again by the next leader.
 */
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { ServiceEntry } from '@drawbridge/protocol/ledger/service-entry';
import type { ConfChange, ConfState, MemberProgress } from '../consensus/raft-types.ts';
import type { MembershipState } from '../membership/membership-state.ts';
import type { NodeLog } from '../node-log.ts';
import { type MembershipStep, nextStep } from './membership-step.ts';
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
  /** Of the platform. */
  protectsMemory: boolean;
  timers: Timers;
  log: NodeLog;
}>;

const WAITS: Readonly<Record<Extract<MembershipStep, { type: 'wait' }>['code'], string>> = {
  NO_MAJORITY: 'a node stays that is to leave: without it those that answer would be no majority of the voters',
  LAST_VOTER: 'a node stays that is to leave: the one that would be left could not be started again; add another first',
};

export class MembershipDuty {
  readonly #options: Required<MembershipDutyOptions>;
  readonly #uses: MembershipDutyDependencies;
  #cancel: (() => void) | undefined;
  #busy = false;
  /** What the log was told last of what has to wait. */
  #saidWaiting = '';
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
    const { self, membership, mayTakePart, members, progress, lastIndex, protectsMemory } = this.#uses;
    const step = nextStep({
      self,
      membership: membership(),
      mayTakePart,
      members: members(),
      progress: progress(),
      lastIndex: lastIndex(),
      caughtUpEntries: this.#options.caughtUpEntries,
      protectsMemory,
    });
    if (step?.type === 'change') await this.#uses.changeMembers(step.change);
    else if (step?.type === 'left') await this.#uses.propose({ type: 'nodeLeft', raftId: step.raftId });
    else if (step?.type === 'handOver') await this.#uses.transferLeadership(step.to);
    else {
      if (step) this.#note(step);
      await this.#uses.rekeyIfDue();
    }
  }

  #note({ code, leaving }: Extract<MembershipStep, { type: 'wait' }>): void {
    const saying = `${code} ${leaving.join()}`;
    if (saying === this.#saidWaiting) return;
    this.#saidWaiting = saying;
    this.#uses.log.warn({ code, leaving }, WAITS[code]);
  }
}
