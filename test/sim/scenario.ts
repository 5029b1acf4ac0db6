/**
 * What a seed stands for: the size of the group, its clocks, network and disks, and which faults come how often. Every
 * seed switches some faults off altogether, because a fault that is always there hides what only shows without it.
 */

import { Random } from './random.ts';
import type { NetworkOptions } from './sim-network.ts';

/** `protected`: a node that lost its memory never comes back under its Raft id. `virtual`: it restarts in place. */
export type Platform = 'virtual' | 'protected';

export const FAULTS = [
  'kill',
  'power-loss',
  'power-loss-all',
  'pause',
  'partition',
  'isolate-leader',
  'one-way-cut',
  'network-storm',
  'slow-disk',
  'disk-full',
  'disk-error',
  'bit-rot',
  'rollback',
  'clock-step',
  'transfer-leadership',
  'swap-member',
  'add-member',
  'remove-member',
] as const;
export type Fault = (typeof FAULTS)[number];

/** `replica`: consensus, log and settlement alone. `core`: whole nodes. */
export type Assembly = 'replica' | 'core';

export type Scenario = Readonly<{
  seed: number;
  assembly: Assembly;
  nodes: 3 | 5;
  platform: Platform;
  tickUs: number;
  electionTicks: number;
  heartbeatTicks: number;
  network: NetworkOptions;
  writeUs: number;
  syncUs: number;
  segmentBytes: number;
  snapshotEvery: number;
  cachedEntries: number;
  clients: number;
  thinkUs: number;
  /** Mean time between two faults. */
  faultEveryUs: number;
  /** Mean time a crashed node is away. */
  restartUs: number;
  /** Greatest difference of a node's clock from the world's at the start, ms. */
  skewMs: number;
  /** Relative weight of each fault; 0: never. */
  /** That a leader proposes before the first is applied; of a whole core. */
  entriesInFlight: number;
  faults: Readonly<Record<Fault, number>>;
}>;

export type ScenarioChanges = Partial<Omit<Scenario, 'seed' | 'faults'>> &
  Readonly<{ faults?: Partial<Record<Fault, number>> }>;

const MS = 1000;
/** Snapshots are small here, and what was lost on its way is to be sent again soon. */
export const SNAPSHOT_TICKS = { snapshotRetryTicks: 10, snapshotInstallTicks: 40 } as const;

/** Weight when a seed has the fault at all. */
const WEIGHTS: Readonly<Record<Fault, number>> = {
  kill: 4,
  'power-loss': 4,
  'power-loss-all': 1,
  pause: 2,
  partition: 4,
  'isolate-leader': 3,
  'one-way-cut': 3,
  'network-storm': 2,
  'slow-disk': 2,
  'disk-full': 1,
  'disk-error': 1,
  'bit-rot': 2,
  rollback: 4,
  'clock-step': 1,
  'transfer-leadership': 3,
  'swap-member': 2,
  'add-member': 1,
  'remove-member': 1,
};

export function scenarioOf(seed: number, changes: ScenarioChanges = {}): Scenario {
  const random = new Random(`scenario ${seed}`);
  const { faults: faultChanges, ...rest } = changes;
  const base: Scenario = {
    seed,
    assembly: random.chance(0.5) ? 'replica' : 'core',
    nodes: random.chance(0.65) ? 3 : 5,
    platform: random.chance(0.6) ? 'virtual' : 'protected',
    tickUs: random.pick([20, 50, 50, 100]) * MS,
    electionTicks: random.pick([5, 10, 10, 20]),
    heartbeatTicks: random.pick([1, 1, 2]),
    network: networkOf(random),
    writeUs: random.pick([100, 500, 3000]),
    syncUs: random.pick([200, 1000, 10_000]),
    segmentBytes: random.pick([4, 8, 32]) * 1024,
    snapshotEvery: random.pick([10, 25, 60, 1000]),
    cachedEntries: random.pick([1, 5, 30]),
    clients: random.between(2, 5),
    thinkUs: random.pick([5, 30, 200]) * MS,
    faultEveryUs: random.pick([300, 1000, 3000]) * MS,
    restartUs: random.pick([100, 1000, 4000]) * MS,
    skewMs: random.pick([0, 50, 5000]),
    entriesInFlight: random.fork('entries in flight').pick([1, 1, 4, 64]),
    faults: faultsOf(random),
  };
  const made = { ...base, ...rest, faults: { ...base.faults, ...faultChanges } };
  // On `virtual` nothing notices a disk that was rolled back; on `protected` a loss of all is a loss of the service.
  const impossible: Fault[] = made.platform === 'virtual' ? ['rollback'] : ['power-loss-all'];
  const faults = { ...made.faults };
  for (const fault of impossible) faults[fault] = faultChanges?.[fault] ?? 0;
  return { ...made, faults };
}

function networkOf(random: Random): NetworkOptions {
  return {
    delayUs: random.pick([100, 1000, 10_000, 40_000]),
    drop: random.pick([0, 0, 0.01, 0.1]),
    duplicate: random.pick([0, 0, 0.02, 0.2]),
    late: random.pick([0, 0, 0.002, 0.02]),
    reorders: random.chance(0.5),
  };
}

function faultsOf(random: Random): Record<Fault, number> {
  const share = random.pick([0.25, 0.5, 0.8]);
  const chosen = FAULTS.map((fault) => [fault, random.chance(share) ? WEIGHTS[fault] : 0] as const);
  return Object.fromEntries(chosen) as Record<Fault, number>;
}
