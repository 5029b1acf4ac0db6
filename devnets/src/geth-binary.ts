/**
 * geth 1.13.15, the last line of geth with Clique, built once by Go into our cache. Where Go fetches modules from, and
 * with which flags it builds, is the machine's own setting.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './cache-folder.ts';
import { CacheLockError, withCacheLock } from './cache-lock.ts';
import { findOnPath } from './debian-unpack.ts';

const run = promisify(execFile);

const VERSION = '1.13.15';
const MODULE = 'github.com/ethereum/go-ethereum';
/** Of geth's own go.mod; Debian 12 has 1.19. */
const OLDEST_GO_MINOR = 20;
/** From here on the linker refuses what one of geth's dependencies does: it links to a symbol of the runtime. */
const FIRST_GO_MINOR_THAT_CHECKS_LINK_NAMES = 23;
/** For a question to a program that is there. */
const QUESTION_TIMEOUT_MS = 60_000;
/** For one module: a machine without network must learn it soon. */
const MODULE_TIMEOUT_MS = 180_000;
/** A build takes minutes on two cores, and gives way to everything else that runs. */
const BUILD_TIMEOUT_MS = 30 * 60_000;

type Environment = Readonly<Record<string, string | undefined>>;

export type GethBinaryOptions = Readonly<{
  /** Default `$XDG_CACHE_HOME/drawbridge` or `~/.cache/drawbridge`. */
  cacheDir?: string;
  /** Default this process's own; its PATH is where Go is looked for, and Go's settings are in it. */
  env?: Environment;
  /** Told about the build, one sentence at a time. */
  log?: (sentence: string) => void;
}>;

export type GethUnavailableCode = 'GETH_NO_GO' | 'GETH_NO_MODULES' | 'GETH_BUILD_FAILED';

/** The first two codes mean that this machine cannot have geth; the third that something is wrong. */
export class GethUnavailableError extends Error {
  override readonly name = 'GethUnavailableError';
  readonly code: GethUnavailableCode;
  constructor(code: GethUnavailableCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/**
 * Path of the program: from the cache, or built now. Processes that ask at once wait for the one that builds.
 * @throws GethUnavailableError in words: what is missing and what to do.
 */
export async function gethBinary(options: GethBinaryOptions = {}): Promise<string> {
  const env = options.env ?? process.env;
  const cacheDir = options.cacheDir ?? cacheFolder(env);
  const home = join(cacheDir, `geth-${VERSION}-${process.platform}-${process.arch}`);
  const program = join(home, 'geth');
  if (await isGeth(program, env)) return program;
  const go = await findGo(env);
  await mkdir(home, { recursive: true });
  await withCacheLock(`${home}.lock`, BUILD_TIMEOUT_MS, async () => {
    if (!(await isGeth(program, env))) await build({ go, home, program, env, log: options.log ?? (() => undefined) });
  }).catch((error: unknown) => {
    if (error instanceof CacheLockError) throw new GethUnavailableError('GETH_BUILD_FAILED', error.message, error);
    throw error;
  });
  return program;
}

/** As `gethBinary`, with the reason as a value where this machine cannot have geth: tests then say so and are skipped. */
export async function gethOrReason(
  options: GethBinaryOptions = {},
): Promise<Readonly<{ program: string }> | Readonly<{ reason: string }>> {
  try {
    return { program: await gethBinary(options) };
  } catch (error) {
    if (error instanceof GethUnavailableError && error.code !== 'GETH_BUILD_FAILED') return { reason: error.message };
    throw error;
  }
}

type Go = Readonly<{ command: string; minor: number }>;

async function findGo(env: Environment): Promise<Go> {
  const advice = `install Go 1.${OLDEST_GO_MINOR} or newer (https://go.dev/dl) to have a Clique network with geth ${VERSION}`;
  const command = await findOnPath('go', env);
  if (command === undefined) throw new GethUnavailableError('GETH_NO_GO', `there is no go on the PATH; ${advice}`);
  const version = await run(command, ['env', 'GOVERSION'], { env, timeout: QUESTION_TIMEOUT_MS }).then(
    ({ stdout }) => stdout.trim(),
    (cause: unknown) => {
      throw new GethUnavailableError('GETH_NO_GO', `${command} does not run; ${advice}`, cause);
    },
  );
  const minor = Number(/^go1\.(\d+)/.exec(version)?.[1] ?? Number.NaN);
  // A version in other words is one of Go's own development builds.
  if (minor < OLDEST_GO_MINOR) throw new GethUnavailableError('GETH_NO_GO', `${command} is ${version}; ${advice}`);
  return { command, minor };
}

type Build = Readonly<{
  go: Go;
  home: string;
  program: string;
  env: Environment;
  log: (sentence: string) => void;
}>;

async function build({ go, home, program, env, log }: Build): Promise<void> {
  log(`building geth ${VERSION} with Go, once: this takes minutes`);
  const temporary = await mkdtemp(join(home, 'build-'));
  const settings = { cwd: temporary, env: { ...env, GOBIN: temporary } };
  const module = `${MODULE}@v${VERSION}`;
  try {
    await run(go.command, ['mod', 'download', module], { ...settings, timeout: MODULE_TIMEOUT_MS }).catch((cause) => {
      throw new GethUnavailableError('GETH_NO_MODULES', `Go cannot fetch geth ${VERSION}: ${lastLine(cause)}`, cause);
    });
    const flags = go.minor < FIRST_GO_MINOR_THAT_CHECKS_LINK_NAMES ? [] : ['-ldflags=-checklinkname=0'];
    const install = ['-n', '19', go.command, 'install', ...flags, `${MODULE}/cmd/geth@v${VERSION}`];
    await run('nice', install, { ...settings, timeout: BUILD_TIMEOUT_MS }).catch((cause) => {
      throw new GethUnavailableError('GETH_BUILD_FAILED', `Go cannot build geth ${VERSION}: ${lastLine(cause)}`, cause);
    });
    await rename(join(temporary, 'geth'), program);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  if (!(await isGeth(program, env))) {
    throw new GethUnavailableError('GETH_BUILD_FAILED', `geth ${VERSION} was built as ${program}, but does not run`);
  }
}

async function isGeth(program: string, env: Environment): Promise<boolean> {
  return run(program, ['version'], { env, timeout: QUESTION_TIMEOUT_MS }).then(
    ({ stdout }) => stdout.includes(`Version: ${VERSION}`),
    () => false,
  );
}

/** Go says last what stopped it. */
function lastLine(error: unknown): string {
  const stderr = typeof error === 'object' && error !== null && 'stderr' in error ? String(error.stderr).trim() : '';
  if (stderr !== '') return stderr.split('\n').at(-1) ?? '';
  return error instanceof Error ? error.message : String(error);
}
