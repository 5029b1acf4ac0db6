/** Lets a seed's world live: so many steps with faults, then time to recover, then a last look at everything. */

import { Violation } from './checkers/violation.ts';
import { Client, ClientHistory } from './clients.ts';
import { CoreOperator, coreMaker, FOUNDER } from './core-operator.ts';
import { Nemesis } from './nemesis.ts';
import type { Operator } from './operator.ts';
import { assertNothingReal, quiescence, replacePerformanceClock } from './quiescence.ts';
import { firstVoters, ReplicaOperator, replicaMaker } from './replica-operator.ts';
import type { Scenario } from './scenario.ts';
import { drawGenesis } from './sim-service.ts';
import type { Tally } from './tally.ts';
import type { Trace } from './trace.ts';
import { VaultTraffic } from './vault-traffic.ts';
import { World, type WorldHost } from './world.ts';

export type RunResult = Readonly<{
  scenario: Scenario;
  violation: Violation | undefined;
  /** Step at which it was seen, or at which the run ended. */
  step: number;
  simulatedMs: number;
  elections: number;
  entries: number;
  /** Answers that the black-box check explained. */
  answered: number;
  tally: Tally;
  trace: Trace;
}>;

/** Virtual time in which a group without faults must be whole again. */
const RECOVERY_US = 120_000_000;
/** Steps after which a recovery has failed, however little time they took. */
const MAX_RECOVERY_STEPS = 200_000;
const LOOK_FOR_REAL_WORK_EVERY = 512;

export type RunHost = Omit<WorldHost, 'makeProcess'>;

/** Made once for all worlds of a process. */
let genesis: ReturnType<typeof drawGenesis> | undefined;

export async function runScenario(scenario: Scenario, steps: number, host: RunHost): Promise<RunResult> {
  genesis ??= drawGenesis();
  const isCore = scenario.assembly === 'core';
  const makeProcess = isCore ? coreMaker(scenario, await genesis) : replicaMaker(scenario);
  const voters = isCore ? [FOUNDER] : firstVoters(scenario);
  const world = new World(scenario, voters, { ...host, makeProcess });
  const restore = replacePerformanceClock(() => world.clock.nowUs / 1000);
  try {
    return await new Run(world).run(steps);
  } finally {
    restore();
  }
}

class Run {
  readonly #world: World;
  readonly #history = new ClientHistory();
  readonly #operator: Operator;
  readonly #nemesis: Nemesis;
  readonly #clients: readonly Client[];
  readonly #vaults: VaultTraffic;
  #step = 0;

  constructor(world: World) {
    this.#world = world;
    this.#operator = world.scenario.assembly === 'core' ? new CoreOperator(world) : new ReplicaOperator(world);
    this.#nemesis = new Nemesis(world, this.#operator);
    this.#clients = Array.from({ length: world.scenario.clients }, (_, at) => new Client(at, world, this.#history));
    this.#vaults = new VaultTraffic(world);
  }

  async run(steps: number): Promise<RunResult> {
    for (const part of [this.#operator, this.#nemesis, this.#vaults, ...this.#clients]) part.begin();
    await quiescence();
    while (this.#step < steps && !this.#world.violation) await this.#next();
    if (!this.#world.violation) await this.#recover();
    return this.#result();
  }

  async #next(): Promise<void> {
    const due = this.#world.clock.take();
    if (!due) throw new Error('nothing is due any more');
    this.#step += 1;
    this.#world.say(due.name);
    this.#world.guard(due.run);
    await quiescence();
    this.#world.inspect();
    if (this.#step % LOOK_FOR_REAL_WORK_EVERY === 0) assertNothingReal();
  }

  async #recover(): Promise<void> {
    const { clock } = this.#world;
    this.#world.say('recovery begins');
    for (const client of [this.#vaults, ...this.#clients]) client.end();
    this.#nemesis.end();
    const deadlineUs = clock.nowUs + RECOVERY_US;
    const lastStep = this.#step + MAX_RECOVERY_STEPS;
    while (!this.#world.violation && !this.#whole()) {
      if (clock.nowUs > deadlineUs || this.#step > lastStep) {
        this.#world.report(new Violation('progress', `without faults the group was not whole again: ${this.#state()}`));
        return;
      }
      await this.#next();
    }
    if (!this.#world.violation) this.#world.guard(() => this.#lastLook());
  }

  /** A leader, all members with the same log applied, nothing unanswered, no change under way. */
  #whole(): boolean {
    const { newestMembers, ledger } = this.#world;
    if (this.#operator.busy || this.#clients.some(({ busy }) => busy)) return false;
    const leader = this.#world.leader()?.process;
    if (!leader || leader.status().lastIndex !== ledger.newest) return false;
    return newestMembers.members.voters.every((id) => {
      const process = this.#world.machineOf(id)?.responsive;
      return process?.state !== undefined && process.appliedIndex === ledger.newest;
    });
  }

  #lastLook(): void {
    const { newestMembers, ledger } = this.#world;
    for (const id of newestMembers.members.voters) {
      const process = this.#world.machineOf(id)?.running;
      if (process?.state) ledger.wholeState(id, process.appliedIndex, process.state);
    }
  }

  /** For whoever has to find out why a group did not become whole. */
  #state(): string {
    const { machines, newestMembers, ledger } = this.#world;
    const nodes = machines.map(({ slot, raftId, state, running }) => {
      const status = running?.status();
      const detail = status
        ? `${status.role} term ${status.term} commit ${status.commit} last ${status.lastIndex}`
        : '';
      return `[${slot}: ${raftId} ${state} ${detail}]`;
    });
    const busy = this.#clients.filter((client) => client.busy).length;
    const members = JSON.stringify(newestMembers);
    return `${nodes.join(' ')} newest ${ledger.newest}, members ${members}, operator busy ${this.#operator.busy}, ${busy} clients busy`;
  }

  #result(): RunResult {
    const { scenario, violation, clock, logs, ledger, tally, trace, network, machines } = this.#world;
    for (const [kind, count] of Object.entries(network.counts)) tally.count(`network ${kind}`, count);
    for (const { disk } of machines) {
      for (const [kind, count] of Object.entries(disk.counts)) tally.count(`disk ${kind}`, count);
    }
    tally.count('accounts undecided', this.#history.undecided);
    return {
      scenario,
      violation,
      step: this.#step,
      simulatedMs: Math.round(clock.nowUs / 1000),
      elections: logs.elections,
      entries: ledger.newest,
      answered: this.#history.answered,
      tally,
      trace,
    };
  }
}
