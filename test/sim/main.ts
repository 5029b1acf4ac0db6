/**
 * `npm run sim`: whole worlds of simulated machines, one for each seed. `--seed N` replays one; `--minutes M` runs as many
 * as fit. Exit code 1: something was violated, with a report of how to see it again.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { loadRaftModule } from '@drawbridge/enclave-core/consensus/raft-engine';
import { isPlant, PLANTS, type PlantName, plantedBug } from './plants.ts';
import { failureReport, Summary } from './report.ts';
import { type RunResult, runScenario } from './run.ts';
import { type ScenarioChanges, scenarioOf } from './scenario.ts';
import type { EngineModule } from './sim-node.ts';
import { Trace } from './trace.ts';

const USAGE = `npm run sim -- --seed N [--steps M]     one seed, again
npm run sim -- --minutes M              as many seeds as fit, from --seed N on or from anywhere
  --steps M          events of a seed before it may recover (default 4000)
  --platform P       virtual or protected, instead of what the seed says
  --plant NAME       with a planted bug: ${Object.keys(PLANTS).join(', ')}
  --trace            every event on stdout`;

const DEFAULT_STEPS = 4000;
const KEPT_EVENTS = 60;

type Arguments = Readonly<{
  seed: number | undefined;
  minutes: number | undefined;
  steps: number;
  plant: PlantName | undefined;
  platform: 'virtual' | 'protected' | undefined;
  trace: boolean;
}>;

class UsageError extends Error {}

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      steps: { type: 'string' },
      minutes: { type: 'string' },
      plant: { type: 'string' },
      platform: { type: 'string' },
      trace: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) throw new UsageError('');
  const { plant, platform } = values;
  if (plant !== undefined && !isPlant(plant)) throw new UsageError(`unknown plant ${plant}`);
  if (platform !== undefined && platform !== 'virtual' && platform !== 'protected') {
    throw new UsageError('--platform must be virtual or protected');
  }
  return {
    seed: wholeOf('seed', values.seed),
    minutes: numberOf('minutes', values.minutes),
    steps: wholeOf('steps', values.steps) ?? DEFAULT_STEPS,
    plant,
    platform,
    trace: values.trace,
  };
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new UsageError(`--${name} must be a number`);
  return value;
}

function wholeOf(name: string, text: string | undefined): number | undefined {
  const value = numberOf(name, text);
  if (value !== undefined && !Number.isSafeInteger(value)) throw new UsageError(`--${name} must be a whole number`);
  return value;
}

async function runSeed(seed: number, args: Arguments, engine: EngineModule): Promise<RunResult> {
  const bug = args.plant ? plantedBug(args.plant) : undefined;
  const changes: ScenarioChanges = { ...bug?.scenario, ...(args.platform && { platform: args.platform }) };
  const trace = new Trace(KEPT_EVENTS, args.trace ? (line) => process.stdout.write(`${line}\n`) : undefined);
  return runScenario(scenarioOf(seed, changes), args.steps, {
    engine,
    trace,
    plantFor: (world, machine) => bug?.plantFor(world, machine) ?? {},
  });
}

function commit(): string {
  try {
    const head = execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { encoding: 'utf8' }).trim();
    const isClean = execFileSync('git', ['status', '--porcelain'], { encoding: 'utf8' }).trim() === '';
    return isClean ? head : `${head} with local changes`;
  } catch {
    return 'unknown (no git)';
  }
}

async function main(args: Arguments): Promise<number> {
  const engine = await loadRaftModule();
  const summary = new Summary();
  const untilMs = Date.now() + (args.minutes ?? 0) * 60_000;
  let seed = args.seed ?? (args.minutes === undefined ? 1 : Math.floor(Date.now() / 1000) * 1000);
  for (;;) {
    const result = await runSeed(seed, args, engine);
    summary.add(result);
    if (result.violation) {
      process.stdout.write(failureReport(result, { commit: commit(), command: commandOf(seed, args) }));
      process.stdout.write(summary.text());
      return 1;
    }
    if (args.minutes === undefined || Date.now() >= untilMs) break;
    seed += 1;
  }
  process.stdout.write(summary.text());
  return 0;
}

function commandOf(seed: number, { steps, plant, platform }: Arguments): string {
  const parts = [`npm run sim -- --seed ${seed} --steps ${steps}`];
  if (plant) parts.push(`--plant ${plant}`);
  if (platform) parts.push(`--platform ${platform}`);
  return parts.join(' ');
}

try {
  process.exitCode = await main(readArguments());
} catch (error) {
  const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error);
  if (!isUsage) throw error;
  process.stderr.write(`${error.message}\n\n${USAGE}\n`);
  process.exitCode = 2;
}
