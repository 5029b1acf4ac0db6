/**
 * Packages of another suite of Debian than the machine's own, without installing them: the mirror is the one that the
 * machine's apt uses, apt checks their signatures against Debian's keys, and all of apt's state is in a folder of ours.
 */
import { execFile } from 'node:child_process';
import { access, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findOnPath, wordsOfApt } from './debian-unpack.ts';

const run = promisify(execFile);

/** A package list of 11 MB, or packages of 40 MB, over a slow line. */
const COMMAND_TIMEOUT_MS = 600_000;
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

type Environment = Readonly<Record<string, string | undefined>>;

export type SuitePackages = Readonly<{
  /** Such as `unstable`. */
  suite: string;
  packages: readonly string[];
  /** Gets a folder for each package, by its name; and must not exist, or be empty. */
  into: string;
  env: Environment;
  log: (sentence: string) => void;
}>;

/** This machine cannot have the packages; the message says what is missing. */
export class DebianSuiteError extends Error {
  override readonly name = 'DebianSuiteError';
  readonly code = 'DEBIAN_SUITE_UNAVAILABLE' as const;
}

/** Downloads, verifies and unpacks. @throws DebianSuiteError */
export async function unpackFromSuite(wanted: SuitePackages): Promise<void> {
  const { env, into } = wanted;
  for (const tool of ['apt-get', 'dpkg-deb']) {
    if ((await findOnPath(tool, env)) === undefined) throw new DebianSuiteError(`this system has no ${tool}`);
  }
  const mirror = await mirrorOf(env);
  const state = join(into, 'apt');
  for (const folder of [join('lists', 'partial'), 'packages']) await mkdir(join(state, folder), { recursive: true });
  const sources = join(state, 'sources.list');
  // An address may hold a password.
  const source = `deb [target=Packages signed-by=${KEYRING}] ${mirror} ${wanted.suite} main\n`;
  await writeFile(sources, source, { mode: 0o600 });
  try {
    wanted.log(`fetching the package list of Debian's suite ${wanted.suite} into a folder of our own`);
    await apt(['update'], state, env);
    wanted.log(`downloading ${wanted.packages.join(', ')} of that suite`);
    await apt(['download', ...wanted.packages], state, env);
    for (const file of await readdir(join(state, 'packages'))) {
      const name = file.slice(0, file.indexOf('_'));
      const options = { env, timeout: COMMAND_TIMEOUT_MS };
      await run('dpkg-deb', ['-x', join(state, 'packages', file), join(into, name)], options);
    }
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

/** Address of the repository that has the main part of this machine's own release. */
async function mirrorOf(env: Environment): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const field = (name: string) => new RegExp(`^${name}="?([a-z0-9._-]+)"?$`, 'm').exec(release)?.[1];
  const codename = field('VERSION_CODENAME');
  if (field('ID') !== 'debian' || codename === undefined) throw new DebianSuiteError('this system is not Debian');
  const keys = await access(KEYRING).then(
    () => true,
    () => false,
  );
  if (!keys) throw new DebianSuiteError(`there are no keys of Debian in ${KEYRING} (package debian-archive-keyring)`);
  const format = '$(RELEASE) $(COMPONENT) $(REPO_URI)';
  const targets = ['indextargets', '--format', format, 'Created-By: Packages'];
  const { stdout } = await run('apt-get', targets, { env, timeout: COMMAND_TIMEOUT_MS });
  const mirror = mirrorAmong(stdout, codename);
  if (mirror === undefined) throw new DebianSuiteError(`apt has no source for ${codename} main`);
  return mirror;
}

/** The address on apt's line for the main part of a release; lines have release, part and address. */
export function mirrorAmong(lines: string, codename: string): string | undefined {
  for (const line of lines.split('\n')) {
    const [release, component, uri] = line.trim().split(' ');
    if (release === codename && component === 'main' && uri !== undefined) return uri;
  }
  return undefined;
}

async function apt(args: readonly string[], state: string, env: Environment): Promise<void> {
  const settings = {
    'APT::Sandbox::User': 'root',
    'Dir::State': state,
    'Dir::State::lists': join(state, 'lists'),
    // What is installed here says nothing about what this suite has.
    'Dir::State::status': '/dev/null',
    'Dir::Cache': state,
    'Dir::Etc::sourcelist': join(state, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '-',
    'Acquire::Languages': 'none',
    // Whatever the machine's own settings allow.
    'Acquire::AllowInsecureRepositories': 'false',
    'APT::Get::AllowUnauthenticated': 'false',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await run('apt-get', ['-q', ...options, ...args], {
    cwd: join(state, 'packages'),
    env: { ...env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    timeout: COMMAND_TIMEOUT_MS,
  }).catch((cause: unknown) => {
    throw new DebianSuiteError(`apt-get ${args[0]} failed: ${wordsOfApt(cause)}`, { cause });
  });
}
