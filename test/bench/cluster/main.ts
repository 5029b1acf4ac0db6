/**
 * `npm run bench:cluster`: how fast three nodes on this machine settle, beside etcd and the bare engine. Real processes, TLS on
 * every hop, durable on a majority before each answer. Nothing is asserted; docs/performance.md says what each figure is and how
 * figures were taken.
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { buildCore } from './core-nodes.ts';
import type { Figure } from './measured.ts';
import { PARTS } from './parts.ts';

/** What is wanted. Ratios are so that more is better. */
const AT_LEAST: Readonly<Record<string, number>> = {
  'cluster.batched': 65_000,
  'ratio.batched': 1.3,
  'ratio.single.64': 2,
  'ratio.single.64.p99': 1,
  'ratio.single.1024': 2,
  'ratio.single.1024.p99': 1,
  'ratio.engine': 0.5,
  'ratio.history': 0.9,
};
const AT_MOST: Readonly<Record<string, number>> = { 'cluster.p99.half': 50, 'cluster.failover': 2_000 };
/** Of one core; above it, what is printed says as much of the other work as of ours. */
const HIGH_LOAD = 0.5;
const SECONDS = 4;
const HISTORY = 500_000;
/** What the mark of `ratio.history` is of. */
const LONG_HISTORY = 10_000_000;

const USAGE = `npm run bench:cluster                      every part, about five minutes on two idle cores
npm run bench:cluster -- --only PART,…     ${Object.keys(PARTS).join(', ')}
npm run bench:cluster -- --seconds N       of one round; ${SECONDS}
npm run bench:cluster -- --history N       transfers before cluster.history is taken; ${HISTORY}
npm run bench:cluster -- --no-build        what enclave-core/dist has
npm run bench:cluster -- --json            one object a line: {"name","value","unit"}`;

function refuse(why: string): never {
  process.stderr.write(`${why}\n\n${USAGE}\n`);
  process.exit(2);
}

function readArguments() {
  try {
    const options = {
      json: { type: 'boolean', default: false },
      'no-build': { type: 'boolean', default: false },
      only: { type: 'string' },
      seconds: { type: 'string', default: String(SECONDS) },
      history: { type: 'string', default: String(HISTORY) },
      help: { type: 'boolean', short: 'h', default: false },
    } as const;
    return parseArgs({ options }).values;
  } catch (error) {
    return refuse((error as Error).message);
  }
}

function positive(name: string, text: string): number {
  const value = Number(text);
  return value > 0 && Number.isFinite(value) ? value : refuse(`--${name} must be a number above 0`);
}

function against({ name, value }: Figure): string {
  if (name === 'ratio.history' && Number(values.history) < LONG_HISTORY) return `   the mark is of ${LONG_HISTORY}`;
  const [least, most] = [AT_LEAST[name], AT_MOST[name]];
  if (least !== undefined) return `   ${value >= least ? 'meets' : 'misses'} the mark of at least ${least}`;
  if (most !== undefined) return `   ${value <= most ? 'meets' : 'misses'} the mark of at most ${most}`;
  return '';
}

function line(item: Figure, json: boolean): string {
  if (json) return JSON.stringify(item);
  return `${item.name.padEnd(30)} ${String(item.value).padStart(10)} ${item.unit.padEnd(8)}${against(item)}`.trimEnd();
}

const values = readArguments();
if (values.help) {
  process.stdout.write(`${USAGE}\n`);
  process.exit(0);
}
const log = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
const options = {
  roundMs: 1_000 * positive('seconds', values.seconds),
  history: positive('history', values.history),
  log,
};
const wanted = values.only?.split(',') ?? Object.keys(PARTS);
for (const name of wanted) if (!Object.hasOwn(PARTS, name)) refuse(`there is no part ${name}`);

const load = loadavg()[0] ?? 0;
log(
  `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.version}, load average ${load.toFixed(1)}`,
);
if (load > HIGH_LOAD) log('The machine has other work: rates and latencies mean little, CPU time of a payment more.');
if (!values['no-build']) await buildCore();
for (const name of wanted) {
  log(`measuring ${name}`);
  const part = PARTS[name];
  if (!part) continue;
  for await (const item of part(options)) process.stdout.write(`${line(item, values.json)}\n`);
}
