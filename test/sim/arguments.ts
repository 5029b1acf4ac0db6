/** The command line of `npm run sim`. */
import { parseArgs } from 'node:util';
import { isPlant, PLANTS, type PlantName } from './plants.ts';

export const USAGE = `npm run sim -- --seed N [--steps M]     one seed, again
npm run sim -- --minutes M              as many seeds as fit, from --seed N on or from anywhere
  --steps M          events of a seed before it may recover (default 4000)
  --jobs N           processes that share the seeds (default: one for each core)
  --platform P       virtual or protected, instead of what the seed says
  --assembly A       replica (consensus, log, settlement) or core (whole nodes), instead of what the seed says
  --plant NAME       with a planted bug: ${Object.keys(PLANTS).join(', ')}
  --known TEXT       do not stop at what says this; count it (may be repeated)
  --trace            every event on stdout (with --seed)`;

const DEFAULT_STEPS = 4000;

export type Arguments = Readonly<{
  seed: number | undefined;
  minutes: number | undefined;
  steps: number;
  jobs: number | undefined;
  plant: PlantName | undefined;
  platform: 'virtual' | 'protected' | undefined;
  assembly: 'replica' | 'core' | undefined;
  known: readonly string[];
  trace: boolean;
}>;

export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'SIM_USAGE' as const;
}

/** @throws UsageError */
export function readArguments(args: readonly string[]): Arguments {
  const values = parse(args);
  const { plant, platform, assembly } = values;
  if (values.help) throw new UsageError('Simulates whole clusters under faults.');
  if (plant !== undefined && !isPlant(plant)) throw new UsageError(`unknown plant ${plant}`);
  if (platform !== undefined && platform !== 'virtual' && platform !== 'protected') {
    throw new UsageError('--platform must be virtual or protected');
  }
  if (assembly !== undefined && assembly !== 'replica' && assembly !== 'core') {
    throw new UsageError('--assembly must be replica or core');
  }
  return {
    seed: wholeOf('seed', values.seed),
    minutes: numberOf('minutes', values.minutes),
    steps: wholeOf('steps', values.steps) ?? DEFAULT_STEPS,
    jobs: wholeOf('jobs', values.jobs),
    plant,
    platform,
    assembly,
    known: values.known,
    trace: values.trace,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        seed: { type: 'string' },
        steps: { type: 'string' },
        minutes: { type: 'string' },
        jobs: { type: 'string' },
        plant: { type: 'string' },
        platform: { type: 'string' },
        assembly: { type: 'string' },
        known: { type: 'string', multiple: true, default: [] },
        trace: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
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

/** How to see one seed again. */
export function commandOf(seed: number, { steps, plant, platform, assembly }: Arguments): string {
  const parts = [`npm run sim -- --seed ${seed} --steps ${steps}`];
  if (plant) parts.push(`--plant ${plant}`);
  if (platform) parts.push(`--platform ${platform}`);
  if (assembly) parts.push(`--assembly ${assembly}`);
  return parts.join(' ');
}
