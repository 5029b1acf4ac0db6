/**
 * Everything of one seed: machines with their processes, the network between them, and the checkers that watch. Faults
 * (`nemesis.ts`), operators (`operator.ts`) and clients (`clients.ts`) act on it; `run.ts` lets time pass.
 */
import type { ConfState, RaftMessage } from '@drawbridge/enclave-core/consensus/raft-types';
import { CommittedLog } from './checkers/committed-log.ts';
import { DurableLog } from './checkers/durable-log.ts';
import { LogMatching } from './checkers/log-matching.ts';
import { RealTimeOrder } from './checkers/real-time-order.ts';
import { unexpected, Violation } from './checkers/violation.ts';
import { firstState } from './ledger-genesis.ts';
import { Machine } from './machine.ts';
import { ProcessGate } from './process-gate.ts';
import { Random } from './random.ts';
import type { Scenario } from './scenario.ts';
import { SimDisk } from './sim-disk.ts';
import { SimNetwork } from './sim-network.ts';
import type { EngineModule, Plant, ProcessObserver, ProcessPorts, SimProcess } from './sim-process.ts';
import { Tally } from './tally.ts';
import type { Trace } from './trace.ts';
import { VirtualClock } from './virtual-clock.ts';

export type WorldHost = Readonly<{
  engine: EngineModule;
  trace: Trace;
  /** The plant of a node; none in a normal run. */
  plantFor: (world: World, machine: Machine) => Plant;
  makeProcess: (world: World, machine: Machine, ports: ProcessPorts) => SimProcess;
}>;

/** What an operator has besides the machines that are members at first: swaps and additions need room. */
const SPARE_MACHINES = 2;
/** Time until a sender hears that there is no way to a peer. */
const UNREACHABLE_US = 1_000;
/** Errors that end a process and that a disk can cause by itself. */
const DISK_ERRORS: ReadonlySet<string> = new Set(['LOG_WRITE_FAILED', 'LEDGER_WRITE_FAILED', 'ENOSPC', 'EIO']);
/** What a node says that found less, or something else, on its disk than it left there. */
const DAMAGE: ReadonlySet<string> = new Set(['LOG_DAMAGED', 'LEDGER_DAMAGED', 'LEDGER_CONFLICT']);
/** What a node says that learns of being none any more. */
const REMOVED: ReadonlySet<string> = new Set(['NODE_REMOVED', 'NOT_ADDRESSED']);

export class World {
  readonly scenario: Scenario;
  readonly clock = new VirtualClock();
  readonly random: Random;
  readonly network: SimNetwork;
  readonly machines: readonly Machine[];
  readonly ledger = new CommittedLog();
  readonly logs = new LogMatching();
  readonly durable = new DurableLog();
  readonly order = new RealTimeOrder();
  readonly tally = new Tally();
  readonly trace: Trace;
  /** Raft ids that will never be heard of again. */
  readonly gone = new Set<number>();
  /** Members as of the newest entry that changed them and was applied anywhere. */
  newestMembers: Readonly<{ index: number; members: ConfState }>;
  /** The first thing that must not be. */
  violation: Violation | undefined;
  readonly #host: WorldHost;

  /** @param voters that the group begins with */
  constructor(scenario: Scenario, voters: readonly number[], host: WorldHost) {
    this.scenario = scenario;
    this.#host = host;
    this.trace = host.trace;
    this.random = new Random(`world ${scenario.seed}`);
    this.network = new SimNetwork(scenario.network, this.clock, this.random.fork('network'));
    const { writeUs, syncUs, nodes, skewMs } = scenario;
    this.machines = Array.from({ length: nodes + SPARE_MACHINES }, (_, slot) => {
      const disk = new SimDisk({ writeUs, syncUs }, this.clock, this.random.fork(`disk ${slot}`));
      const machine = new Machine(slot, disk);
      const own = this.random.fork(`clock ${slot}`);
      machine.skewMs = own.between(-skewMs, skewMs);
      machine.driftPpm = own.between(-200, 200);
      return machine;
    });
    this.newestMembers = {
      index: 1,
      members: { voters, learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false },
    };
    this.ledger.begin(firstState());
  }

  say(line: string): void {
    this.trace.add(`${this.clock.nowUs} ${line}`);
  }

  /** Runs a check, or code of the world; what it throws ends the run. */
  guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.report(error instanceof Violation ? error : unexpected('a check failed', error));
    }
  }

  report(violation: Violation): void {
    if (!this.violation) this.say(`VIOLATION ${violation.checker}: ${violation.message}`);
    this.violation ??= violation;
  }

  /** After each step. */
  inspect(): void {
    for (const machine of this.machines) {
      const { running } = machine;
      if (running) this.guard(() => running.inspect());
    }
  }

  machineOf(raftId: number): Machine | undefined {
    return this.machines.find((machine) => machine.raftId === raftId && machine.state !== 'empty');
  }

  /** The running node that leads the newest term, as far as it knows. */
  leader(): Machine | undefined {
    let [found, newest]: [Machine | undefined, number] = [undefined, 0];
    for (const machine of this.machines) {
      const status = machine.responsive?.status();
      if (status?.role !== 'leader' || status.term <= newest) continue;
      [found, newest] = [machine, status.term];
    }
    return found;
  }

  /** Starts a process on what the disk has. */
  boot(machine: Machine): void {
    if (machine.state === 'on' || machine.state === 'starting' || machine.raftId === 0) return;
    const { raftId, slot } = machine;
    const gate = new ProcessGate();
    machine.gate = gate;
    machine.state = 'starting';
    this.tally.count('start');
    this.say(`boot ${slot} as ${raftId}`);
    const process = this.#host.makeProcess(this, machine, this.#ports(machine, gate));
    machine.process = process;
    process.start().then(
      () => this.#started(machine, gate),
      (error: unknown) => this.#startFailed(machine, gate, error),
    );
  }

  #ports(machine: Machine, gate: ProcessGate): ProcessPorts {
    const { clock, random } = this;
    const { slot, disk } = machine;
    return {
      engine: this.#host.engine,
      gate,
      disk: disk.session(gate),
      random: random.fork(`process ${this.tally.get('start')}`),
      wallMs: () => machine.wallMs(clock.nowUs),
      nowUs: () => clock.nowUs,
      after: (delayUs, name, run) => clock.after(delayUs, `${name} ${slot}`, run),
      send: (messages) => this.#send(machine, gate, messages),
      sendSnapshot: (message, content) => this.#sendSnapshot(machine, gate, message, content),
      request: (to, method, body, timeoutMs) => this.#request(machine, gate, { to, method, body, timeoutMs }),
      observer: this.#observer(machine, gate),
      plant: this.#host.plantFor(this, machine),
    };
  }

  #started(machine: Machine, gate: ProcessGate): void {
    if (!gate.alive) return;
    machine.state = 'on';
    this.say(`on ${machine.slot} as ${machine.raftId}, applied ${machine.process?.appliedIndex}`);
  }

  #startFailed(machine: Machine, gate: ProcessGate, error: unknown): void {
    if (!gate.alive) return;
    const code = codeOf(error);
    machine.endProcess('kill');
    this.say(`start of ${machine.slot} failed: ${code}`);
    if (DAMAGE.has(code) && (machine.rotten || (machine.excused && this.canLose(machine.raftId)))) {
      this.tally.count('damage found');
      machine.state = 'lost';
      this.gone.add(machine.raftId);
    } else if (DISK_ERRORS.has(code)) {
      this.tally.count('start failed by disk');
      this.#awaitBoot(machine);
    } else if (this.#isRemoved(machine, code)) {
      this.retire(machine);
    } else {
      this.report(unexpected(`node ${machine.raftId} does not start`, error));
    }
  }

  /** Ends a process; it starts again some time later, or joins anew where it may not. */
  crash(machine: Machine, how: 'kill' | 'power'): void {
    if (machine.state !== 'on' && machine.state !== 'starting') return;
    this.say(`${how} ${machine.slot} (${machine.raftId})`);
    machine.endProcess(how);
    this.#awaitBoot(machine);
  }

  #awaitBoot(machine: Machine): void {
    if (this.scenario.platform === 'protected') {
      this.gone.add(machine.raftId);
      machine.state = 'lost';
      return;
    }
    machine.state = 'off';
    const { restartUs } = this.scenario;
    this.clock.after(this.random.exponential(restartUs), `restart ${machine.slot}`, () => {
      if (machine.state === 'off') this.boot(machine);
    });
  }

  /** A machine that is no member any more is switched off and cleared. */
  retire(machine: Machine): void {
    this.say(`retire ${machine.slot} (${machine.raftId})`);
    this.gone.add(machine.raftId);
    machine.endProcess('kill');
    machine.clear();
  }

  /** A machine whose process ended gets a new place. Its disk stays, unless it is known to be bad. */
  displace(machine: Machine): void {
    if (machine.rotten || this.scenario.platform === 'virtual') {
      this.retire(machine);
      return;
    }
    this.say(`displace ${machine.slot} (${machine.raftId})`);
    this.gone.add(machine.raftId);
    machine.endProcess('kill');
    machine.forgetPlace();
  }

  #isRemoved(machine: Machine, code: string): boolean {
    const { voters, votersOutgoing } = this.newestMembers.members;
    return REMOVED.has(code) && ![...voters, ...votersOutgoing].includes(machine.raftId);
  }

  /** True when the group can go on without this node's memory, whatever was lost before. */
  canLose(raftId: number): boolean {
    const { voters, votersOutgoing } = this.newestMembers.members;
    const doomed = this.machines.filter((machine) => this.#isDoomed(machine)).map((machine) => machine.raftId);
    const bad = new Set([...this.gone, raftId, ...doomed]);
    return [voters, votersOutgoing].every(
      (ids) => ids.length === 0 || ids.filter((id) => !bad.has(id)).length >= Math.floor(ids.length / 2) + 1,
    );
  }

  /** Damage waits on its disk, or an error that will end its process where that costs its memory. */
  #isDoomed({ rotten, disk }: Machine): boolean {
    return rotten || (this.scenario.platform === 'protected' && (disk.full || disk.failures > 0 || disk.failing));
  }

  #send(from: Machine, gate: ProcessGate, messages: readonly RaftMessage[]): void {
    if (!gate.alive) return;
    const byPeer = new Map<number, RaftMessage[]>();
    for (const message of messages) byPeer.set(message.to, [...(byPeer.get(message.to) ?? []), message]);
    for (const [to, all] of byPeer) {
      const groups = this.network.options.reorders ? all.map((message) => [message]) : [all];
      for (const group of groups) this.#carry(from, to, group);
    }
  }

  #carry(from: Machine, to: number, group: readonly RaftMessage[]): void {
    const [sender, peer] = [from.raftId, this.machineOf(to)];
    if (!peer) return;
    const kinds = group.map(({ type }) => type).join('.');
    const bytes = group.map((message) => message.bytes);
    const onItsWay = this.network.carry(from.slot, peer.slot, `msg ${sender}>${to} ${kinds}`, () => {
      if (peer.raftId === to) peer.gate.enter(() => peer.process?.receive(sender, bytes));
    });
    if (!onItsWay && this.network.isCut(from.slot, peer.slot)) from.gate.enter(() => from.process?.unreachable(to));
  }

  #sendSnapshot(from: Machine, gate: ProcessGate, message: RaftMessage, content: Uint8Array): Promise<void> {
    const { to, bytes, snapshotIndex } = message;
    const [sender, peer] = [from.raftId, this.machineOf(to)];
    return new Promise((resolve, reject) => {
      const lost = (): void => gate.enter(() => reject(new Error('not delivered')));
      if (!peer || !gate.alive) {
        lost();
        return;
      }
      const deliver = (): void => {
        peer.gate.enter(() => {
          if (peer.raftId !== to) return;
          this.tally.count('snapshot delivered');
          peer.process?.receiveSnapshot(sender, bytes, content);
          gate.enter(resolve);
        });
        if (!peer.gate.alive || peer.raftId !== to) lost();
      };
      this.network.carryOnce(from.slot, peer.slot, `snapshot ${sender}>${to} at ${snapshotIndex}`, { deliver, lost });
    });
  }

  #request(from: Machine, gate: ProcessGate, asked: Asked): Promise<Uint8Array> {
    const { to, method, body, timeoutMs } = asked;
    const [sender, peer] = [from.raftId, this.machineOf(to)];
    return new Promise((resolve, reject) => {
      const fail = (code: string) => (): void =>
        gate.enter(() => reject(Object.assign(new Error(`${method}: ${code}`), { code })));
      if (!peer || this.network.isCut(from.slot, peer.slot)) {
        this.clock.after(UNREACHABLE_US, 'unreachable', fail('UNREACHABLE'));
        return;
      }
      const stopWaiting = this.clock.after(timeoutMs * 1000, `${method} timeout`, fail('TIMEOUT'));
      const lost = (): void => {
        stopWaiting();
        fail('CONNECTION_LOST')();
      };
      const back = (answer: () => void): void => {
        const deliver = (): void => {
          stopWaiting();
          gate.enter(answer);
        };
        this.network.carryOnce(peer.slot, from.slot, `${method} answer ${to}>${sender}`, { deliver, lost });
      };
      const deliver = (): void => {
        if (!peer.gate.alive || peer.raftId !== to) {
          lost();
          return;
        }
        peer.gate.enter(() => {
          if (!peer.process) return;
          peer.process.answer(sender, method, body).then(
            (answer) => back(() => resolve(answer)),
            (error: unknown) => back(fail(codeOf(error))),
          );
        });
      };
      this.network.carryOnce(from.slot, peer.slot, `${method} ${sender}>${to}`, { deliver, lost });
    });
  }

  #observer(machine: Machine, gate: ProcessGate): ProcessObserver {
    const id = machine.raftId;
    const watch = (check: () => void): void => {
      if (gate.alive) this.guard(check);
    };
    return {
      loaded: (stored) =>
        watch(() => {
          if (stored.tornTail) this.tally.count('torn tail cut');
          if (stored.damagedSnapshots.length > 0) this.tally.count('damaged snapshot passed over');
          this.durable.loaded(id, stored, machine.excused || machine.rotten);
          this.logs.loaded(id, stored);
        }),
      appending: (batch) => watch(() => this.logs.appending(id, batch)),
      appended: (batch) => watch(() => this.durable.appended(id, batch)),
      role: (role, term) =>
        watch(() => {
          this.say(`node ${id} is ${role} in term ${term}`);
          if (role !== 'leader') return;
          this.logs.elected(id, term);
          this.durable.elected(id, term);
        }),
      members: (members, index) => watch(() => this.#membersChanged(members, index)),
      inherited: () => watch(() => this.tally.count('went on from an earlier life')),
      applied: (entries) =>
        watch(() => {
          this.ledger.applied(id, entries);
          const last = entries.at(-1);
          if (!last) return;
          this.logs.committed(last);
          this.say(`node ${id} applied ${last.index}`);
        }),
      state: (index, state, from) =>
        watch(() => {
          this.say(`node ${id} has the state of ${index}`);
          if (index > this.ledger.newest) {
            throw new Violation('same-entry-applied', `node ${id} has the state of ${index}, which nobody applied`);
          }
          this.ledger.state(id, index, state);
          if (from === 'snapshot') this.ledger.wholeState(id, index, state);
        }),
      root: (index, root) => watch(() => this.ledger.root(id, index, root)),
      failed: (error) => {
        if (gate.alive) this.#failed(machine, error);
      },
    };
  }

  #membersChanged(members: ConfState, index: number): void {
    if (index <= this.newestMembers.index) return;
    this.newestMembers = { index, members };
    const { voters, learners, votersOutgoing } = members;
    this.say(`members as of ${index}: voters ${voters} learners ${learners} outgoing ${votersOutgoing}`);
  }

  /** A process stopped for good. */
  #failed(machine: Machine, error: unknown): void {
    const code = codeOf(error);
    this.say(`node ${machine.raftId} failed: ${code}`);
    const isDamage = DAMAGE.has(code) && (machine.rotten || machine.excused);
    // Raft itself sees some of what a disk lost behind its back, and stops.
    if (DISK_ERRORS.has(code) || isDamage || (code === 'DEAD' && machine.excused)) {
      this.tally.count(code === 'DEAD' ? 'stopped by raft' : 'stopped by disk');
      this.crash(machine, 'kill');
    } else if (this.#isRemoved(machine, code)) {
      this.retire(machine);
    } else {
      this.report(unexpected(`node ${machine.raftId} stopped`, error));
    }
  }
}

type Asked = Readonly<{ to: number; method: string; body: Uint8Array; timeoutMs: number }>;

export const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'UNEXPECTED';
