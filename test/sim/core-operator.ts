/**
 * Operator of whole nodes: asks the service to admit a node, or to remove one by an amendment, and starts processes; the
 * nodes bring raft's members there by themselves. A machine that lost its memory is admitted again under the key it had.
 */

import { signedAmendment } from '@drawbridge/enclave-core/settlement/testing/world';
import type { Action } from '@drawbridge/governance/action';
import { CoreProcess } from './core-process.ts';
import { IDENTITIES, type SimIdentity } from './identities.ts';
import type { Machine } from './machine.ts';
import type { Operator } from './operator.ts';
import { type Scenario, SNAPSHOT_TICKS } from './scenario.ts';
import type { ProcessPorts } from './sim-process.ts';
import type { drawGenesis } from './sim-service.ts';
import type { World } from './world.ts';

const LOOK_EVERY_US = 200_000;
/** What had no answer for so long is asked again. */
const PATIENCE_US = 4_000_000;
/** Small, so that chunks are closed. */
const CHUNK_BYTES = 16 * 1024;
/** Raft id of the node that begins a service. */
export const FOUNDER = 1;

export function coreMaker(
  scenario: Scenario,
  genesis: Awaited<ReturnType<typeof drawGenesis>>,
): (world: World, machine: Machine, ports: ProcessPorts) => CoreProcess {
  const { tickUs, segmentBytes, snapshotEvery, electionTicks, heartbeatTicks, cachedEntries, platform } = scenario;
  const { entriesInFlight } = scenario;
  return (_world, machine, ports) => {
    const { raftId, joined, secrets } = machine;
    return new CoreProcess(
      {
        raftId,
        joined,
        identity: identityOf(machine),
        genesis,
        secrets,
        saveSecrets: (kept) => {
          machine.secrets = kept;
        },
        protectsMemory: platform === 'protected',
        tickUs,
        segmentBytes,
        snapshotEvery,
        chunkBytes: CHUNK_BYTES,
        entriesInFlight,
        replica: { electionTicks, heartbeatTicks, cachedEntries, ...SNAPSHOT_TICKS },
      },
      ports,
    );
  };
}

export function identityOf({ slot }: Machine): SimIdentity {
  const identity = IDENTITIES[slot];
  if (!identity) throw new RangeError(`there is no identity for machine ${slot}`);
  return identity;
}

export class CoreOperator implements Operator {
  readonly #world: World;
  /** Machines that are to be members; the first ones are admitted one after the other. */
  readonly #wanted = new Set<Machine>();
  /** Machines whose nodes are to be removed. */
  readonly #leaving = new Set<Machine>();
  #asking: { open: boolean; readonly atUs: number } | undefined;

  constructor(world: World) {
    this.#world = world;
    for (const machine of world.machines.slice(0, world.scenario.nodes)) this.#wanted.add(machine);
  }

  begin(): void {
    const [founder] = this.#world.machines;
    if (founder) {
      founder.raftId = FOUNDER;
      this.#world.boot(founder);
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
    const { votersOutgoing, learners } = this.#world.newestMembers.members;
    return (
      votersOutgoing.length > 0 ||
      learners.length > 0 ||
      this.#leaving.size > 0 ||
      this.#isAsking() ||
      [...this.#wanted].some(({ state, joining }) => state === 'empty' || state === 'lost' || joining !== undefined)
    );
  }

  swap(victim: Machine): boolean {
    if (!this.grow()) return false;
    this.shrink(victim);
    return true;
  }

  grow(): boolean {
    const free = this.#world.machines.find((machine) => machine.state === 'empty' && !this.#wanted.has(machine));
    if (!free) return false;
    this.#wanted.add(free);
    return true;
  }

  shrink(victim: Machine): void {
    this.#wanted.delete(victim);
    this.#leaving.add(victim);
  }

  #look(): void {
    for (const machine of this.#world.machines) this.#settle(machine);
    const leader = this.#world.leader()?.process;
    if (!(leader instanceof CoreProcess) || this.#isAsking() || !leader.desk.leads) return;
    const joiner = [...this.#wanted].find(({ state }) => state === 'empty' || state === 'lost');
    // One after the other, and nobody leaves before those who come are there.
    if (joiner) this.#admit(leader, joiner);
    else if (![...this.#wanted].some(({ joining }) => joining !== undefined)) this.#remove(leader);
  }

  /** One that became a voter has joined; one that is no member any more is switched off. */
  #settle(machine: Machine): void {
    const { voters, votersOutgoing, learners } = this.#world.newestMembers.members;
    const { raftId, joining, state } = machine;
    const isVoter = voters.includes(raftId);
    if (joining && isVoter && votersOutgoing.length === 0) machine.joining = undefined;
    if (joining || isVoter || votersOutgoing.includes(raftId) || learners.includes(raftId)) return;
    this.#leaving.delete(machine);
    if (state === 'empty' || state === 'lost') return;
    // Removed while it did not run, or before it heard of it.
    this.#world.retire(machine);
  }

  #admit(leader: CoreProcess, machine: Machine): void {
    const { nodeId, description } = identityOf(machine);
    if (!leader.desk.registry.nodes.has(nodeId)) {
      this.#amend(leader, { name: 'add_node', args: { nodeId } });
      return;
    }
    const wasLost = machine.state === 'lost';
    this.#ask(
      leader.desk.propose({ type: 'admitNode', node: description }).then((outcome) => {
        if (!outcome.ok || outcome.raftId === undefined) return;
        const secrets = new Map(leader.secrets);
        // An answer that came late admitted it already; this one takes that place over.
        if (machine.raftId !== 0) this.#world.displace(machine);
        machine.raftId = outcome.raftId;
        machine.joining = {};
        machine.joined = true;
        machine.secrets = secrets;
        machine.state = 'off';
        this.#world.tally.count(wasLost ? 'rejoin under a new id' : 'admitted');
        this.#world.boot(machine);
      }),
    );
  }

  #remove(leader: CoreProcess): void {
    const [machine] = this.#leaving;
    if (!machine) return;
    const { nodeId } = identityOf(machine);
    if (leader.desk.registry.nodes.has(nodeId)) this.#amend(leader, { name: 'remove_node', args: { nodeId } });
  }

  #amend(leader: CoreProcess, action: Action): void {
    const number = leader.desk.view.nextAmendment();
    const { tally } = this.#world;
    this.#ask(
      leader.submit(signedAmendment(number, [action], 2)).then(({ outcome }) => {
        tally.count(outcome.ok ? `amendment ${action.name}` : `amendment refused ${outcome.code}`);
      }),
    );
  }

  /** One thing at a time. What becomes of an uncertain one shows in the ledger. */
  #ask(answer: Promise<void>): void {
    const asking = { open: true, atUs: this.#world.clock.nowUs };
    this.#asking = asking;
    const done = (): void => {
      asking.open = false;
    };
    answer.then(done, done);
  }

  #isAsking(): boolean {
    const { clock } = this.#world;
    return this.#asking?.open === true && clock.nowUs - this.#asking.atUs < PATIENCE_US;
  }
}
