/**
 * Completes package-lock.json so that `npm ci` of npm 10 and of npm 11 take it; run it after `npm install`. With
 * `--check` it only tells whether there is anything to do.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { completeLockfile, differences, type LockPackages } from './lockfile-platforms.ts';

const file = new URL('../package-lock.json', import.meta.url);
const checking = process.argv.includes('--check');
const lock = JSON.parse(await readFile(file, 'utf8')) as { packages: LockPackages };
const { packages, problems } = completeLockfile(lock.packages);
const changed = differences(lock.packages, packages);

for (const problem of problems) process.stdout.write(`package-lock.json: ${problem}\n`);
if (checking) {
  for (const path of changed) process.stdout.write(`package-lock.json: ${path} is missing or out of date\n`);
  if (changed.length > 0) process.stdout.write('run: node scripts/run-source.mjs scripts/complete-lockfile.ts\n');
} else if (changed.length > 0) {
  await writeFile(file, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
  process.stdout.write(`package-lock.json: ${changed.length} entries written\n`);
}
process.exitCode = problems.length > 0 || (checking && changed.length > 0) ? 1 : 0;
