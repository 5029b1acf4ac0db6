/**
 * `npm run sim`: whole worlds of simulated machines, one for each seed. `--seed N` replays one; `--minutes M` runs as many
 * as fit, shared by as many processes as there are cores. Exit code 1: something was violated, and the report says how to
 * see it again.
 */
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { loadRaftModule } from '@drawbridge/enclave-core/consensus/raft-engine';
import { type Arguments, commandOf, readArguments, USAGE, UsageError } from './arguments.ts';
import { plantedBug } from './plants.ts';
import { type SeedReport, Summary, seedReport } from './report.ts';
import { runScenario } from './run.ts';
import { type ScenarioChanges, scenarioOf } from './scenario.ts';
import type { EngineModule } from './sim-process.ts';
import { Trace } from './trace.ts';

const KEPT_EVENTS = 60;
/** Set in processes that are given their seeds by another one. */
const WORKER = 'DRAWBRIDGE_SIM_WORKER';
const PROGRESS_EVERY_MS = 60_000;

async function runSeed(seed: number, args: Arguments, engine: EngineModule): Promise<SeedReport> {
  const bug = args.plant ? plantedBug(args.plant) : undefined;
  const { platform, assembly } = args;
  const changes: ScenarioChanges = { ...bug?.scenario, ...(platform && { platform }), ...(assembly && { assembly }) };
  const trace = new Trace(KEPT_EVENTS, args.trace ? (line) => process.stdout.write(`${line}\n`) : undefined);
  const before = process.cpuUsage();
  const result = await runScenario(scenarioOf(seed, changes), args.steps, {
    engine,
    trace,
    plantFor: (world, machine) => bug?.plantFor(world, machine) ?? {},
  });
  const { user, system } = process.cpuUsage(before);
  return seedReport(result, { commit, command: commandOf(seed, args), cpuMs: (user + system) / 1000 });
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

/** One seed in this process. */
async function replay(seed: number, args: Arguments): Promise<number> {
  const summary = new Summary();
  const report = await runSeed(seed, args, await loadRaftModule());
  summary.add(report);
  process.stdout.write(`${report.failure ?? ''}${summary.text()}`);
  return report.failure === undefined ? 0 : 1;
}

/** Runs the seeds that it is sent, one at a time, and sends back what became of each. */
async function work(args: Arguments): Promise<void> {
  const engine = await loadRaftModule();
  process.on('message', (seed: number) => {
    runSeed(seed, args, engine).then(
      (report) => process.send?.(report),
      (error: unknown) => {
        throw error;
      },
    );
  });
  process.send?.('ready');
}

/** Gives seeds to workers until the time is over or one of them finds something. */
function explore(first: number, untilMs: number, args: Arguments): Promise<number> {
  const summary = new Summary();
  const workers = new Set<ChildProcess>();
  let next = first;
  let exitCode = 0;
  const progress = setInterval(() => process.stderr.write(`${summary.seeds} seeds\n`), PROGRESS_EVERY_MS);
  return new Promise((resolve) => {
    const finish = (): void => {
      clearInterval(progress);
      process.stdout.write(summary.text());
      resolve(exitCode);
    };
    const take = (worker: ChildProcess, message: SeedReport | 'ready'): void => {
      if (message !== 'ready') {
        summary.add(message);
        const { failure, seed } = message;
        const isKnown = failure !== undefined && args.known.some((text) => failure.includes(text));
        if (isKnown) process.stderr.write(`seed ${seed}: known\n`);
        else if (failure !== undefined && exitCode === 0) {
          process.stdout.write(failure);
          exitCode = 1;
        }
      }
      if (exitCode === 0 && Date.now() < untilMs) worker.send(next++);
      else worker.disconnect();
    };
    for (let at = 0; at < Math.max(1, args.jobs ?? availableParallelism()); at++) {
      const worker = fork(fileURLToPath(import.meta.url), process.argv.slice(2), {
        env: { ...process.env, [WORKER]: '1' },
      });
      workers.add(worker);
      worker.on('message', (message: SeedReport | 'ready') => take(worker, message));
      worker.on('exit', (code, signal) => {
        if (code !== 0) {
          process.stderr.write(`a worker ended with ${code ?? signal}\n`);
          exitCode = 1;
        }
        workers.delete(worker);
        if (workers.size === 0) finish();
      });
    }
  });
}

async function main(args: Arguments): Promise<number> {
  if (process.env[WORKER] !== undefined) {
    await work(args);
    return 0;
  }
  if (args.minutes === undefined) return replay(args.seed ?? 1, args);
  const now = Date.now();
  return explore(args.seed ?? Math.floor(now / 1000) * 1000, now + args.minutes * 60_000, args);
}

try {
  process.exitCode = await main(readArguments(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n\n${USAGE}\n`);
  process.exitCode = 2;
}
