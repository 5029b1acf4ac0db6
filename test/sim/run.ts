/** Lets a seed's world live: so many steps with faults, then time to recover, then a last look at everything. */

import { Violation } from './checkers/violation.ts';
import { Client, ClientHistory } from './clients.ts';
import { Nemesis } from './nemesis.ts';
import { Operator } from './operator.ts';
import { assertNothingReal, quiescence, replacePerformanceClock } from './quiescence.ts';
import type { Scenario } from './scenario.ts';
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

export async function runScenario(scenario: Scenario, steps: number, host: WorldHost): Promise<RunResult> {
  const world = new World(scenario, host);
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
    this.#operator = new Operator(world);
    this.#nemesis = new Nemesis(world, this.#operator);
    this.#clients = Array.from({ length: world.scenario.clients }, (_, at) => new Client(at, world, this.#history));
    this.#vaults = new VaultTraffic(world);
  }

  async run(steps: number): Promise<RunResult> {
    this.#world.begin();
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
    const leader = this.#world.leader();
    if (!leader?.node || leader.node.status().lastIndex !== leader.node.machine.index) return false;
    return newestMembers.members.voters.every((id) => {
      const node = this.#world.machineOf(id)?.responsive;
      return (
        node?.machine.started && node.machine.index === ledger.newest && leader.node?.machine.index === ledger.newest
      );
    });
  }

  #lastLook(): void {
    const { newestMembers, ledger } = this.#world;
    for (const id of newestMembers.members.voters) {
      const machine = this.#world.machineOf(id)?.running?.machine;
      if (machine) ledger.wholeState(id, machine.index, machine.state);
    }
  }

  #state(): string {
    const nodes = this.#world.machines.map(({ slot, raftId, state, node, gate }) => {
      const status = gate.alive && node ? node.status() : undefined;
      const detail = status
        ? `${status.role} term ${status.term} commit ${status.commit} applied ${node?.machine.index}`
        : '';
      return `[${slot}: ${raftId} ${state} ${detail}]`;
    });
    return `${nodes.join(' ')} newest ${this.#world.ledger.newest}, members ${JSON.stringify(this.#world.newestMembers)}, operator busy ${this.#operator.busy}, clients busy ${this.#clients.filter(({ busy }) => busy).length}`;
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
