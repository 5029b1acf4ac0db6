/** One Corda node as a process, without the launcher that would start a second JVM for it. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ManagedProcess, ProcessError, startProcess } from '../child-process.ts';
import { AddressInUseError } from '../free-port.ts';
import type { CordaArtefacts } from './artefacts.ts';
import type { Java8 } from './java8.ts';
import { type CordaNodeTerms, type CordaPorts, type CordaRpc, nodeConf } from './node-conf.ts';

/** 25 s of processor time for each node; all of them start at once, on what other work leaves. */
const READY_TIMEOUT_MS = 600_000;
/** It closes its database and its brokers. */
const STOP_TIMEOUT_MS = 60_000;

/** For a short start: compiling more thoroughly takes nearly half of its processor time. */
const QUICK_START = ['-XX:TieredStopAtLevel=1'] as const;

/** What has run for long has compiled what it does often: here a tenth of the calls that the JVM waits for are enough. */
const LONG_RUN = [
  '-XX:Tier3InvocationThreshold=20',
  '-XX:Tier3MinInvocationThreshold=10',
  '-XX:Tier3CompileThreshold=200',
  '-XX:Tier4InvocationThreshold=500',
  '-XX:Tier4MinInvocationThreshold=60',
  '-XX:Tier4CompileThreshold=1500',
] as const;

/** What all nodes of a network have in common. */
export type CordaPrograms = Readonly<{
  java: Java8;
  artefacts: CordaArtefacts;
  /** Greatest heap, in MiB; the process takes 200 to 250 MiB more. */
  heapMiB: number;
  /** Both of the JVM's compilers. */
  longRun: boolean;
}>;

export type CordaNodePlace = Readonly<{
  terms: CordaNodeTerms;
  dir: string;
  logFile: string;
}>;

/**
 * Writes the node's settings and starts it; ready means that it can be called and runs flows.
 * @throws AddressInUseError when a port is taken, ProcessError when it does not start.
 */
export async function startCordaNode(
  place: CordaNodePlace,
  programs: CordaPrograms,
  ports: CordaPorts,
  rpc: CordaRpc,
): Promise<ManagedProcess> {
  const { dir, terms, logFile } = place;
  await writeFile(join(dir, 'node.conf'), nodeConf(terms, ports, rpc), { mode: 0o600 });
  // Copies of CorDapps that a node which was killed did not remove.
  await rm(join(dir, 'tmp'), { recursive: true, force: true });
  await mkdir(join(dir, 'tmp'));
  return startProcess({
    name: `Corda node ${terms.legalName}`,
    command: programs.java.java,
    args: [...jvmArguments(programs, dir), 'net.corda.node.Corda', `--base-directory=${dir}`, '--no-local-shell'],
    cwd: dir,
    env: nodeEnvironment(process.env),
    logFile,
    readyTimeoutMs: READY_TIMEOUT_MS,
    stopTimeoutMs: STOP_TIMEOUT_MS,
    ready: { line: /started up and registered/ },
  }).catch((error: unknown) => {
    if (error instanceof ProcessError && /already in use|failed to bind/i.test(error.output)) {
      throw new AddressInUseError(`a port of ${Object.values(ports).join(', ')} is taken`, { cause: error });
    }
    throw error;
  });
}

function jvmArguments({ artefacts, heapMiB, longRun }: CordaPrograms, dir: string): string[] {
  return [
    '-Xms128m',
    `-Xmx${heapMiB}m`,
    '-XX:MaxMetaspaceSize=256m',
    '-XX:+ExitOnOutOfMemoryError',
    '-XX:+UseSerialGC',
    ...(longRun ? LONG_RUN : QUICK_START),
    `-Djava.io.tmpdir=${join(dir, 'tmp')}`,
    `-javaagent:${artefacts.quasarJar}=${artefacts.quasarExclusions}`,
    '-cp',
    artefacts.classPath,
  ];
}

/** A node takes settings from variables too (`CORDA_…`), and a JVM options. */
export function nodeEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ'];
  return Object.fromEntries(kept.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
