/**
 * What is written in Java, built by this machine's Maven from the sources beside this: the CorDapp's jars, the agent and the
 * operators' tool. Kept in the cache under a digest of the sources, so it is built once for each state of them.
 */
import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { access, copyFile, cp, link, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cacheFolder } from '@drawbridge/devnets/cache-folder';
import { withCacheLock } from '@drawbridge/devnets/cache-lock';
import { findOnPath } from '@drawbridge/devnets/debian-unpack';

const run = promisify(execFile);

const HERE = fileURLToPath(new URL('../..', import.meta.url));
const MODULES = ['cordapp', 'cordapp/contracts', 'cordapp/workflows', 'agent', 'tool'] as const;
/** Libraries of agent and tool by their file names, which have versions; builds of all sources share them. */
const LIBRARIES = 'corda-java-libraries';
const LOCK_WAIT_MS = 15 * 60_000;
/** Fetches some 60 MB where Maven has nothing yet. */
const BUILD_TIMEOUT_MS = 12 * 60_000;
const MAX_MAVEN_OUTPUT_BYTES = 4 * 1024 * 1024;
const OLDEST_JAVA = 17;
const MAX_ERROR_LINES = 5;

export type JavaPrograms = Readonly<{
  /** A Java of version 17 or newer, which is not the nodes'. */
  java: string;
  /** Contracts and workflows, for every node that runs contracts. */
  cordapps: readonly string[];
  contractsJar: string;
  agentJar: string;
  /** README of `connectors/corda/tool`. */
  toolJar: string;
}>;

export type JavaProgramsOptions = Readonly<{
  /** Default `$XDG_CACHE_HOME/drawbridge` or `~/.cache/drawbridge`. */
  cacheDir?: string;
  /** Folder with the sources of CorDapp, agent and tool; default those beside this. */
  sourcesDir?: string;
  /** Where Java and Maven are looked for; default this process's own. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Told that something is built, in one sentence. */
  log?: (sentence: string) => void;
}>;

export type JavaProgramsErrorCode = 'JAVA_MISSING' | 'MAVEN_MISSING' | 'JAVA_BUILD_FAILED';

export class JavaProgramsError extends Error {
  override readonly name = 'JavaProgramsError';
  readonly code: JavaProgramsErrorCode;
  constructor(code: JavaProgramsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** @throws JavaProgramsError */
export async function javaPrograms(options: JavaProgramsOptions = {}): Promise<JavaPrograms> {
  const env = options.env ?? process.env;
  const cacheDir = options.cacheDir ?? cacheFolder(env);
  const java = await java17(env);
  const sourcesDir = options.sourcesDir ?? HERE;
  const home = join(cacheDir, `corda-java-${await digestOfSources(sourcesDir)}`);
  if (!(await exists(home))) {
    await mkdir(join(cacheDir, LIBRARIES), { recursive: true });
    await withCacheLock(`${home}.lock`, LOCK_WAIT_MS, async () => {
      if (!(await exists(home)))
        await build({ home, libraries: join(cacheDir, LIBRARIES), sourcesDir, env, log: options.log });
    });
  }
  const contractsJar = join(home, 'drawbridge-corda-contracts.jar');
  return {
    java,
    cordapps: [contractsJar, join(home, 'drawbridge-corda-workflows.jar')],
    contractsJar,
    agentJar: join(home, 'drawbridge-corda-agent.jar'),
    toolJar: join(home, 'drawbridge-corda-vault.jar'),
  };
}

/** What is built, for who changes it. */
export async function copySources(to: string): Promise<void> {
  for (const file of await sourcesIn(HERE)) await cp(file, join(to, relative(HERE, file)));
}

type Environment = Readonly<Record<string, string | undefined>>;

async function java17(env: Environment): Promise<string> {
  const java = env.JAVA_HOME === undefined ? await findOnPath('java', env) : join(env.JAVA_HOME, 'bin', 'java');
  // It writes to stderr.
  const version = java === undefined ? '' : await run(java, ['-version']).then(({ stderr }) => stderr, String);
  if (java === undefined || Number(/version "(\d+)/.exec(version)?.[1] ?? 0) < OLDEST_JAVA) {
    throw new JavaProgramsError('JAVA_MISSING', `there is no Java ${OLDEST_JAVA} on the PATH or in JAVA_HOME`);
  }
  return java;
}

/** Of every file that the build reads but tests. */
async function digestOfSources(sourcesDir: string): Promise<string> {
  const digest = createHash('sha256');
  for (const file of await sourcesIn(sourcesDir)) {
    digest
      .update(relative(sourcesDir, file))
      .update('\0')
      .update(await readFile(file))
      .update('\0');
  }
  return digest.digest('hex').slice(0, 16);
}

async function sourcesIn(sourcesDir: string): Promise<readonly string[]> {
  const files = [join(sourcesDir, 'pom.xml')];
  for (const module of MODULES) {
    files.push(join(sourcesDir, module, 'pom.xml'));
    const main = join(sourcesDir, module, 'src', 'main');
    if (!(await exists(main))) continue;
    for (const entry of await readdir(main, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) files.push(join(entry.parentPath, entry.name));
    }
  }
  return files.sort();
}

type Build = Readonly<{
  home: string;
  libraries: string;
  sourcesDir: string;
  env: Environment;
  log: ((sentence: string) => void) | undefined;
}>;

/** In a copy, so that the folders of whoever works on the sources stay as they are. */
async function build({ home, libraries, sourcesDir, env, log }: Build): Promise<void> {
  const mvn = await findOnPath('mvn', env);
  if (mvn === undefined) {
    throw new JavaProgramsError('MAVEN_MISSING', 'there is no mvn on the PATH; install Maven 3.8 or newer');
  }
  log?.('building the vault CorDapp, the agent and the tool');
  const temporary = `${home}.${randomUUID()}`;
  const copy = join(temporary, 'sources');
  const made = join(temporary, 'made');
  try {
    for (const file of await sourcesIn(sourcesDir)) await cp(file, join(copy, relative(sourcesDir, file)));
    const asked = ['-B', '-q', '-f', join(copy, 'pom.xml'), '-DskipTests', 'package'];
    await run(mvn, asked, { cwd: copy, env, timeout: BUILD_TIMEOUT_MS, maxBuffer: MAX_MAVEN_OUTPUT_BYTES });
    await mkdir(join(made, 'lib'), { recursive: true });
    for (const module of MODULES) await keepJars(join(copy, module, 'target'), made, libraries);
    await rename(made, home);
  } catch (cause) {
    throw new JavaProgramsError('JAVA_BUILD_FAILED', `Maven could not build the programs: ${wordsOf(cause)}`, {
      cause,
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Its first complaint; it says the rest again and again. */
function wordsOf(cause: unknown): string {
  const output = typeof cause === 'object' && cause !== null && 'stdout' in cause ? String(cause.stdout) : '';
  const errors = output.split('\n').filter((line) => line.startsWith('[ERROR]'));
  return errors.slice(0, MAX_ERROR_LINES).join('\n') || String(cause);
}

async function keepJars(target: string, made: string, libraries: string): Promise<void> {
  for (const jar of await jarsIn(target)) await copyFile(join(target, jar), join(made, jar));
  const lib = join(target, 'lib');
  for (const jar of await jarsIn(lib)) {
    const kept = join(made, 'lib', jar);
    if (await exists(kept)) continue;
    if (jar.startsWith('drawbridge-')) {
      await copyFile(join(lib, jar), kept);
      continue;
    }
    const shared = join(libraries, jar);
    if (!(await exists(shared))) await rename(join(lib, jar), shared);
    await link(shared, kept);
  }
}

async function jarsIn(folder: string): Promise<string[]> {
  if (!(await exists(folder))) return [];
  return (await readdir(folder)).filter((name) => name.endsWith('.jar'));
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
