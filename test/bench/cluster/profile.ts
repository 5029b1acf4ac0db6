/**
 * Where the time of a node's thread goes: three nodes under load with the profiler on, samples of the loaded time alone, grouped by
 * stage, for the leader and one follower.
 *
 *     node scripts/run-source.mjs test/bench/cluster/profile.ts batched|single [SECONDS] [DIR] [--no-build]
 *
 * DIR keeps the profiles, for Chrome's tools. Prints percent of the thread's busy time, and µs a payment.
 */
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClusterLoad } from './cluster-load.ts';
import { buildCore, type CoreNode, CoreNodes } from './core-nodes.ts';
import { type CpuProfile, NOT_BUSY, type StageTimes, stageTimes, topOf } from './profile-stages.ts';

const LOADS = { batched: { batch: 100, atOnce: 64 }, single: { batch: 1, atOnce: 64 } } as const;
const WARM_UP_MS = 8_000;
const SECONDS = 10;
const TOP = 14;
const SAMPLE_EVERY_MICROS = '500';

const NO_BUILD = '--no-build';
const [kind = 'batched', seconds = SECONDS, kept] = process.argv.slice(2).filter((text) => text !== NO_BUILD);
const chosen = kind === 'single' ? LOADS.single : LOADS.batched;
const folder = kept ?? (await mkdtemp(join(tmpdir(), 'drawbridge-profile-')));

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** Monotonic, as the profiler's clock is, in µs. */
const nowMicros = (): number => Number(process.hrtime.bigint() / 1_000n);

async function profileIn(dir: string): Promise<CpuProfile> {
  const name = (await readdir(dir)).find((file) => file.endsWith('.cpuprofile'));
  if (name === undefined) throw new Error(`${dir} has no profile`);
  return JSON.parse(await readFile(join(dir, name), 'utf8')) as CpuProfile;
}

function report(title: string, { stages, functions }: StageTimes, payments: number): void {
  const busy = [...stages].reduce((sum, [name, micros]) => (NOT_BUSY.has(name) ? sum : sum + micros), 0);
  print(`\n${title}: ${(busy / payments).toFixed(1)} µs a payment on its thread`);
  for (const [name, micros] of topOf(stages)) {
    if (NOT_BUSY.has(name)) continue;
    const share = ((100 * micros) / busy).toFixed(1);
    print(`  ${share.padStart(5)} %  ${(micros / payments).toFixed(2).padStart(7)} µs  ${name}`);
  }
  print('  functions:');
  for (const [name, micros] of topOf(functions).slice(0, TOP)) {
    print(`  ${((100 * micros) / busy).toFixed(1).padStart(5)} %  ${name}`);
  }
}

if (!process.argv.includes(NO_BUILD)) await buildCore();
const dirOf = (n: number): string => join(folder, `core-${n + 1}`);
const flagsOf = (n: number): string[] => [
  '--cpu-prof',
  `--cpu-prof-interval=${SAMPLE_EVERY_MICROS}`,
  `--cpu-prof-dir=${dirOf(n)}`,
];
for (let n = 0; n < 3; n += 1) await mkdir(dirOf(n), { recursive: true });
const nodes = await CoreNodes.start(3, { flagsOf });
const load = new ClusterLoad(nodes);
let leader: CoreNode;
let [from, to, done] = [0, 0, 0];
try {
  leader = await nodes.leader();
  await load.closedLoop({ ...chosen, forMs: WARM_UP_MS });
  from = nowMicros();
  done = (await load.closedLoop({ ...chosen, forMs: Number(seconds) * 1_000 })).done;
  to = nowMicros();
} finally {
  await load.close();
  await nodes.stop();
}
print(`${kind}: ${Math.round((done * 1e6) / (to - from))} payments/s, load average ${loadavg()[0]?.toFixed(1)}`);
const follower = nodes.nodes.findIndex((node) => node !== leader);
for (const [title, n] of [
  ['leader', nodes.nodes.indexOf(leader)],
  ['follower', follower],
] as const) {
  report(title, stageTimes(await profileIn(dirOf(n)), from, to), done);
}
if (kept === undefined) await rm(folder, { recursive: true, force: true });
