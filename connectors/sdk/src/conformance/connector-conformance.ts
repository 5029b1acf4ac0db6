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
  /** On ledgers where nothing that stood there can vanish: then there is no reorganisation to withstand. */
  finalAtOnce?: boolean;
}>;

export function testConnector({ name, harness, timeoutMs, finalAtOnce = false }: ConformanceOptions): void {
  const scenarios = SCENARIOS.filter(({ needsDepth = false }) => !(finalAtOnce && needsDepth));
  let bench: ConformanceBench;
  beforeAll(async () => {
    bench = await ConformanceBench.open(await harness(), timeoutMs);
  }, timeoutMs);
  afterEach(() => bench.clear(), timeoutMs);
  afterAll(() => bench?.close(), timeoutMs);

  describe(`${name} as a connector`, () => {
    test.each(scenarios)('$title', ({ run }) => run(bench), timeoutMs);
  });
}
