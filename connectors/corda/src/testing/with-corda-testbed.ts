/** Tests on a whole testbed: run where it can be had, and otherwise reported as skipped, with the reason. */
import { test } from '@jest/globals';
import { cordaTestbedMissing } from './testbed-missing.ts';

export type CordaTestbedTest = (name: string, body: () => Promise<void>, timeoutMs?: number) => void;

/** To be awaited at the top of a test file: what is fetched and built once on a machine is under no test's timeout. */
export async function testWithCordaTestbed(): Promise<CordaTestbedTest> {
  const missing = await cordaTestbedMissing();
  return missing === undefined ? test : (name, body) => test.skip(`${name} [skipped: ${missing}]`, body);
}
