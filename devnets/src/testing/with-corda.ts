/** Tests that need a Corda network: run where it can be had, and otherwise reported as skipped, with the reason. */
import { test } from '@jest/globals';
import type { CordaOptions } from '../corda/options.ts';
import { cordaOrReason } from '../corda/provision.ts';

export type CordaTest = (name: string, body: () => Promise<void>, timeoutMs?: number) => void;

/**
 * To be awaited at the top of a test file, with the options of its network: making it, which happens once on a machine, is
 * under no test's timeout.
 */
export async function testWithCorda(options: CordaOptions = {}): Promise<CordaTest> {
  const corda = await cordaOrReason(options);
  if ('provisions' in corda) return test;
  return (name, body) => test.skip(`${name} [skipped: ${corda.reason}]`, body);
}
