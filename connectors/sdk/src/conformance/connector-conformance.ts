/**
 * What every connector must withstand, on its real ledger and a real Redis. A connector calls `testConnector` from a
 * test file with a harness of its own; the suite plays the hub (it fills the queue) and the core (by the harness, which
 * holds the vault authority's key).
 */
import { afterAll, afterEach, beforeAll, describe, test } from '@jest/globals';
import { ConformanceBench } from './conformance-bench.ts';
import type { ConnectorHarness } from './connector-harness.ts';
import { SCENARIOS } from './scenarios.ts';

export type ConformanceOptions = Readonly<{
  name: string;
  harness: () => Promise<ConnectorHarness>;
  /** Of each scenario, and of each wait in it. */
  timeoutMs: number;
}>;

export function testConnector({ name, harness, timeoutMs }: ConformanceOptions): void {
  let bench: ConformanceBench;
  beforeAll(async () => {
    bench = await ConformanceBench.open(await harness(), timeoutMs);
  }, timeoutMs);
  afterEach(() => bench.clear(), timeoutMs);
  afterAll(() => bench?.close(), timeoutMs);

  describe(`${name} as a connector`, () => {
    test.each([...SCENARIOS])('$title', ({ run }) => run(bench), timeoutMs);
  });
}
