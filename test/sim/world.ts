/**
 * Everything of one seed: machines with their processes, the network between them, and the checkers that watch. Faults
 * (`nemesis.ts`), operators (`operator.ts`) and clients (`clients.ts`) act on it; `run.ts` lets time pass.
 */
import type { SnapshotPoint } from '@drawbridge/enclave-core/consensus/ports';
import type { ConfState, RaftMessage } from '@drawbridge/enclave-core/consensus/raft-types';
import { KeyRing } from '@drawbridge/enclave-core/keys/key-ring';
import { CommittedLog } from './checkers/committed-log.ts';
import { DurableLog } from './checkers/durable-log.ts';
import { LogMatching } from './checkers/log-matching.ts';
import { RealTimeOrder } from './checkers/real-time-order.ts';
import { Violation } from './checkers/violation.ts';
import { firstState } from './ledger-genesis.ts';
import { Machine } from './machine.ts';
import { ProcessGate } from './process-gate.ts';
import { Random } from './random.ts';
import type { Scenario } from './scenario.ts';
import { SimDisk } from './sim-disk.ts';
import { sealState } from './sim-machine.ts';
import { SimNetwork } from './sim-network.ts';
import { type EngineModule, type NodeObserver, type Plant, SimNode } from './sim-node.ts';
import { Tally } from './tally.ts';
import type { Trace } from './trace.ts';
import { VirtualClock } from './virtual-clock.ts';

export type WorldHost = Readonly<{
  engine: EngineModule;
  trace: Trace;
  /** The plant of a node, given its Raft id; none in a normal run. */
  plantFor: (world: World, machine: Machine) => Plant;
}>;

/** What a machine's operator has for it besides its own: swaps and additions need room. */
const SPARE_MACHINES = 2;
const SNAPSHOT_TIMEOUT_US = 200_000;
const SECRET: Uint8Array = Buffer.alloc(32, 7);
/** Errors that end a process and that a disk can cause by itself. */
const DISK_ERRORS: ReadonlySet<string> = new Set(['LOG_WRITE_FAILED', 'ENOSPC', 'EIO']);

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
  readonly #genesis: Readonly<{ voters: readonly number[]; content: Uint8Array }>;
  #nextRaftId = 1;

  constructor(scenario: Scenario, host: WorldHost) {
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
    const voters = Array.from({ length: nodes }, (_, at) => at + 1);
    const state = firstState();
    this.#genesis = { voters, content: sealState(new KeyRing({ secret: SECRET }), 1, state) };
    this.newestMembers = {
      index: 1,
      members: { voters, learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false },
    };
    this.ledger.begin(state);
  }

  /** Starts the first members. */
  begin(): void {
    for (const machine of this.machines.slice(0, this.scenario.nodes)) {
      machine.raftId = this.newRaftId();
      this.boot(machine);
    }
  }

  newRaftId(): number {
    return this.#nextRaftId++;
  }

  say(line: string): void {
    this.trace.add(`${this.clock.nowUs} ${line}`);
  }

  /** Runs a check or a part of the product that checks itself; what it throws ends the run. */
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
    if (machine.state === 'on' || machine.state === 'starting' || (machine.state === 'empty' && machine.raftId === 0))
      return;
    const { scenario, random, clock } = this;
    const { raftId, slot } = machine;
    const gate = new ProcessGate();
    machine.gate = gate;
    machine.state = 'starting';
    this.tally.count('start');
    this.say(`boot ${slot} as ${raftId}`);
    const { tickUs, segmentBytes, snapshotEvery, electionTicks, heartbeatTicks, cachedEntries } = scenario;
    const bootstrap = this.#genesis.voters.includes(raftId) ? this.#genesis : null;
    const started = SimNode.start(
      {
        raftId,
        bootstrap,
        tickUs,
        segmentBytes,
        snapshotEvery,
        replica: { electionTicks, heartbeatTicks, cachedEntries },
      },
      {
        engine: this.#host.engine,
        secret: SECRET,
        gate,
        disk: machine.disk.session(gate),
        random: random.fork(`process ${this.tally.get('start')}`),
        wallMs: () => machine.wallMs(clock.nowUs),
        nowUs: () => clock.nowUs,
        after: (delayUs, name, run) => clock.after(delayUs, `${name} ${slot}`, run),
        send: (messages) => this.#send(machine, gate, messages),
        sendSnapshot: (message, content) => this.#sendSnapshot(machine, gate, message, content),
        observer: this.#observer(machine, gate),
        plant: this.#host.plantFor(this, machine),
      },
    );
    started.then(
      (node) => this.#started(machine, gate, node),
      (error: unknown) => this.#startFailed(machine, gate, error),
    );
  }

  #started(machine: Machine, gate: ProcessGate, node: SimNode): void {
    if (!gate.alive) return;
    machine.node = node;
    machine.state = 'on';
    machine.members = node.members;
    this.say(`on ${machine.slot} as ${machine.raftId}, applied ${node.machine.index}`);
  }

  #startFailed(machine: Machine, gate: ProcessGate, error: unknown): void {
    if (!gate.alive) return;
    const code = codeOf(error);
    machine.endProcess('kill');
    this.say(`start of ${machine.slot} failed: ${code}`);
    if (code === 'LOG_DAMAGED' && (machine.rotten || (machine.excused && this.canLose(machine.raftId)))) {
      this.tally.count('damage found');
      machine.state = 'lost';
      this.gone.add(machine.raftId);
    } else if (DISK_ERRORS.has(code)) {
      this.tally.count('start failed by disk');
      this.#awaitBoot(machine);
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

  /** True when the group can go on without this node's memory, whatever was lost before. */
  canLose(raftId: number): boolean {
    const { voters, votersOutgoing } = this.newestMembers.members;
    const bad = new Set([
      ...this.gone,
      raftId,
      ...this.machines.filter((each) => each.rotten).map((each) => each.raftId),
    ]);
    return [voters, votersOutgoing].every(
      (ids) => ids.length === 0 || ids.filter((id) => !bad.has(id)).length >= Math.floor(ids.length / 2) + 1,
    );
  }

  #send(from: Machine, gate: ProcessGate, messages: readonly RaftMessage[]): void {
    if (!gate.alive) return;
    const sender = from.raftId;
    const byPeer = new Map<number, RaftMessage[]>();
    for (const message of messages) byPeer.set(message.to, [...(byPeer.get(message.to) ?? []), message]);
    for (const [to, all] of byPeer) {
      const groups = this.network.options.reorders ? all.map((message) => [message]) : [all];
      for (const group of groups) this.#carry(from, sender, to, group);
    }
  }

  #carry(from: Machine, sender: number, to: number, group: readonly RaftMessage[]): void {
    const peer = this.machineOf(to);
    if (!peer) return;
    const kinds = group.map(({ type }) => type).join('.');
    const bytes = group.map((message) => message.bytes);
    const onItsWay = this.network.carry(from.slot, peer.slot, `msg ${sender}>${to} ${kinds}`, () => {
      if (peer.raftId === to) peer.gate.enter(() => peer.running?.receive(sender, bytes));
    });
    if (!onItsWay && this.network.isCut(from.slot, peer.slot)) from.gate.enter(() => from.running?.unreachable(to));
  }

  #sendSnapshot(from: Machine, gate: ProcessGate, message: RaftMessage, content: Uint8Array): Promise<void> {
    const [sender, peer] = [from.raftId, this.machineOf(message.to)];
    return new Promise((resolve, reject) => {
      this.clock.after(SNAPSHOT_TIMEOUT_US, 'snapshot timeout', () =>
        gate.enter(() => reject(new Error('not delivered'))),
      );
      if (!peer || !gate.alive) return;
      this.network.carry(from.slot, peer.slot, `snapshot ${sender}>${message.to} at ${message.snapshotIndex}`, () => {
        peer.gate.enter(() => {
          if (peer.raftId !== message.to || !peer.running) return;
          this.tally.count('snapshot delivered');
          peer.running.receiveSnapshot(sender, message.bytes, content);
          gate.enter(resolve);
        });
      });
    });
  }

  #observer(machine: Machine, gate: ProcessGate): NodeObserver {
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
      role: ({ role, term }) =>
        watch(() => {
          this.say(`node ${id} is ${role} in term ${term}`);
          if (role === 'leader') this.logs.elected(id, term);
        }),
      members: (members, index) => watch(() => this.#membersOf(machine, members, index)),
      applied: (entries, state) =>
        watch(() => {
          this.ledger.applied(id, entries, state);
          const last = entries.at(-1)?.log;
          if (!last) return;
          this.logs.committed(last);
          this.say(`node ${id} applied ${last.index}`);
        }),
      restored: (at, state) => watch(() => this.#restored(id, at, state)),
      removed: () => watch(() => this.say(`node ${id} is removed`)),
      failed: (error) => {
        if (gate.alive) this.#failed(machine, error);
      },
    };
  }

  #restored(id: number, at: SnapshotPoint, state: Parameters<CommittedLog['wholeState']>[2]): void {
    this.say(`node ${id} restored ${at.index}`);
    if (at.index > this.ledger.newest) {
      throw new Violation(
        'same-entry-applied',
        `node ${id} has a snapshot at ${at.index}, and nobody applied that far`,
      );
    }
    this.ledger.state(id, at.index, state);
    this.ledger.wholeState(id, at.index, state);
  }

  #membersOf(machine: Machine, members: ConfState, index: number): void {
    machine.members = members;
    if (index <= this.newestMembers.index) return;
    this.newestMembers = { index, members };
    this.say(`members as of ${index}: ${membersText(members)}`);
  }

  /** A replica stopped for good. */
  #failed(machine: Machine, error: unknown): void {
    const code = codeOf(error);
    this.say(`node ${machine.raftId} failed: ${code}`);
    const isDamage = code === 'LOG_DAMAGED' && (machine.rotten || machine.excused);
    // Raft itself sees some of what a disk lost behind its back, and stops.
    if (DISK_ERRORS.has(code) || isDamage || (code === 'DEAD' && machine.excused)) {
      this.tally.count(code === 'DEAD' ? 'stopped by raft' : 'stopped by disk');
      this.crash(machine, 'kill');
    } else {
      this.report(unexpected(`node ${machine.raftId} stopped`, error));
    }
  }
}

const membersText = ({ voters, learners, votersOutgoing }: ConfState): string =>
  `voters ${voters} learners ${learners} outgoing ${votersOutgoing}`;

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'UNEXPECTED';

function unexpected(what: string, error: unknown): Violation {
  return new Violation('node-health', `${what}: ${describe(error)}`, { cause: error });
}

/** With its causes. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `; because of ${describe(error.cause)}`;
  return `${error.name}: ${error.message}${cause}`;
}
