/**
 * `npm run check`: everything that must hold before a commit. The longest stage goes first, the others beside it. All of
 * them run, so that one look shows every failure. `-- --no-unit` leaves out the unit tests, where `npm test` runs them too.
 */
import { spawn } from 'node:child_process';

type Stage = Readonly<{ name: string; command: readonly string[] }>;

const node = process.execPath;
const source = (file: string, ...args: string[]): string[] => [node, 'scripts/run-source.mjs', file, ...args];
const bin = (file: string, ...args: string[]): string[] => [node, `node_modules/${file}`, ...args];

/** A stage that hangs is ended, ms. */
const STAGE_LIMIT_MS = 600_000;

const STAGES: readonly Stage[] = [
  { name: 'unit tests, one half', command: [node, 'scripts/unit-tests.mjs', '--shard=1/2'] },
  { name: 'unit tests, the other half', command: [node, 'scripts/unit-tests.mjs', '--shard=2/2'] },
  { name: 'format and lint', command: bin('@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.') },
  { name: 'types', command: bin('typescript/bin/tsc', '-b') },
  { name: 'typed lint', command: bin('oxlint/bin/oxlint', '--type-aware', '--deny-warnings') },
  { name: 'dead code', command: bin('knip/bin/knip.js', '--no-progress') },
  { name: 'lockfile', command: source('scripts/complete-lockfile.ts', '--check') },
  { name: 'trusted base', command: source('scripts/tcb.ts', '--check') },
  { name: 'openapi', command: source('scripts/openapi.ts', '--check') },
];

function run(stage: Stage): Promise<{ ok: boolean; output: string; seconds: number }> {
  const started = performance.now();
  const [program = node, ...args] = stage.command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: STAGE_LIMIT_MS });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      if (signal) chunks.push(Buffer.from(`ended by ${signal} after ${STAGE_LIMIT_MS / 1_000} s at most\n`));
      resolve({
        ok: code === 0,
        output: Buffer.concat(chunks).toString('utf8'),
        seconds: (performance.now() - started) / 1_000,
      });
    });
  });
}

const isUnit = (name: string): boolean => name.startsWith('unit tests');
/** Stages at once: as many as this project's smallest machine has cores. */
const WIDTH = 2;
const stages = process.argv.includes('--no-unit') ? STAGES.filter(({ name }) => !isUnit(name)) : STAGES;
const waiting = [...stages];
let failed = 0;
async function lane(): Promise<void> {
  for (let stage = waiting.shift(); stage; stage = waiting.shift()) {
    const { ok, output, seconds } = await run(stage);
    process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${stage.name} (${seconds.toFixed(1)} s)\n`);
    if (!ok) {
      failed += 1;
      process.stdout.write(`${output.trimEnd().replaceAll(/^/gm, '     ')}\n`);
    } else if (isUnit(stage.name)) {
      process.stdout.write(
        `${output
          .split('\n')
          .filter((line) => /^(Tests|Test Suites):/.test(line))
          .join('\n')}\n`,
      );
    }
  }
}
await Promise.all(Array.from({ length: WIDTH }, lane));
process.stdout.write(failed === 0 ? 'check passed\n' : `check failed: ${failed} of ${stages.length} stages\n`);
process.exitCode = failed === 0 ? 0 : 1;
