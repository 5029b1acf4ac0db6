/** Tests on a whole testbed: run where it can be had, and otherwise reported as skipped, with the reason. */
import { cordaOrReason } from '@drawbridge/devnets/corda/provision';
import { testWithRabbitMq } from '@drawbridge/devnets/testing/with-rabbitmq';
import { test } from '@jest/globals';
import { JavaProgramsError, javaPrograms } from './java-programs.ts';

export type CordaTestbedTest = (name: string, body: () => Promise<void>, timeoutMs?: number) => void;

/** To be awaited at the top of a test file: what is fetched and built once on a machine is under no test's timeout. */
export async function testWithCordaTestbed(): Promise<CordaTestbedTest> {
  const corda = await cordaOrReason();
  if ('reason' in corda) return skipped(corda.reason);
  try {
    await javaPrograms();
  } catch (error) {
    if (!(error instanceof JavaProgramsError) || error.code === 'JAVA_BUILD_FAILED') throw error;
    return skipped(error.message);
  }
  return testWithRabbitMq();
}

const skipped =
  (reason: string): CordaTestbedTest =>
  (name, body) =>
    test.skip(`${name} [skipped: ${reason}]`, body);
