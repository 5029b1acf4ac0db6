/** Does what goes wrong: picks a fault now and then, does it, and undoes what does not end by itself. */
import type { Machine } from './machine.ts';
import type { Operator } from './operator.ts';
import type { Random } from './random.ts';
import { FAULTS, type Fault } from './scenario.ts';
import type { World } from './world.ts';

const SECOND_US = 1_000_000;
/** Voters that a group never goes below or above by changes made for their own sake. */
const MIN_VOTERS = 3;
const MAX_VOTERS = 5;

export class Nemesis {
  readonly #world: World;
  readonly #operator: Operator;
  readonly #random: Random;
  #ended = false;

  constructor(world: World, operator: Operator) {
    this.#world = world;
    this.#operator = operator;
    this.#random = world.random.fork('nemesis');
  }

  begin(): void {
    const { clock, scenario } = this.#world;
    clock.after(this.#random.exponential(scenario.faultEveryUs), 'nemesis', () => {
      if (this.#ended) return;
      this.#world.guard(() => this.#strike());
      this.begin();
    });
  }

  /** Nothing more goes wrong, and everything is put right. */
  end(): void {
    const { network, machines } = this.#world;
    this.#ended = true;
    network.heal();
    Object.assign(network.options, { ...this.#world.scenario.network, drop: 0, late: 0 });
    for (const machine of machines) {
      machine.gate.resume();
      Object.assign(machine.disk, { full: false, slowness: 1, failures: 0, ambush: undefined });
      if (machine.state === 'off') this.#world.boot(machine);
    }
  }

  #strike(): void {
    const { faults } = this.#world.scenario;
    const weights = FAULTS.map((fault) => faults[fault]);
    let left = this.#random.fraction() * weights.reduce((sum, weight) => sum + weight, 0);
    const chosen = FAULTS.find((_, at) => {
      left -= weights[at] ?? 0;
      return left < 0;
    });
    if (chosen && this.#do(chosen)) {
      this.#world.tally.count(`fault ${chosen}`);
      this.#world.say(`fault ${chosen}`);
    }
  }

  /** False: it is not possible now. */
  #do(fault: Fault): boolean {
    switch (fault) {
      case 'kill':
        return this.#crash('kill');
      case 'power-loss':
        return this.#crash('power');
      case 'power-loss-all':
        return this.#any((machine) => this.#strikeDuringWrite(machine, () => this.#losePowerEverywhere()));
      case 'pause':
        return this.#pause();
      case 'partition':
      case 'isolate-leader':
      case 'one-way-cut':
        return this.#cut(fault);
      case 'network-storm':
        return this.#storm();
      case 'slow-disk':
      case 'disk-full':
      case 'disk-error':
        return this.#disk(fault);
      case 'bit-rot':
        return this.#rot();
      case 'rollback':
        return this.#rollBack();
      case 'clock-step':
        return this.#any((machine) => {
          machine.skewMs += this.#random.between(-5000, 5000);
          return true;
        });
      case 'transfer-leadership':
        return this.#transfer();
      case 'swap-member':
      case 'add-member':
      case 'remove-member':
        return this.#members(fault);
    }
  }

  #any(act: (machine: Machine) => boolean): boolean {
    const running = this.#world.machines.filter((machine) => machine.running);
    return running.length > 0 && act(this.#random.pick(running));
  }

  #crash(how: 'kill' | 'power'): boolean {
    const up = this.#world.machines.filter(({ state }) => state === 'on' || state === 'starting');
    if (up.length === 0) return false;
    const victim = this.#random.pick(up);
    const isVoter = this.#world.newestMembers.members.voters.includes(victim.raftId);
    const mustRemember = this.#world.scenario.platform === 'protected';
    const strike = (): void => {
      if (!mustRemember || this.#mayForget(victim)) this.#world.crash(victim, how);
    };
    if (mustRemember && isVoter && !this.#mayForget(victim)) return false;
    return this.#strikeDuringWrite(victim, strike);
  }

  /** Half of the time at once, else in the middle of the next write to the disk, where there is most to lose. */
  #strikeDuringWrite(machine: Machine, strike: () => void): boolean {
    if (this.#random.chance(0.5)) {
      strike();
      return true;
    }
    const { gate } = machine;
    machine.disk.ambush = (durationUs) => {
      this.#world.clock.after(durationUs * this.#random.fraction(), 'ambush', () => {
        if (gate.alive && !this.#ended) strike();
      });
    };
    return true;
  }

  #losePowerEverywhere(): void {
    for (const machine of this.#world.machines) this.#world.crash(machine, 'power');
  }

  /** Its memory may be lost: the group goes on without it. */
  #mayForget(machine: Machine): boolean {
    return !this.#operator.busy && this.#world.canLose(machine.raftId);
  }

  #pause(): boolean {
    return this.#any((machine) => {
      const { gate } = machine;
      gate.pause();
      const { tickUs, electionTicks } = this.#world.scenario;
      const forUs = this.#random.exponential(2 * tickUs * electionTicks);
      this.#world.clock.after(forUs, `resume ${machine.slot}`, () => gate.resume());
      return true;
    });
  }

  #cut(kind: 'partition' | 'isolate-leader' | 'one-way-cut'): boolean {
    const { network, machines, clock } = this.#world;
    const slots = this.#random.shuffled(machines.filter(({ state }) => state !== 'empty').map(({ slot }) => slot));
    if (slots.length < 2) return false;
    if (kind === 'one-way-cut') {
      const [from, ...others] = slots;
      const to = others.slice(0, this.#random.between(1, others.length));
      for (const other of to) {
        if (this.#random.chance(0.5)) network.cutOneWay(from ?? 0, other);
        else network.cutOneWay(other, from ?? 0);
      }
    } else if (kind === 'partition') {
      const at = this.#random.between(1, slots.length - 1);
      network.partition([slots.slice(0, at), slots.slice(at)]);
    } else {
      const leader = this.#world.leader();
      if (!leader) return false;
      network.partition([[leader.slot], slots.filter((slot) => slot !== leader.slot)]);
    }
    clock.after(this.#random.exponential(4 * SECOND_US), 'heal', () => network.heal());
    return true;
  }

  #storm(): boolean {
    const { network, clock, scenario } = this.#world;
    const { options } = network;
    Object.assign(options, { drop: 0.3, duplicate: 0.2, late: 0.05, reorders: true });
    clock.after(this.#random.exponential(2 * SECOND_US), 'storm ends', () => {
      const { drop, late } = this.#ended ? { drop: 0, late: 0 } : scenario.network;
      Object.assign(options, { ...scenario.network, drop, late });
    });
    return true;
  }

  #disk(kind: 'slow-disk' | 'disk-full' | 'disk-error'): boolean {
    const { clock, scenario } = this.#world;
    return this.#any((machine) => {
      const { disk } = machine;
      // A write that fails ends the process.
      if (kind !== 'slow-disk' && scenario.platform === 'protected' && !this.#mayForget(machine)) return false;
      if (kind === 'disk-error') {
        disk.failures = 1;
        return true;
      }
      if (kind === 'slow-disk') disk.slowness = this.#random.pick([10, 100, 1000]);
      else disk.full = true;
      clock.after(this.#random.exponential(3 * SECOND_US), 'disk is well', () => {
        disk.slowness = 1;
        disk.full = false;
      });
      return true;
    });
  }

  #rot(): boolean {
    return this.#any((machine) => {
      if (machine.rotten || !this.#mayForget(machine)) return false;
      const where = machine.disk.rot();
      if (where === null) return false;
      machine.rotten = true;
      this.#world.say(`rot on ${machine.slot}: ${where}`);
      // It shows when it is read.
      if (this.#random.chance(0.7)) this.#world.crash(machine, 'kill');
      return true;
    });
  }

  /** The first time the host copies all disks; later it puts a copy back, while the process is down. */
  #rollBack(): boolean {
    const { machines, scenario } = this.#world;
    const copied = machines.filter(({ image, raftId, running }) => running && image?.raftId === raftId);
    if (copied.length === 0 || this.#random.chance(0.2)) {
      for (const machine of machines) machine.image = { raftId: machine.raftId, content: machine.disk.image() };
      return false;
    }
    const machine = this.#random.pick(copied);
    if (scenario.platform === 'protected' && !this.#mayForget(machine)) return false;
    const { image } = machine;
    machine.excused = true;
    this.#world.say(`roll back ${machine.slot}`);
    this.#world.crash(machine, 'power');
    if (image) machine.disk.rollBack(image.content);
    return true;
  }

  #transfer(): boolean {
    const leader = this.#world.leader();
    const voters = leader?.process?.members.voters.filter((id) => id !== leader.raftId) ?? [];
    if (!leader?.process || voters.length === 0) return false;
    const { tally } = this.#world;
    const done = (ok: boolean): void => tally.count(ok ? 'leadership transferred' : 'leadership not transferred');
    leader.process.transferLeadership(this.#random.pick(voters)).then(done, () => done(false));
    return true;
  }

  #members(kind: 'swap-member' | 'add-member' | 'remove-member'): boolean {
    const { voters } = this.#world.newestMembers.members;
    if (this.#operator.busy) return false;
    if (kind === 'add-member') return voters.length < MAX_VOTERS && this.#operator.grow();
    const victim = this.#world.machineOf(this.#random.pick(voters));
    if (!victim) return false;
    if (kind === 'swap-member') return this.#operator.swap(victim);
    if (voters.length <= MIN_VOTERS || !this.#world.canLose(victim.raftId)) return false;
    this.#operator.shrink(victim);
    return true;
  }
}
