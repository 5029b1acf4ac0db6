/** What a network of Corda 4.10 is made of: the node, unpacked, and the signed jars of the finance CorDapp, in our cache. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../cache-folder.ts';
import { withCacheLock } from '../cache-lock.ts';
import { findOnPath } from '../debian-unpack.ts';
import type { Java8 } from './java8.ts';
import { fetchArtefacts, jarNameOf, type MavenArtefact, verifyArtefact } from './maven-artefacts.ts';

const run = promisify(execFile);

const VERSION = '4.10';
/** Another process may be downloading 219 MB. */
const LOCK_WAIT_MS = 30 * 60_000;
const UNPACK_TIMEOUT_MS = 300_000;
const QUASAR = 'quasar-core-0.7.15_r3.jar';

const NODE: MavenArtefact = {
  group: 'net.corda',
  name: 'corda',
  version: VERSION,
  sha256: '349ae73e5656e154158c1bc5e4040cf4f529b4992995daabfada7371a11ac8c8',
};
/** The newest that there is; it takes the newer node. */
const BOOTSTRAPPER: MavenArtefact = {
  group: 'net.corda',
  name: 'corda-tools-network-bootstrapper',
  version: '4.8',
  sha256: 'e54701e0d63423da1d95875a921933e644c55caef0c788198a535a1eb87a7239',
};
const FINANCE: readonly MavenArtefact[] = [
  {
    group: 'net.corda',
    name: 'corda-finance-contracts',
    version: VERSION,
    sha256: 'fa075153d2e863e295e173799b8622f0231dc341ab7386bc476242892b47fa7f',
  },
  {
    group: 'net.corda',
    name: 'corda-finance-workflows',
    version: VERSION,
    sha256: '9fc02453dba905df2980904ea6d70977b41c154b2ce6e091c6e53f92b36e7608',
  },
];

type Environment = Readonly<Record<string, string | undefined>>;

export type CordaArtefactsOptions = Readonly<{
  java: Java8;
  /** Default `$XDG_CACHE_HOME/drawbridge` or `~/.cache/drawbridge`. */
  cacheDir?: string;
  /** Default this process's own; Maven's settings are in it. */
  env?: Environment;
  /** Told about downloads, one sentence at a time. */
  log?: (sentence: string) => void;
}>;

export type CordaArtefacts = Readonly<{
  /** The node's jar as it is published; the bootstrapper wants it. */
  nodeJar: string;
  bootstrapperJar: string;
  /** Signed CorDapp jars: contracts, then workflows. */
  financeJars: readonly string[];
  /** The node's jar unpacked: a folder of classes and jars. */
  nodeFolder: string;
  /** Class path of node and RPC client, in the form that the JVM expands by itself. */
  classPath: string;
  /** The quasar jar, which Maven Central lacks: to run a node with, and to compile flows against. */
  quasarJar: string;
  /** Argument of the quasar agent: what it is not to instrument. */
  quasarExclusions: string;
}>;

export class CordaArtefactsError extends Error {
  override readonly name = 'CordaArtefactsError';
  readonly code = 'CORDA_ARTEFACTS_UNAVAILABLE' as const;
}

/**
 * From the cache, or fetched into it by Maven now.
 * @throws MavenArtefactError where Maven cannot, CordaArtefactsError where the jar cannot be unpacked.
 */
export async function cordaArtefacts(options: CordaArtefactsOptions): Promise<CordaArtefacts> {
  const env = options.env ?? process.env;
  const cacheDir = options.cacheDir ?? cacheFolder(env);
  const home = join(cacheDir, `corda-${VERSION}`);
  if (!(await exists(home))) {
    await mkdir(cacheDir, { recursive: true });
    await withCacheLock(`${home}.lock`, LOCK_WAIT_MS, async () => {
      if (!(await exists(home))) await fill(home, { env, java: options.java, log: options.log ?? (() => undefined) });
    });
  }
  return describe(home);
}

/** Whether what the bootstrapper runs is still what was fetched. @throws MavenArtefactError */
export async function verifyGeneratorJars({ nodeJar, bootstrapperJar }: CordaArtefacts): Promise<void> {
  await verifyArtefact(NODE, nodeJar);
  await verifyArtefact(BOOTSTRAPPER, bootstrapperJar);
}

type Fill = Readonly<{ env: Environment; java: Java8; log: (sentence: string) => void }>;

async function fill(home: string, { env, java, log }: Fill): Promise<void> {
  const temporary = `${home}.${randomUUID()}`;
  try {
    log(`fetching Corda ${VERSION} with Maven, 219 MB, once`);
    const artefacts = [NODE, BOOTSTRAPPER, ...FINANCE];
    await fetchArtefacts({ artefacts, into: temporary, env, javaHome: java.home });
    await unpackJar(join(temporary, jarNameOf(NODE)), join(temporary, 'node'), env, java);
    await rename(temporary, home);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function unpackJar(jar: string, into: string, env: Environment, java: Java8): Promise<void> {
  await mkdir(into);
  const settings = { cwd: into, env, timeout: UNPACK_TIMEOUT_MS };
  const unzip = await findOnPath('unzip', env);
  if (unzip !== undefined) {
    await run(unzip, ['-q', jar], settings);
    return;
  }
  await run(join(java.home, 'bin', 'jar'), ['xf', jar], settings).catch((cause: unknown) => {
    const message = 'there is no unzip on the PATH, and no jar program in that Java 8: install either';
    throw new CordaArtefactsError(message, { cause });
  });
}

async function describe(home: string): Promise<CordaArtefacts> {
  const nodeFolder = join(home, 'node');
  const manifest = await readFile(join(nodeFolder, 'META-INF', 'MANIFEST.MF'), 'utf8');
  const agent = manifestAttribute(manifest, 'Java-Agents');
  if (!agent?.startsWith(`${QUASAR}=`)) throw new CordaArtefactsError(`${nodeFolder} names no ${QUASAR}`);
  return {
    nodeJar: join(home, jarNameOf(NODE)),
    bootstrapperJar: join(home, jarNameOf(BOOTSTRAPPER)),
    financeJars: FINANCE.map((artefact) => join(home, jarNameOf(artefact))),
    nodeFolder,
    classPath: `${nodeFolder}:${join(nodeFolder, '*')}`,
    quasarJar: join(nodeFolder, QUASAR),
    quasarExclusions: agent.slice(QUASAR.length + 1),
  };
}

/** Value of a manifest's attribute, whose lines go on after a line break and one space (JAR File Specification). */
export function manifestAttribute(manifest: string, name: string): string | undefined {
  const unfolded = manifest.replaceAll(/\r?\n /g, '');
  for (const line of unfolded.split(/\r?\n/)) {
    if (line.startsWith(`${name}: `)) return line.slice(name.length + 2);
  }
  return undefined;
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
