/** Tests that need geth: run where it is or can be built, and otherwise reported as skipped, with the reason. */
import { test } from '@jest/globals';
import { type GethBinaryOptions, gethOrReason } from '../geth-binary.ts';

export type GethTest = (name: string, body: () => Promise<void>, timeoutMs?: number) => void;

/** To be awaited at the top of a test file: building geth, which happens once on a machine, is under no test's timeout. */
export async function testWithGeth(options: GethBinaryOptions = {}): Promise<GethTest> {
  const geth = await gethOrReason(options);
  if ('program' in geth) return test;
  return (name, body) => test.skip(`${name} [skipped: ${geth.reason}]`, body);
}
