/** What a scenario works with: the harness, the queue of its network, the connectors that it started. */
import type { ConnectorHarness, ConnectorUnderTest } from './connector-harness.ts';
import { InstructionQueue, type JobEnd } from './instruction-queue.ts';

export class ConformanceBench {
  readonly harness: ConnectorHarness;
  readonly queue: InstructionQueue;
  readonly timeoutMs: number;
  #running: ConnectorUnderTest[] = [];

  private constructor(harness: ConnectorHarness, queue: InstructionQueue, timeoutMs: number) {
    this.harness = harness;
    this.queue = queue;
    this.timeoutMs = timeoutMs;
  }

  static async open(harness: ConnectorHarness, timeoutMs: number): Promise<ConformanceBench> {
    const { network } = await harness.release('payable');
    const { redisUrl, sealingKey } = harness;
    return new ConformanceBench(harness, await InstructionQueue.open({ network, redisUrl, sealingKey }), timeoutMs);
  }

  async start(predecessor?: ConnectorUnderTest): Promise<ConnectorUnderTest> {
    const connector = await this.harness.startConnector(predecessor);
    this.#running.push(connector);
    return connector;
  }

  async finished(jobId: string): Promise<JobEnd> {
    return this.queue.finished(jobId, this.timeoutMs);
  }

  /** After each scenario: no connector runs, no job is left. */
  async clear(): Promise<void> {
    await Promise.all(this.#running.splice(0).map((connector) => connector.kill()));
    await this.queue.clear();
  }

  async close(): Promise<void> {
    await this.queue.close();
    await this.harness.stop();
  }
}
