/** What a Corda network needs of this machine, fetched and made where it is missing, or the reason why it cannot be had. */
import { cacheFolder } from '../cache-folder.ts';
import { cordaArtefacts } from './artefacts.ts';
import type { CordaPrograms } from './corda-node.ts';
import { generatedNetwork } from './generated-network.ts';
import { Java8Error, java8 } from './java8.ts';
import { MavenArtefactError } from './maven-artefacts.ts';
import { type CordaOptions, type CordaShape, shapeOf } from './options.ts';

export type CordaProvisions = Readonly<{
  shape: CordaShape;
  programs: CordaPrograms;
  /** A network of that shape that never ran for anybody; to be copied. */
  generatedDir: string;
}>;

/**
 * Minutes the first time, under a second later.
 * @throws Java8Error, MavenArtefactError or CordaArtefactsError where this machine lacks something, CordaError for options
 * that cannot be, BootstrapperError, ProcessError or DeadlineError when the network cannot be made.
 */
export async function provisionCorda(options: CordaOptions = {}): Promise<CordaProvisions> {
  const shape = shapeOf(options);
  const env = options.env ?? process.env;
  const cacheDir = options.cacheDir ?? cacheFolder(env);
  const log = options.log ?? (() => undefined);
  const java = await java8({ cacheDir, env, log });
  const artefacts = await cordaArtefacts({ java, cacheDir, env, log });
  const programs = { java, artefacts, heapMiB: shape.heapMiB, longRun: shape.longRun };
  return { shape, programs, generatedDir: await generatedNetwork({ nodes: shape.nodes, programs, cacheDir, log }) };
}

/** As `provisionCorda`, with the reason as a value where this machine cannot have Corda: tests then say so and are skipped. */
export async function cordaOrReason(
  options: CordaOptions = {},
): Promise<Readonly<{ provisions: CordaProvisions }> | Readonly<{ reason: string }>> {
  try {
    return { provisions: await provisionCorda(options) };
  } catch (error) {
    if (error instanceof Java8Error && error.code === 'JAVA8_UNAVAILABLE') return { reason: error.message };
    if (error instanceof MavenArtefactError && error.code !== 'MAVEN_ARTEFACT_DIFFERS')
      return { reason: error.message };
    throw error;
  }
}
