/**
 * `npm run tcb`: every package that the core loads in production, with version and size on disk. `--check` fails when
 * that is not what `enclave-core/TCB.txt` says, or when a package is in it that must not be; `--write` writes the file.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { forbiddenAmong, type Lockfile, type TrustedPackage, trustedPackages } from './trusted-base.ts';

const FILE = 'enclave-core/TCB.txt';
const HEADER = [
  '# Trusted base: every package of others that enclave-core loads in production, from package-lock.json.',
  '# Made by `npm run tcb -- --write`; name and version are checked in CI, bytes are as installed (other platforms: -).',
];

/** Bytes of a package's own files; `undefined` where it is not installed. */
function installedBytes(path: string): number | undefined {
  let bytes = 0;
  const folders = [path];
  try {
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const inside = join(folder, entry.name);
        if (entry.isDirectory() && entry.name !== 'node_modules') folders.push(inside);
        else if (entry.isFile()) bytes += statSync(inside).size;
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return bytes;
}

/** Sizes of binaries differ by platform, so the file leaves them out. */
const lineOf = (item: TrustedPackage, bytes: number | undefined): string =>
  [item.name, item.version, bytes === undefined ? '-' : String(bytes)].join(' ');

const versionsOf = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(' ').slice(0, 2).join(' '));

const packages = trustedPackages(JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lockfile, 'enclave-core');
const sizes = new Map(packages.map((item) => [item.path, installedBytes(item.path)]));
const faults = forbiddenAmong(packages).map(({ name }) => `${name} must not be reachable from enclave-core`);

if (process.argv.includes('--write')) {
  const lines = packages.map((item) => lineOf(item, item.platforms ? undefined : sizes.get(item.path)));
  writeFileSync(FILE, `${[...HEADER, ...lines].join('\n')}\n`);
} else if (process.argv.includes('--check')) {
  const expected = versionsOf(readFileSync(FILE, 'utf8'));
  const actual = packages.map(({ name, version }) => `${name} ${version}`);
  for (const line of actual) if (!expected.includes(line)) faults.push(`${line} is loaded and not in ${FILE}`);
  for (const line of expected) if (!actual.includes(line)) faults.push(`${line} is in ${FILE} and not loaded`);
} else {
  for (const item of packages) process.stdout.write(`${lineOf(item, sizes.get(item.path))}\n`);
  const total = [...sizes.values()].reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0);
  const installed = [...sizes.values()].filter((bytes) => bytes !== undefined).length;
  process.stdout.write(`${installed} packages installed, ${total} bytes\n`);
}
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
