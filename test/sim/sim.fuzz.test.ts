import { loadRaftModule } from '@drawbridge/enclave-core/consensus/raft-engine';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { PLANTS, type PlantName, plantedBug } from './plants.ts';
import { type RunResult, runScenario } from './run.ts';
import { type ScenarioChanges, scenarioOf } from './scenario.ts';
import type { EngineModule } from './sim-process.ts';
import { Trace } from './trace.ts';

/** Generous, because the machine may be busy; no time passes in these worlds but their own. */
jest.setTimeout(240_000);

let engine: EngineModule;
beforeAll(async () => {
  engine = await loadRaftModule();
});

function run(
  seed: number,
  steps: number,
  about: Readonly<{ plant?: PlantName; changes?: ScenarioChanges }> = {},
): Promise<RunResult> {
  const bug = about.plant && plantedBug(about.plant);
  const scenario = scenarioOf(seed, { ...bug?.scenario, ...about.changes });
  const plantFor = bug?.plantFor ?? (() => ({}));
  return runScenario(scenario, steps, { engine, trace: new Trace(50), plantFor });
}

describe('simulation', () => {
  test.each([11, 12, 13])('seed %i: nothing is violated, and a second run is the same in every event', async (seed) => {
    const first = await run(seed, 1_000);
    expect(first.violation).toBeUndefined();
    expect(first.entries).toBeGreaterThan(10);
    const second = await run(seed, 1_000);
    expect(second.trace.digest()).toBe(first.trace.digest());
  });

  test('another seed is another world', async () => {
    const [one, other] = [await run(11, 200), await run(14, 200)];
    expect(other.trace.digest()).not.toBe(one.trace.digest());
  });
});

describe('planted bugs', () => {
  /** Seeds from the table in the README. */
  const SEEDS: Readonly<Record<PlantName, number>> = {
    'vote-twice': 7,
    'ack-before-fsync': 1,
    'apply-out-of-order': 2,
    'double-credit': 1,
    'stale-read': 1,
    'old-id-after-rollback': 2,
  };

  test.each(Object.keys(PLANTS) as PlantName[])('%s is found', async (plant) => {
    const { violation } = await run(SEEDS[plant], 4_000, { plant });
    expect(violation).toBeDefined();
  });

  test('where memory is protected, the disks that are rolled back harm nobody', async () => {
    const { violation, tally } = await run(SEEDS['old-id-after-rollback'], 4_000, {
      plant: 'old-id-after-rollback',
      changes: { platform: 'protected' },
    });
    expect(violation).toBeUndefined();
    expect(tally.get('fault rollback')).toBeGreaterThan(0);
  });
});
