/** Tests that need the Python package `ccf`: run where it is or can be installed, and otherwise reported as skipped, saying why. */
import { test } from '@jest/globals';
import { type CcfOptions, ccfMissing } from '../ccf-verifier.ts';

export type CcfTest = (name: string, body: () => Promise<void>, timeoutMs?: number) => void;

/** To be awaited at the top of a test file: installing it, which happens once on a machine, is under no test's timeout. */
export async function testWithCcf(options: CcfOptions = {}): Promise<CcfTest> {
  const missing = await ccfMissing(options);
  if (missing === undefined) return test;
  return (name, body) => test.skip(`${name} [skipped: ${missing}]`, body);
}
