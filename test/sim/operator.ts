/**
 * Who runs the service: brings machines back that were lost, and changes members, one change at a time and always
 * through the leader. A node that cannot go on under its Raft id joins as a learner under a new one, catches up, and one
 * joint change swaps it for the old.
 */
import type { ConfChange, ConfState } from '@drawbridge/enclave-core/consensus/raft-types';
import type { Machine } from './machine.ts';
import type { World } from './world.ts';

const LOOK_EVERY_US = 200_000;
/** A learner is caught up when it lacks no more entries than this. */
const CAUGHT_UP_ENTRIES = 20;
/** A change that had no answer for so long is proposed again, if it is still wanted. */
const PATIENCE_US = 3_000_000;

type Asked = { readonly text: string; readonly term: number; readonly atUs: number; settled: boolean };

export class Operator {
  readonly #world: World;
  /** The last change that was proposed. */
  #asked: Asked | undefined;
  /** Voter to be removed without another in its place. */
  #removing: number | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  begin(): void {
    this.#world.clock.after(LOOK_EVERY_US, 'operator', () => {
      this.#world.guard(() => this.#look());
      this.begin();
    });
  }

  /** A change is wanted or may be under way, or members do not run; memory is not to be lost meanwhile. */
  get busy(): boolean {
    const { newestMembers, machines } = this.#world;
    const { votersOutgoing, learners } = newestMembers.members;
    return (
      votersOutgoing.length > 0 ||
      learners.length > 0 ||
      this.#removing !== undefined ||
      this.#mayBeUnderWay() ||
      machines.some(({ state, joining }) => state === 'lost' || joining !== undefined)
    );
  }

  /** Puts another machine in the place of a voter. False: no machine is free. */
  swap(victim: Machine): boolean {
    return this.#admit({ replaces: victim.raftId });
  }

  /** Makes a free machine a voter. */
  grow(): boolean {
    return this.#admit({});
  }

  shrink(victim: Machine): void {
    this.#removing = victim.raftId;
  }

  #admit(joining: Readonly<{ replaces?: number }>): boolean {
    const free = this.#world.machines.find(({ state }) => state === 'empty');
    if (!free) return false;
    this.#joinAs(free, joining);
    return true;
  }

  #joinAs(machine: Machine, joining: Readonly<{ replaces?: number }>): void {
    machine.clear();
    machine.raftId = this.#world.newRaftId();
    machine.joining = joining;
    machine.state = 'off';
    this.#world.boot(machine);
  }

  #look(): void {
    const { machines, newestMembers } = this.#world;
    for (const machine of machines) {
      if (machine.state === 'lost') this.#rejoin(machine);
      else this.#retire(machine, newestMembers.members);
    }
    const leader = this.#world.leader();
    if (!leader?.node || this.#mayBeUnderWay()) return;
    const wanted = this.#nextChange(leader);
    if (wanted) this.#propose(leader, wanted);
  }

  #rejoin(machine: Machine): void {
    const { members } = this.#world.newestMembers;
    const old = machine.raftId;
    const isVoter = members.voters.includes(old) || members.votersOutgoing.includes(old);
    const replaces = isVoter ? old : machine.joining?.replaces;
    this.#world.tally.count('rejoin under a new id');
    this.#joinAs(machine, replaces === undefined ? {} : { replaces });
  }

  /** A node that is no member any more is switched off; one that became a voter has joined. */
  #retire(machine: Machine, { voters, votersOutgoing, learners }: ConfState): void {
    const { raftId, joining, state } = machine;
    if (state === 'empty') return;
    if (joining) {
      if (voters.includes(raftId) && votersOutgoing.length === 0) machine.joining = undefined;
      return;
    }
    if ([...voters, ...votersOutgoing, ...learners].includes(raftId)) return;
    this.#world.say(`retire ${machine.slot} (${raftId})`);
    this.#world.gone.add(raftId);
    machine.endProcess('kill');
    machine.clear();
  }

  #nextChange(leader: Machine): ConfChange | undefined {
    const members = leader.node?.members;
    if (!members || members.votersOutgoing.length > 0) return undefined;
    const { voters, learners } = members;
    // What a machine was to join as before it was lost again.
    const orphan = learners.find((id) => this.#world.machineOf(id)?.joining === undefined);
    if (orphan !== undefined) return { transition: 'auto', changes: [{ type: 'remove', id: orphan }] };
    for (const { raftId, joining } of this.#world.machines) {
      if (!joining || voters.includes(raftId)) continue;
      if (!learners.includes(raftId)) return { transition: 'auto', changes: [{ type: 'addLearner', id: raftId }] };
      if (this.#caughtUp(leader, raftId)) return promotion(raftId, joining.replaces, voters);
    }
    const removing = this.#removing;
    if (removing === undefined) return undefined;
    if (voters.includes(removing) && voters.length > 3) {
      return { transition: 'auto', changes: [{ type: 'remove', id: removing }] };
    }
    this.#removing = undefined;
    return undefined;
  }

  #caughtUp(leader: Machine, raftId: number): boolean {
    const last = leader.node?.status().lastIndex ?? 0;
    const found = leader.node?.progress().find(({ id }) => id === raftId);
    return found !== undefined && found.match > 0 && found.match + CAUGHT_UP_ENTRIES >= last;
  }

  #propose(leader: Machine, change: ConfChange): void {
    const { world } = { world: this.#world };
    const text = change.changes.map(({ type, id }) => `${type} ${id}`).join(', ');
    const asked: Asked = { text, term: leader.node?.status().term ?? 0, atUs: world.clock.nowUs, settled: false };
    this.#asked = asked;
    world.say(`operator: ${text}`);
    const settle = (error?: unknown): void => {
      // Nobody knows what became of an uncertain one, before a later term has committed something.
      asked.settled = !(error instanceof Error && 'code' in error && error.code === 'UNCERTAIN');
      if (!error) world.tally.count(change.changes.length > 1 ? 'joint change' : `member ${change.changes[0]?.type}`);
    };
    leader.node?.changeMembers(change).then(() => settle(), settle);
  }

  #mayBeUnderWay(): boolean {
    const asked = this.#asked;
    if (!asked || asked.settled) return false;
    const { ledger, clock } = this.#world;
    const overtaken = (ledger.termOf(ledger.newest) ?? 0) > asked.term;
    return !overtaken && (clock.nowUs - asked.atUs < PATIENCE_US || this.#world.leader() === undefined);
  }
}

function promotion(id: number, replaces: number | undefined, voters: readonly number[]): ConfChange {
  if (replaces === undefined || !voters.includes(replaces)) {
    return { transition: 'auto', changes: [{ type: 'add', id }] };
  }
  return {
    transition: 'jointImplicit',
    changes: [
      { type: 'add', id },
      { type: 'remove', id: replaces },
    ],
  };
}
