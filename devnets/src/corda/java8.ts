/** A Java 8 for Corda 4.10, whose node takes nothing newer: the one that `JAVA8_HOME` names, or Debian's, in our cache. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../cache-folder.ts';
import { DebianSuiteError } from '../debian-suite.ts';
import { DebianUnpackError } from '../debian-unpack.ts';
import { debianJava8 } from './debian-java8.ts';

const run = promisify(execFile);

/** `java -version` of a cold JVM on a busy machine. */
const QUESTION_TIMEOUT_MS = 60_000;
/** Of the node's own manifest. */
const OLDEST_UPDATE = 171;

type Environment = Readonly<Record<string, string | undefined>>;

export type Java8Options = Readonly<{
  /** Default `$XDG_CACHE_HOME/drawbridge` or `~/.cache/drawbridge`. */
  cacheDir?: string;
  /** Default this process's own; `JAVA8_HOME` is looked for in it. */
  env?: Environment;
  /** Told about downloads, one sentence at a time. */
  log?: (sentence: string) => void;
}>;

export type Java8 = Readonly<{
  /** For `JAVA_HOME`. Debian's has a compiler; a given one may be a JRE. */
  home: string;
  /** The program that starts a JVM. */
  java: string;
  origin: 'given' | 'debian';
}>;

export type Java8ErrorCode = 'JAVA8_HOME_INVALID' | 'JAVA8_UNAVAILABLE';

/** The first code means that a setting is wrong, the second that this machine cannot have Java 8 by itself. */
export class Java8Error extends Error {
  override readonly name = 'Java8Error';
  readonly code: Java8ErrorCode;
  constructor(code: Java8ErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** @throws Java8Error in one sentence: what is missing, and what to set. */
export async function java8(options: Java8Options = {}): Promise<Java8> {
  const env = options.env ?? process.env;
  if (env.JAVA8_HOME) return givenJava8(env.JAVA8_HOME);
  const cacheDir = options.cacheDir ?? cacheFolder(env);
  try {
    const home = await debianJava8({ cacheDir, env, log: options.log ?? (() => undefined), runs: isJava8 });
    return { home, java: javaOf(home), origin: 'debian' };
  } catch (error) {
    if (!(error instanceof DebianSuiteError) && !(error instanceof DebianUnpackError)) throw error;
    throw new Java8Error(
      'JAVA8_UNAVAILABLE',
      `Corda 4.10 runs on Java 8 only, JAVA8_HOME is not set, and Debian's packages cannot be had here (${error.message}): ` +
        `install a JDK 8 (8u${OLDEST_UPDATE} or newer) and set JAVA8_HOME to its folder`,
      error,
    );
  }
}

async function givenJava8(home: string): Promise<Java8> {
  const java = javaOf(home);
  if (!(await isJava8(home))) {
    throw new Java8Error(
      'JAVA8_HOME_INVALID',
      `JAVA8_HOME is set, but ${java} is not a Java 8 of update ${OLDEST_UPDATE} or newer that runs`,
    );
  }
  return { home, java, origin: 'given' };
}

function javaOf(home: string): string {
  return join(home, 'bin', 'java');
}

async function isJava8(home: string): Promise<boolean> {
  // It writes to stderr.
  return run(javaOf(home), ['-version'], { timeout: QUESTION_TIMEOUT_MS }).then(
    ({ stderr }) => updateOf(stderr) >= OLDEST_UPDATE,
    () => false,
  );
}

/** The n of `version "1.8.0_n"`, or -1 for any other Java. */
export function updateOf(versionOutput: string): number {
  return Number(/version "1\.8\.0_(\d+)/.exec(versionOutput)?.[1] ?? -1);
}
