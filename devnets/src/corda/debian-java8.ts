/**
 * OpenJDK 8 of Debian unstable, run from our cache. It wants a newer C library than a stable Debian has, so that comes
 * along, and its programs are told where it lies: the folder cannot be moved afterwards.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cp, lstat, mkdir, open, readdir, readlink, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withCacheLock } from '../cache-lock.ts';
import { unpackFromSuite } from '../debian-suite.ts';
import { DebianUnpackError, type RunnableProgram, unpackDebianProgram } from '../debian-unpack.ts';

const run = promisify(execFile);

const SUITE = 'unstable';
const JRE = 'openjdk-8-jre-headless';
const JDK = 'openjdk-8-jdk-headless';
/** What its programs need beside themselves. */
const LIBRARIES = ['libc6', 'libgcc-s1', 'libstdc++6', 'zlib1g'] as const;
const TRIPLET = 'x86_64-linux-gnu';
const LOADER = 'ld-linux-x86-64.so.2';
const JVM_FOLDER = join('usr', 'lib', 'jvm', 'java-8-openjdk-amd64');
/** Where the packages would have their settings. */
const SETTINGS_FOLDER = '/etc/java-8-openjdk/';
/** A download of 60 MB by another process. */
const LOCK_WAIT_MS = 15 * 60_000;
const PATCH_TIMEOUT_MS = 60_000;

type Environment = Readonly<Record<string, string | undefined>>;

export type DebianJava8Options = Readonly<{
  cacheDir: string;
  env: Environment;
  log: (sentence: string) => void;
  /** Whether the JVM in a folder starts and is the right one. */
  runs: (home: string) => Promise<boolean>;
}>;

/**
 * Home of the JDK, from the cache or unpacked into it now.
 * @throws DebianSuiteError or DebianUnpackError where this machine cannot have it.
 */
export async function debianJava8(options: DebianJava8Options): Promise<string> {
  const { cacheDir, env, log, runs } = options;
  const folder = join(cacheDir, 'java8-debian-amd64');
  const home = join(folder, 'jdk');
  if (await runs(home)) return home;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new DebianUnpackError('that build is for Linux on amd64');
  }
  await mkdir(cacheDir, { recursive: true });
  await withCacheLock(`${folder}.lock`, LOCK_WAIT_MS, async () => {
    if (await runs(home)) return;
    const wanted = { name: 'patchelf', packages: ['patchelf'], program: join('usr', 'bin', 'patchelf') };
    const patchelf = await unpackDebianProgram(wanted, { cacheDir, env, log });
    const temporary = `${folder}.${randomUUID()}`;
    try {
      const packages = join(temporary, 'packages');
      await unpackFromSuite({ suite: SUITE, packages: [JRE, JDK, ...LIBRARIES], into: packages, env, log });
      await assemble(packages, temporary);
      await rm(packages, { recursive: true });
      await bindToLibraries({ root: join(temporary, 'jdk'), libraries: join(folder, 'lib'), patchelf });
      await rm(folder, { recursive: true, force: true });
      await rename(temporary, folder);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
    if (!(await runs(home))) throw new DebianUnpackError(`OpenJDK 8 of ${SUITE} was unpacked, but does not run here`);
  });
  return home;
}

/** Puts the JDK into `jdk`, with its settings in place of links into `/etc`, and the libraries into `lib`. */
async function assemble(packages: string, into: string): Promise<void> {
  const jdk = join(into, 'jdk');
  for (const name of [JRE, JDK]) {
    await cp(join(packages, name, JVM_FOLDER), jdk, { recursive: true, verbatimSymlinks: true });
  }
  for (const file of await filesIn(jdk, 'links')) {
    const target = await readlink(file);
    if (!target.startsWith(SETTINGS_FOLDER)) continue;
    await rm(file);
    await cp(await firstThatExists([JRE, JDK].map((name) => join(packages, name, target))), file);
  }
  for (const name of LIBRARIES) {
    const from = join(packages, name, 'usr', 'lib', TRIPLET);
    for (const entry of await readdir(from, { withFileTypes: true })) {
      if (entry.isDirectory() || !entry.name.includes('.so')) continue;
      await cp(join(from, entry.name), join(into, 'lib', entry.name), { verbatimSymlinks: true });
    }
  }
}

type Binding = Readonly<{ root: string; libraries: string; patchelf: RunnableProgram }>;

/** Has each program take the loader of `libraries`, and every file search its own folders, then that one. */
async function bindToLibraries({ root, libraries, patchelf }: Binding): Promise<void> {
  const call = (args: readonly string[]) =>
    run(patchelf.command, [...args], { env: patchelf.env, timeout: PATCH_TIMEOUT_MS });
  for (const file of await filesIn(root, 'files')) {
    if (!(await isElf(file))) continue;
    const isLibrary = file.endsWith('.so');
    const { stdout } = await call(['--print-rpath', file]);
    const own = isLibrary ? ['$ORIGIN', '$ORIGIN/..'] : [];
    const searched = [...own, libraries, stdout.trim()].filter((folder) => folder !== '').join(':');
    if (!isLibrary) await call(['--set-interpreter', join(libraries, LOADER), file]);
    await call(['--force-rpath', '--set-rpath', searched, file]);
  }
}

async function filesIn(folder: string, kind: 'files' | 'links'): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => (kind === 'files' ? entry.isFile() : entry.isSymbolicLink()))
    .map((entry) => join(entry.parentPath, entry.name));
}

async function isElf(file: string): Promise<boolean> {
  const opened = await open(file);
  try {
    const { buffer, bytesRead } = await opened.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && buffer.toString('latin1') === '\x7fELF';
  } finally {
    await opened.close();
  }
}

async function firstThatExists(files: readonly string[]): Promise<string> {
  for (const file of files) {
    const found = await lstat(file).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  throw new DebianUnpackError(`the packages of OpenJDK 8 have no ${files[0]}`);
}
