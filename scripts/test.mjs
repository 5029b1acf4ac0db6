// `npm test`: installs what is missing, then runs the tests. Arguments go to jest; without any, everything runs, and
// whole systems last. Only built-in modules may be imported here.
import { availableParallelism } from 'node:os';
import { ensureInstalled } from './ensure-installed.mjs';
import { runNode } from './node-child.mjs';

const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
// Jest alone would leave one core idle, which on a machine of two is half of it; many tests wait for other processes.
const workers = String(Math.max(2, availableParallelism() - 1));
const everything = [
  ['--selectProjects', 'unit', 'integration', 'fuzz', 'network', '--maxWorkers', workers],
  ['--selectProjects', 'e2e', '--maxWorkers', workers, '--passWithNoTests'],
];

if (await ensureInstalled()) {
  const args = process.argv.slice(2);
  for (const part of args.length > 0 ? [args] : everything) process.exitCode ||= await runNode([...jest, ...part]);
} else {
  process.exitCode = 1;
}
