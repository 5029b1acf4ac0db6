// `npm test`: installs what is missing, then runs the tests. Arguments go to jest; without any, everything runs, and
// the whole system last and one at a time. Only built-in modules may be imported here.
import { ensureInstalled } from './ensure-installed.mjs';
import { runNode } from './node-child.mjs';

const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
const everything = [
  ['--selectProjects', 'unit', 'fuzz', 'network'],
  ['--selectProjects', 'e2e', '--runInBand', '--passWithNoTests'],
];

if (await ensureInstalled()) {
  const args = process.argv.slice(2);
  for (const part of args.length > 0 ? [args] : everything) process.exitCode ||= await runNode([...jest, ...part]);
} else {
  process.exitCode = 1;
}
