import { loadRaftModule } from '@drawbridge/enclave-core/consensus/raft-engine';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { CheckerName } from './checkers/violation.ts';
import { PLANTS, type PlantName, plantedBug } from './plants.ts';
import { type RunResult, runScenario } from './run.ts';
import { type ScenarioChanges, scenarioOf } from './scenario.ts';
import type { EngineModule } from './sim-process.ts';
import { Trace } from './trace.ts';

/** Generous, because the machine may be busy; no time passes in these worlds but their own. */
jest.setTimeout(240_000);

const STEPS = 4_000;

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

/** Seed and checker, as in the README. */
const FOUND: Readonly<Record<PlantName, readonly [seed: number, checker: CheckerName]>> = {
  'vote-twice': [9, 'one-leader-per-term'],
  'ack-before-fsync': [9, 'leader-completeness'],
  'apply-out-of-order': [4, 'equal-state'],
  'double-credit': [3, 'settlement-invariants'],
  'stale-read': [1, 'real-time-order'],
  'old-id-after-rollback': [4, 'one-leader-per-term'],
};

describe('planted bugs', () => {
  test.each(Object.keys(PLANTS) as PlantName[])('%s is found', async (plant) => {
    const [seed, checker] = FOUND[plant];
    const { violation } = await run(seed, STEPS, { plant });
    expect(violation?.checker).toBe(checker);
  });

  test('where a node that lost its memory joins anew, disks that are rolled back harm nobody', async () => {
    const plant = 'old-id-after-rollback';
    const { violation, tally } = await run(FOUND[plant][0], STEPS, { plant, changes: { platform: 'protected' } });
    expect(violation).toBeUndefined();
    expect(tally.get('fault rollback')).toBeGreaterThan(0);
  });
});

describe('what simulation found', () => {
  test.each([
    [304, 'a node that caught up by a snapshot starts again before it has the evidence for it', 'core'],
    [5_000_016, 'a snapshot that a member is sent does not wait for a signature that waits for the member', 'core'],
    [5_000_394, 'a seal that only the page cache had is written again', 'core'],
    [9, 'nobody leads a term before its own vote in it is durable', 'replica'],
  ] as const)('seed %i: %s', async (seed, _what, assembly) => {
    const { violation } = await run(seed, STEPS, { changes: { assembly } });
    expect(violation).toBeUndefined();
  });
});
