import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type CordaPrograms, nodeEnvironment } from './corda-node.ts';

const run = promisify(execFile);

/** Three minutes for three nodes on a busy machine. */
const TIMEOUT_MS = 20 * 60_000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
/** Each node has to sign its address in a JVM of its own, two with the launcher's: what matters is how fast these start. */
const JVM_OPTIONS = '-XX:TieredStopAtLevel=1';

/** The network could not be made; `output` is what Corda's bootstrapper said. */
export class BootstrapperError extends Error {
  override readonly name = 'BootstrapperError';
  readonly code = 'CORDA_BOOTSTRAPPER_FAILED' as const;
  readonly output: string;
  constructor(output: string, cause: unknown) {
    super(
      `Corda's bootstrapper made no network; it last said:\n${output.trimEnd().split('\n').slice(-10).join('\n')}`,
      {
        cause,
      },
    );
    this.output = output;
  }
}

/** Turns a folder of settings into one of nodes with keys, certificates and network parameters. @throws BootstrapperError */
export async function runBootstrapper(dir: string, { java, artefacts }: CordaPrograms): Promise<void> {
  const environment = nodeEnvironment(process.env);
  const env = {
    ...environment,
    // It starts `java` by that name.
    PATH: `${join(java.home, 'bin')}:${environment.PATH ?? ''}`,
    JAVA_HOME: java.home,
    JAVA_TOOL_OPTIONS: JVM_OPTIONS,
    // The launcher would leave its copies in the home folder.
    CAPSULE_CACHE_DIR: join(dir, 'capsule'),
  };
  await run(java.java, ['-Xmx512m', '-jar', artefacts.bootstrapperJar, '--dir', dir], {
    cwd: dir,
    env,
    timeout: TIMEOUT_MS,
    maxBuffer: MAX_OUTPUT_BYTES,
  }).catch((error: unknown) => {
    throw new BootstrapperError(wordsOf(error), error);
  });
}

/** Its own words go to stdout, those of the nodes that it starts to stderr. */
function wordsOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('stdout' in error) || !('stderr' in error)) return String(error);
  return `${error.stdout}${error.stderr}`;
}
