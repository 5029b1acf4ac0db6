/**
 * `npm run bench`: how fast one node is, and what part of a relay is ours. Real processes on a real disk; nothing is
 * asserted. `--json` gives one object a line: {"name","value","unit"}. `--only core|evidence|relay` runs a part.
 * The figures depend on the machine and on what else it does: docs/performance.md says how they were taken.
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { benchCore } from './core.ts';
import { benchEvidence } from './evidence.ts';
import { benchRelay } from './relay.ts';

type Figure = Readonly<{ name: string; value: number; unit: string }>;

/** First marks of what is wanted; a ratio above 1 is better than the mark. Latencies are turned round. */
const MARKS: Readonly<Record<string, number>> = {
  'core.batched': 20_000,
  'core.single': 3_400,
  'core.single.p99': 100,
  'relay.ours': 50,
};
const SMALLER_IS_BETTER: ReadonlySet<string> = new Set(['ms']);

const PARTS: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  core: benchCore,
  evidence: async () => [await benchEvidence()],
  relay: benchRelay,
};

const USAGE = `npm run bench                    every part
npm run bench -- --only PART     ${Object.keys(PARTS).join(', ')}
npm run bench -- --json          one object a line: {"name","value","unit"}`;

function readArguments() {
  try {
    return parseArgs({
      options: {
        json: { type: 'boolean', default: false },
        only: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}\n`);
    process.exit(2);
  }
}

const values = readArguments();
if (values.help) {
  process.stdout.write(`${USAGE}\n`);
  process.exit(0);
}
if (values.only !== undefined && !Object.hasOwn(PARTS, values.only)) {
  process.stderr.write(`--only must be one of ${Object.keys(PARTS).join(', ')}\n`);
  process.exit(2);
}

function line({ name, value, unit }: Figure): string {
  if (values.json) return JSON.stringify({ name, value, unit });
  const mark = MARKS[name];
  const ratio = mark === undefined ? undefined : SMALLER_IS_BETTER.has(unit) ? mark / value : value / mark;
  const against = ratio === undefined ? '' : `   ${ratio.toFixed(2)} × the mark of ${mark} ${unit}`;
  return `${name.padEnd(20)} ${value.toFixed(value < 100 ? 2 : 0).padStart(10)} ${unit.padEnd(4)}${against}`;
}

process.stderr.write(
  `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}\n`,
);
for (const [part, run] of Object.entries(PARTS)) {
  if (values.only !== undefined && values.only !== part) continue;
  process.stderr.write(`measuring ${part}\n`);
  for (const figure of await run()) process.stdout.write(`${line(figure)}\n`);
}
