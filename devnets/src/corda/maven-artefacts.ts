/**
 * Artefacts of Corda from the repository that this machine's Maven uses, each compared with a digest that was pinned when
 * this was written.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { findOnPath } from '../debian-unpack.ts';

const run = promisify(execFile);

/** 219 MB over a slow line. */
const DOWNLOAD_TIMEOUT_MS = 20 * 60_000;
const MAX_MAVEN_OUTPUT_BYTES = 4 * 1024 * 1024;

type Environment = Readonly<Record<string, string | undefined>>;

export type MavenArtefact = Readonly<{ group: string; name: string; version: string; sha256: string }>;

export type FetchOptions = Readonly<{
  artefacts: readonly MavenArtefact[];
  /** Gets the jars, as `name-version.jar`; made when absent. */
  into: string;
  env: Environment;
  /** Runs Maven where the machine has no Java of its own. */
  javaHome: string;
}>;

export type MavenArtefactErrorCode = 'MAVEN_MISSING' | 'MAVEN_FETCH_FAILED' | 'MAVEN_ARTEFACT_DIFFERS';

/** The last code means that a file is not the one that is trusted. */
export class MavenArtefactError extends Error {
  override readonly name = 'MavenArtefactError';
  readonly code: MavenArtefactErrorCode;
  constructor(code: MavenArtefactErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** @throws MavenArtefactError */
export async function fetchArtefacts({ artefacts, into, env, javaHome }: FetchOptions): Promise<void> {
  const mvn = await findOnPath('mvn', env);
  if (mvn === undefined) {
    throw new MavenArtefactError('MAVEN_MISSING', 'there is no mvn on the PATH; install Maven 3.8 or newer');
  }
  await mkdir(into, { recursive: true });
  const project = join(into, 'pom.xml');
  await writeFile(project, projectOf(artefacts, into));
  const hasJava = env.JAVA_HOME !== undefined || (await findOnPath('java', env)) !== undefined;
  await run(mvn, ['-B', '-q', '-f', project, 'dependency:copy@fetch'], {
    cwd: into,
    env: hasJava ? env : { ...env, JAVA_HOME: javaHome },
    timeout: DOWNLOAD_TIMEOUT_MS,
    maxBuffer: MAX_MAVEN_OUTPUT_BYTES,
  }).catch((cause: unknown) => {
    throw new MavenArtefactError('MAVEN_FETCH_FAILED', `Maven cannot fetch Corda: ${firstError(cause)}`, cause);
  });
  for (const artefact of artefacts) await verifyArtefact(artefact, join(into, jarNameOf(artefact)));
}

/** @throws MavenArtefactError `MAVEN_ARTEFACT_DIFFERS` */
export async function verifyArtefact(artefact: MavenArtefact, file: string): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const found = hash.digest('hex');
  if (found === artefact.sha256) return;
  const name = `${artefact.group}:${artefact.name}:${artefact.version}`;
  const message = `${name} has the SHA-256 ${found}, and not the pinned ${artefact.sha256}: it is not used`;
  throw new MavenArtefactError('MAVEN_ARTEFACT_DIFFERS', message);
}

export function jarNameOf({ name, version }: MavenArtefact): string {
  return `${name}-${version}.jar`;
}

/** A project that only copies: one Maven fetches all. */
function projectOf(artefacts: readonly MavenArtefact[], into: string): string {
  const items = artefacts.map(
    ({ group, name, version }) =>
      `<artifactItem><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></artifactItem>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>drawbridge</groupId><artifactId>corda-artefacts</artifactId><version>1</version><packaging>pom</packaging>
  <build><plugins><plugin>
    <groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId><version>3.6.1</version>
    <executions><execution>
      <id>fetch</id><goals><goal>copy</goal></goals>
      <configuration>
        <outputDirectory>${xmlText(into)}</outputDirectory>
        <artifactItems>${items.join('')}</artifactItems>
      </configuration>
    </execution></executions>
  </plugin></plugins></build>
</project>
`;
}

function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** Maven writes its reasons to stdout, behind `[ERROR]`, the first being the one that matters. */
function firstError(error: unknown): string {
  const stdout = typeof error === 'object' && error !== null && 'stdout' in error ? String(error.stdout) : '';
  const line = stdout.split('\n').find((each) => each.includes('ERROR'));
  return line?.replace(/^.*ERROR\S*\s*/, '') ?? (error instanceof Error ? error.message : String(error));
}
