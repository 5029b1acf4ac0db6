/**
 * Runs a program from Debian or Ubuntu packages without installing them: apt downloads and checks the packages,
 * `dpkg-deb -x` unpacks them into a cache folder, and the program runs there with its libraries beside it.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** For one call of apt, dpkg or ldd: a package list of 10 MB over a slow line. */
const COMMAND_TIMEOUT_MS = 180_000;
/** Libraries fetched one after another before giving up. */
const MAX_LIBRARIES = 16;

type Environment = Readonly<Record<string, string | undefined>>;

export type DebianProgram = Readonly<{
  /** Names the cache folder. */
  name: string;
  packages: readonly string[];
  /** Path of the program inside the packages, such as `usr/bin/redis-server`. */
  program: string;
  /** Whether it runs; asked for its `--version` when left out. */
  runs?: (program: RunnableProgram) => Promise<boolean>;
  /** Files whose libraries must be there, when these are others than the program. */
  linked?: (program: RunnableProgram) => Promise<readonly string[]>;
}>;

export type UnpackOptions = Readonly<{
  cacheDir: string;
  env: Environment;
  /** Told what is being done, one sentence at a time: downloads take seconds. */
  log: (sentence: string) => void;
}>;

/** A program and the environment that it needs, for `startProcess`. */
export type RunnableProgram = Readonly<{ command: string; env: Environment }>;

export class DebianUnpackError extends Error {
  override readonly name = 'DebianUnpackError';
  readonly code = 'DEBIAN_UNPACK_FAILED' as const;
}

/**
 * The program from the cache, or unpacked into it now. Two processes may do so at once: each unpacks into a folder of
 * its own, and the first to rename it wins.
 * @throws DebianUnpackError when the system has no apt, or a package or library cannot be had.
 */
export async function unpackDebianProgram(wanted: DebianProgram, options: UnpackOptions): Promise<RunnableProgram> {
  await needTools(options.env);
  const home = join(options.cacheDir, `${wanted.name}-${await systemName(options.env)}`);
  const cached = runnable(home, wanted, options.env);
  const runs = wanted.runs ?? starts;
  if (await runs(cached)) return cached;
  const temporary = `${home}.${randomUUID()}`;
  await mkdir(join(temporary, 'packages'), { recursive: true });
  try {
    const apt = new AptDownload(join(temporary, 'packages'), join(temporary, 'apt'), options);
    for (const name of wanted.packages) {
      if (!(await apt.fetch(name)))
        throw new DebianUnpackError(`apt cannot download the package ${name}: ${apt.lastError}`);
    }
    await unpack(temporary, options.env);
    const program = runnable(temporary, wanted, options.env);
    for (const file of (await wanted.linked?.(program)) ?? [program.command]) {
      await addMissingLibraries({ command: file, env: program.env }, apt, temporary, options.env);
    }
    if (!(await runs(program))) throw new DebianUnpackError(`${wanted.program} was unpacked but does not run`);
    await publish({ temporary, home, runs: () => runs(cached) });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return cached;
}

/** Downloads packages with the system's lists, or else, once, with fresh ones in a folder of its own. */
class AptDownload {
  lastError = '';
  readonly #packagesDir: string;
  readonly #stateDir: string;
  readonly #options: UnpackOptions;
  #ownLists = false;
  constructor(packagesDir: string, stateDir: string, options: UnpackOptions) {
    this.#packagesDir = packagesDir;
    this.#stateDir = stateDir;
    this.#options = options;
  }

  /** `false` when there is no such package; `lastError` then has apt's words. */
  async fetch(name: string): Promise<boolean> {
    if (await this.#tryFetch(name)) return true;
    if (this.#ownLists) return false;
    this.#options.log('fetching package lists (apt-get update, in a folder of our own)');
    await mkdir(join(this.#stateDir, 'lists', 'partial'), { recursive: true });
    this.#ownLists = true;
    await this.#apt(['update']);
    return this.#tryFetch(name);
  }

  #tryFetch(name: string): Promise<boolean> {
    this.#options.log(`downloading the package ${name}`);
    return this.#apt(['download', name]);
  }

  async #apt(args: string[]): Promise<boolean> {
    // Without the sandbox user, apt running as root can write to folders that only root may enter.
    const settings = ['-q', '-o', 'APT::Sandbox::User=root', '-o', `Dir::Cache=${this.#stateDir}`];
    if (this.#ownLists) settings.push('-o', `Dir::State::lists=${join(this.#stateDir, 'lists')}`);
    const env = { ...this.#options.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
    try {
      await run('apt-get', [...settings, ...args], { cwd: this.#packagesDir, env, timeout: COMMAND_TIMEOUT_MS });
      return true;
    } catch (error) {
      this.lastError = wordsOfApt(error);
      return false;
    }
  }
}

async function needTools(env: Environment): Promise<void> {
  for (const tool of ['apt-get', 'dpkg-deb', 'dpkg', 'ldd']) {
    if (!(await findOnPath(tool, env))) throw new DebianUnpackError(`this system has no ${tool}`);
  }
}

/** Such as `debian-12-amd64`: a home folder may be shared by machines whose libraries differ. */
async function systemName(env: Environment): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const field = (name: string) => new RegExp(`^${name}="?([a-z0-9._-]+)"?$`, 'm').exec(release)?.[1] ?? 'unknown';
  const { stdout } = await run('dpkg', ['--print-architecture'], { env, timeout: COMMAND_TIMEOUT_MS });
  return `${field('ID')}-${field('VERSION_ID')}-${stdout.trim()}`;
}

function runnable(home: string, wanted: DebianProgram, env: Environment): RunnableProgram {
  const root = join(home, 'root');
  const folders = ['usr/lib', 'lib'].flatMap((lib) => TRIPLETS.map((triplet) => join(root, lib, triplet)));
  return { command: join(root, wanted.program), env: { ...env, LD_LIBRARY_PATH: folders.join(':') } };
}

/** Where Debian keeps an architecture's libraries; folders that do not exist do no harm in a search path. */
const TRIPLETS = [
  'x86_64-linux-gnu',
  'aarch64-linux-gnu',
  'arm-linux-gnueabihf',
  'riscv64-linux-gnu',
  's390x-linux-gnu',
];

async function starts({ command, env }: RunnableProgram): Promise<boolean> {
  return run(command, ['--version'], { env, timeout: COMMAND_TIMEOUT_MS }).then(
    () => true,
    () => false,
  );
}

async function unpack(home: string, env: Environment): Promise<void> {
  const packagesDir = join(home, 'packages');
  for (const file of await readdir(packagesDir)) {
    if (!file.endsWith('.deb')) continue;
    const archive = join(packagesDir, file);
    await run('dpkg-deb', ['-x', archive, join(home, 'root')], { env, timeout: COMMAND_TIMEOUT_MS });
    await rm(archive);
  }
}

/** Fetches the package of each library that the loader misses, and what those miss in turn. */
async function addMissingLibraries(
  program: RunnableProgram,
  apt: AptDownload,
  home: string,
  env: Environment,
): Promise<void> {
  let before = '';
  for (let fetched = 0; fetched < MAX_LIBRARIES; fetched += 1) {
    const { stdout } = await run('ldd', [program.command], { env: program.env, timeout: COMMAND_TIMEOUT_MS });
    const missing = /^\s*(\S+) => not found$/m.exec(stdout)?.[1];
    if (missing === undefined) return;
    if (missing === before) throw new DebianUnpackError(`the package of ${missing} does not contain it`);
    before = missing;
    if (!(await fetchLibrary(missing, apt))) {
      throw new DebianUnpackError(`no package found for the library ${missing}: ${apt.lastError}`);
    }
    await unpack(home, env);
  }
  throw new DebianUnpackError(`more than ${MAX_LIBRARIES} libraries are missing`);
}

async function fetchLibrary(soname: string, apt: AptDownload): Promise<boolean> {
  for (const name of libraryPackages(soname)) if (await apt.fetch(name)) return true;
  return false;
}

/**
 * Package names for a soname by Debian Policy §8.1: name and version, with a hyphen where the name ends in a digit;
 * `t64` is the suffix of the transition to 64-bit time.
 */
export function libraryPackages(soname: string): string[] {
  const [, stem, version] = /^(.+)\.so\.(.+)$/.exec(soname) ?? [];
  if (stem === undefined || version === undefined) return [];
  const name = `${stem}${/\d$/.test(stem) ? '-' : ''}${version}`.toLowerCase().replaceAll('_', '-');
  return [name, `${name}t64`];
}

type Publication = Readonly<{ temporary: string; home: string; runs: () => Promise<boolean> }>;

/** Moves the unpacked folder into its place, where another process may have put its own meanwhile. */
async function publish({ temporary, home, runs }: Publication): Promise<void> {
  for (const working of ['packages', 'apt']) await rm(join(temporary, working), { recursive: true, force: true });
  try {
    await rename(temporary, home);
  } catch (error) {
    if (await runs()) return;
    const broken = `${home}.${randomUUID()}`;
    await rename(home, broken).catch(() => {
      throw new DebianUnpackError(`${home} cannot be written`, { cause: error });
    });
    await rm(broken, { recursive: true });
    await rename(temporary, home);
  }
}

/** The first executable file of that name on the PATH. */
export async function findOnPath(name: string, env: Environment): Promise<string | undefined> {
  for (const folder of (env.PATH ?? '').split(':')) {
    if (folder === '') continue;
    const file = join(folder, name);
    const executable = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (executable) return file;
  }
  return undefined;
}

/** Apt puts its reason on lines that begin with `E:`. */
export function wordsOfApt(error: unknown): string {
  const stderr = typeof error === 'object' && error !== null && 'stderr' in error ? String(error.stderr) : '';
  const reasons = stderr.split('\n').filter((line) => line.startsWith('E:'));
  if (reasons.length > 0) return reasons.join(' ');
  return error instanceof Error ? error.message : String(error);
}
