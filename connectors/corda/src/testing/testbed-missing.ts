/** What this machine lacks for a testbed. */
import { cordaOrReason } from '@drawbridge/devnets/corda/provision';
import { rabbitMqMissing } from '@drawbridge/devnets/rabbitmq/program';
import { JavaProgramsError, javaPrograms } from './java-programs.ts';

/** In words; undefined where there is nothing. Fetches and builds the rest, which happens once on a machine. */
export async function cordaTestbedMissing(): Promise<string | undefined> {
  const corda = await cordaOrReason();
  const missing = 'reason' in corda ? [corda.reason] : [await javaMissing(), await rabbitMqMissing()];
  const said = missing.filter((reason) => reason !== undefined);
  return said.length === 0 ? undefined : said.join('; ');
}

async function javaMissing(): Promise<string | undefined> {
  try {
    await javaPrograms();
    return undefined;
  } catch (error) {
    if (!(error instanceof JavaProgramsError) || error.code === 'JAVA_BUILD_FAILED') throw error;
    return error.message;
  }
}
