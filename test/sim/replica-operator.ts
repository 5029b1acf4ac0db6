/**
 * Operator of replicas: one change of raft's members at a time, always through the leader. A node that cannot go on under
 * its Raft id joins as a learner under a new one, catches up, and one joint change swaps it for the old.
 */

import type { ConfChange, ConfState } from '@drawbridge/enclave-core/consensus/raft-types';
import { headAlone } from '@drawbridge/enclave-core/consensus/testing/head-alone';
import { KeyRing } from '@drawbridge/enclave-core/keys/key-ring';
import { firstState } from './ledger-genesis.ts';
import type { Machine } from './machine.ts';
import type { Operator } from './operator.ts';
import { Random } from './random.ts';
import { ReplicaProcess } from './replica-process.ts';
import { type Scenario, SNAPSHOT_TICKS } from './scenario.ts';
import { sealState } from './sim-machine.ts';
import type { ProcessPorts } from './sim-process.ts';
import { codeOf, type World } from './world.ts';

const LOOK_EVERY_US = 200_000;
/** A learner is caught up when it lacks no more entries than this. */
const CAUGHT_UP_ENTRIES = 20;
/** A change that had no answer for so long is proposed again, if it is still wanted. */
const PATIENCE_US = 3_000_000;
const MIN_VOTERS = 3;
const SECRET: Uint8Array = Buffer.alloc(32, 7);

type Asked = { readonly term: number; readonly atUs: number; settled: boolean };

/** Raft ids that a group begins with. */
export const firstVoters = ({ nodes }: Scenario): number[] => Array.from({ length: nodes }, (_, at) => at + 1);

/** What makes processes of this kind. */
export function replicaMaker(
  scenario: Scenario,
): (world: World, machine: Machine, ports: ProcessPorts) => ReplicaProcess {
  const { tickUs, segmentBytes, snapshotEvery, electionTicks, heartbeatTicks, cachedEntries } = scenario;
  const voters = firstVoters(scenario);
  const first = headAlone(sealState(new KeyRing({ secret: SECRET, entropy: new Random('genesis') }), 1, firstState()));
  const replica = { electionTicks, heartbeatTicks, cachedEntries, ...SNAPSHOT_TICKS };
  return (_world, { raftId }, ports) => {
    const bootstrap = voters.includes(raftId) ? { voters, first } : null;
    const options = { raftId, secret: SECRET, bootstrap, tickUs, segmentBytes, snapshotEvery, replica };
    return new ReplicaProcess(options, ports);
  };
}

export class ReplicaOperator implements Operator {
  readonly #world: World;
  #nextRaftId: number;
  /** The last change that was proposed. */
  #asked: Asked | undefined;
  /** Voter to be removed without another in its place. */
  #removing: number | undefined;

  constructor(world: World) {
    this.#world = world;
    this.#nextRaftId = world.scenario.nodes + 1;
  }

  begin(): void {
    for (const [at, raftId] of firstVoters(this.#world.scenario).entries()) {
      const machine = this.#world.machines[at];
      if (!machine) continue;
      machine.raftId = raftId;
      this.#world.boot(machine);
    }
    this.#lookLater();
  }

  #lookLater(): void {
    this.#world.clock.after(LOOK_EVERY_US, 'operator', () => {
      this.#world.guard(() => this.#look());
      this.#lookLater();
    });
  }

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

  swap(victim: Machine): boolean {
    return this.#admit({ replaces: victim.raftId });
  }

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
    machine.raftId = this.#nextRaftId++;
    machine.joining = joining;
    machine.joined = true;
    machine.state = 'off';
    this.#world.boot(machine);
  }

  #look(): void {
    const { machines, newestMembers } = this.#world;
    for (const machine of machines) {
      if (machine.state === 'lost') this.#rejoin(machine);
      else this.#settle(machine, newestMembers.members);
    }
    const leader = this.#world.leader()?.process;
    if (!(leader instanceof ReplicaProcess) || this.#mayBeUnderWay()) return;
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

  /** One that became a voter has joined; one that is no member any more is switched off. */
  #settle(machine: Machine, { voters, votersOutgoing, learners }: ConfState): void {
    const { raftId, joining, state } = machine;
    if (state === 'empty') return;
    if (!joining) {
      if (![...voters, ...votersOutgoing, ...learners].includes(raftId)) this.#world.retire(machine);
    } else if (voters.includes(raftId) && votersOutgoing.length === 0) {
      machine.joining = undefined;
    }
  }

  #nextChange(leader: ReplicaProcess): ConfChange | undefined {
    const { voters, learners, votersOutgoing } = leader.members;
    if (votersOutgoing.length > 0) return undefined;
    // What a machine was to join as before it was lost again.
    const orphan = learners.find((id) => this.#world.machineOf(id)?.joining === undefined);
    if (orphan !== undefined) return { transition: 'auto', changes: [{ type: 'remove', id: orphan }] };
    for (const { raftId, joining } of this.#world.machines) {
      if (!joining || voters.includes(raftId)) continue;
      if (!learners.includes(raftId)) return { transition: 'auto', changes: [{ type: 'addLearner', id: raftId }] };
      if (caughtUp(leader, raftId)) return promotion(raftId, joining.replaces, voters);
    }
    const id = this.#removing;
    if (id === undefined) return undefined;
    if (voters.includes(id) && voters.length > MIN_VOTERS)
      return { transition: 'auto', changes: [{ type: 'remove', id }] };
    this.#removing = undefined;
    return undefined;
  }

  #propose(leader: ReplicaProcess, change: ConfChange): void {
    const world = this.#world;
    const asked: Asked = { term: leader.status().term, atUs: world.clock.nowUs, settled: false };
    this.#asked = asked;
    world.say(`operator: ${change.changes.map(({ type, id }) => `${type} ${id}`).join(', ')}`);
    leader.changeMembers(change).then(
      () => {
        asked.settled = true;
        world.tally.count(change.changes.length > 1 ? 'joint change' : `member ${change.changes[0]?.type}`);
      },
      (error: unknown) => {
        // Nobody knows what became of an uncertain one, before a later term has committed something.
        asked.settled = codeOf(error) !== 'UNCERTAIN';
      },
    );
  }

  #mayBeUnderWay(): boolean {
    const asked = this.#asked;
    if (!asked || asked.settled) return false;
    const { ledger, clock } = this.#world;
    const overtaken = (ledger.termOf(ledger.newest) ?? 0) > asked.term;
    return !overtaken && (clock.nowUs - asked.atUs < PATIENCE_US || this.#world.leader() === undefined);
  }
}

function caughtUp(leader: ReplicaProcess, raftId: number): boolean {
  const found = leader.progress().find(({ id }) => id === raftId);
  return found !== undefined && found.match > 0 && found.match + CAUGHT_UP_ENTRIES >= leader.status().lastIndex;
}

function promotion(id: number, replaces: number | undefined, voters: readonly number[]): ConfChange {
  if (replaces === undefined || !voters.includes(replaces))
    return { transition: 'auto', changes: [{ type: 'add', id }] };
  return {
    transition: 'jointImplicit',
    changes: [
      { type: 'add', id },
      { type: 'remove', id: replaces },
    ],
  };
}
