import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';

jest.setTimeout(60_000);

const script = fileURLToPath(new URL('./ensure-installed.mjs', import.meta.url));
let dir: string;

/** Two packages that must be there, one that need not, and a workspace. */
const PACKAGES = {
  '': { name: 'root' },
  part: { version: '0.1.0' },
  'node_modules/@our/part': { resolved: 'part', link: true },
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/a/node_modules/b': { version: '2.0.0', integrity: 'sha512-b' },
  'node_modules/c-darwin-arm64': { version: '3.0.0', optional: true },
};

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-install-'));
  await mkdir(join(dir, 'scripts'));
  await mkdir(join(dir, 'node_modules'));
  await cp(script, join(dir, 'scripts', 'ensure-installed.mjs'));
  await writeFile(join(dir, 'package-lock.json'), JSON.stringify({ packages: PACKAGES }));
  await npmThat('process.exit(0)');
});
afterEach(() => rm(dir, { recursive: true }));

/** Puts a program in npm's place that says its arguments on stdout, as npm does, and then does `body`. */
async function npmThat(body: string): Promise<void> {
  await writeFile(join(dir, 'npm-cli.js'), `console.log('npm', process.argv.slice(2).join(' ')); ${body}`);
}

type Outcome = { code: number | null; stdout: string; stderr: string };

async function ensure(nodeVersion = process.versions.node): Promise<Outcome> {
  const program = `
    Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${nodeVersion}' } });
    const { ensureInstalled } = await import('./scripts/ensure-installed.mjs');
    console.log(await ensureInstalled());`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: dir,
    env: { ...process.env, npm_execpath: join(dir, 'npm-cli.js') },
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, stdout, stderr };
}

async function installed(packages: object): Promise<void> {
  await writeFile(join(dir, 'node_modules', '.package-lock.json'), JSON.stringify({ packages }));
}

const withoutOptional = Object.fromEntries(
  Object.entries(PACKAGES).filter(([path]) => !path.includes('darwin') && path.includes('node_modules/')),
);

test('npm ci runs once for a lockfile, off stdout, and again when it changes', async () => {
  const first = await ensure();
  expect(first).toMatchObject({ code: 0, stdout: 'true\n' });
  expect(first.stderr).toMatch(/^Installing .*\nnpm ci --include=dev --ignore-scripts /);
  expect(await ensure()).toEqual({ code: 0, stdout: 'true\n', stderr: '' });
  await writeFile(join(dir, 'package-lock.json'), JSON.stringify({ packages: { ...PACKAGES, 'node_modules/d': {} } }));
  expect((await ensure()).stderr).toContain('npm ci');
});

test('what a developer installed by hand is not installed again', async () => {
  await installed(withoutOptional);
  expect(await ensure()).toEqual({ code: 0, stdout: 'true\n', stderr: '' });
});

test.each([
  ['another version', { 'node_modules/a': { version: '1.0.1', integrity: 'sha512-a' } }],
  ['other content', { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-x' } }],
  ['a nested package missing', { 'node_modules/a/node_modules/b': undefined }],
  ['a copy in the place of a workspace', { 'node_modules/@our/part': { version: '0.1.0' } }],
])('%s is installed anew', async (_, change) => {
  await installed({ ...withoutOptional, ...change });
  expect((await ensure()).stderr).toContain('npm ci');
});

test('a failed install is told and tried again', async () => {
  await npmThat(`console.error('no network'); process.exit(3)`);
  const failed = await ensure();
  expect(failed.stdout).toBe('false\n');
  expect(failed.stderr).toMatch(/no network\nnpm ci failed with exit code 3/);
  await expect(readFile(join(dir, 'node_modules', '.drawbridge-lock-hash'))).rejects.toMatchObject({ code: 'ENOENT' });
  await npmThat('process.exit(0)');
  expect((await ensure()).stdout).toBe('true\n');
});

test.each(['18.20.0', '20.18.3'])('Node %s is too old, in words', async (version) => {
  const { stdout, stderr } = await ensure(version);
  expect(stdout).toBe('false\n');
  expect(stderr).toBe(`Drawbridge needs Node 20.19 or newer; this is ${version}. See https://nodejs.org\n`);
});

test.each(['20.19.0', '22.0.0'])('Node %s will do', async (version) => {
  expect((await ensure(version)).stdout).toBe('true\n');
});
