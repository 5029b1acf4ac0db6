/**
 * What every connector must withstand, on its real ledger and a real Redis. A connector calls `testConnector` from a
 * test file with a harness of its own; the suite plays the hub (it fills the queue) and the core (by the harness, which
 * holds the vault authority's key).
 */

import type { InstructionJob } from '@drawbridge/protocol/instruction-job';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { InstructionQueue } from './instruction-queue.ts';

/** A connector that runs: a process of its own, so that it can die. */
export type ConnectorUnderTest = Readonly<{
  stop: () => Promise<void>;
  /** At once, with nothing said to anybody: SIGKILL. */
  kill: () => Promise<void>;
}>;

export interface ConnectorHarness {
  readonly redisUrl: string;
  /** Of the key that instructions are sealed to: SPKI, PEM. */
  readonly sealingKey: string;
  /** Blocks to finality: at least 3, so that there is a before. */
  readonly depthBlocks: number;
  /** With nothing on its disk, or with what a dead predecessor left there. */
  startConnector(predecessor?: ConnectorUnderTest): Promise<ConnectorUnderTest>;
  /** A release to a payee of its own; or one that the destination refuses for ever; or one that is too late already. */
  release(kind: 'payable' | 'refused' | 'late'): Promise<InstructionJob>;
  voidOf(target: InstructionJob): Promise<InstructionJob>;
  /** Signed by a key that is not the authority's. */
  forged(): Promise<InstructionJob>;
  /** How often the payee of a release was paid its amount. */
  timesPaid(job: InstructionJob): Promise<number>;
  state(job: InstructionJob): Promise<'unspent' | 'executed' | 'voided'>;
  /** Transactions of the fee account that the ledger has seen, in pools or in blocks. */
  transactions(): Promise<number>;
  /** Blocks come by themselves, or only by `mine`. */
  setMining(on: boolean): Promise<void>;
  mine(blocks: number): Promise<void>;
  /** Replaces the last blocks; what they held is gone. */
  reorganise(blocks: number): Promise<void>;
  /**
   * Resolves once the ledger has the next transaction of a connector, which then never hears of it: until `restore` the
   * connector has no answer.
   */
  swallowNextAnswer(): Promise<{ taken: Promise<void>; restore: () => void }>;
  stop(): Promise<void>;
}

export type ConformanceOptions = Readonly<{
  name: string;
  harness: () => Promise<ConnectorHarness>;
  timeoutMs: number;
}>;

export function testConnector({ name, harness: makeHarness, timeoutMs }: ConformanceOptions): void {
  let harness: ConnectorHarness;
  let queue: InstructionQueue;
  const running: ConnectorUnderTest[] = [];
  const start = async (predecessor?: ConnectorUnderTest): Promise<ConnectorUnderTest> => {
    const connector = await harness.startConnector(predecessor);
    running.push(connector);
    return connector;
  };
  const finished = (jobId: string) => queue.finished(jobId, timeoutMs);

  beforeAll(async () => {
    harness = await makeHarness();
  }, timeoutMs);
  afterEach(async () => {
    await Promise.all(running.splice(0).map((connector) => connector.kill()));
    await queue.clear();
  }, timeoutMs);
  afterAll(async () => {
    await queue?.close();
    await harness?.stop();
  }, timeoutMs);

  const prepare = async (mining: boolean): Promise<void> => {
    await harness.setMining(mining);
    const network = (await harness.release('payable')).network;
    queue ??= await InstructionQueue.open({ network, redisUrl: harness.redisUrl, sealingKey: harness.sealingKey });
  };

  describe(`${name} as a connector`, () => {
    test(
      'the same instruction in two jobs takes effect once; both jobs end well',
      async () => {
        await prepare(true);
        await start();
        const job = await harness.release('payable');
        const ids = [await queue.add(job), await queue.add(job)];
        for (const id of ids) expect(await finished(id)).toEqual({ state: 'completed', result: 'executed' });
        expect(await harness.timesPaid(job)).toBe(1);
        const again = await queue.add(job);
        const before = await harness.transactions();
        expect(await finished(again)).toEqual({ state: 'completed', result: 'executed' });
        expect(await harness.transactions()).toBe(before);
      },
      timeoutMs,
    );

    test(
      'two connectors with one instruction: it takes effect once',
      async () => {
        await prepare(true);
        await Promise.all([start(), start()]);
        const job = await harness.release('payable');
        const ids = await Promise.all([queue.add(job), queue.add(job), queue.add(job), queue.add(job)]);
        for (const id of ids) expect(await finished(id)).toEqual({ state: 'completed', result: 'executed' });
        expect(await harness.timesPaid(job)).toBe(1);
      },
      timeoutMs,
    );

    test(
      'killed between sending and hearing of it: the next one finds it, and it takes effect once',
      async () => {
        await prepare(true);
        const job = await harness.release('payable');
        const swallow = await harness.swallowNextAnswer();
        const first = await start();
        const id = await queue.add(job);
        await swallow.taken;
        await first.kill();
        swallow.restore();
        const before = await harness.transactions();
        await start(first);
        expect(await finished(id)).toEqual({ state: 'completed', result: 'executed' });
        expect(await harness.timesPaid(job)).toBe(1);
        expect(await harness.transactions()).toBe(before);
      },
      timeoutMs,
    );

    test(
      'a reorganisation before the required depth: it is not done until it is final',
      async () => {
        await prepare(false);
        await start();
        const job = await harness.release('payable');
        const before = await harness.transactions();
        const id = await queue.add(job);
        await queue.until(async () => (await harness.transactions()) > before, timeoutMs);
        await harness.mine(1);
        await queue.until(async () => (await harness.state(job)) === 'executed', timeoutMs);
        expect(await queue.state(id)).not.toBe('completed');
        await harness.reorganise(1);
        expect(await harness.state(job)).toBe('unspent');
        await harness.setMining(true);
        expect(await finished(id)).toEqual({ state: 'completed', result: 'executed' });
        expect(await harness.timesPaid(job)).toBe(1);
      },
      timeoutMs,
    );

    test(
      'a destination that refuses for ever: attempts end in words, and a void ends it',
      async () => {
        await prepare(true);
        await start();
        const job = await harness.release('refused');
        const id = await queue.add(job, { attempts: 3 });
        const end = await finished(id);
        expect(end).toMatchObject({ state: 'failed', reason: expect.stringMatching(/^[A-Z_]+: [a-z ,']+$/) });
        const voided = await queue.add(await harness.voidOf(job));
        expect(await finished(voided)).toEqual({ state: 'completed', result: 'executed' });
        expect(await harness.state(job)).toBe('voided');
        await queue.retry(id);
        expect(await finished(id)).toEqual({ state: 'completed', result: 'voided' });
        expect(await harness.timesPaid(job)).toBe(0);
      },
      timeoutMs,
    );

    test(
      'what comes too late costs no fee',
      async () => {
        await prepare(true);
        await start();
        const before = await harness.transactions();
        const id = await queue.add(await harness.release('late'));
        expect(await finished(id)).toEqual({ state: 'completed', result: 'expired' });
        expect(await harness.transactions()).toBe(before);
      },
      timeoutMs,
    );

    test(
      'what the authority did not sign, or is no sealed job, is refused at once and costs no fee',
      async () => {
        await prepare(true);
        await start();
        const before = await harness.transactions();
        const forged = await queue.add(await harness.forged());
        const garbage = await queue.addRaw({ v: 1, sealed: 'AAAA' });
        const moved = await queue.addRaw(queue.seal(await harness.release('payable'), 'another-job'));
        for (const id of [forged, garbage, moved]) {
          expect(await finished(id)).toMatchObject({ state: 'failed', reason: expect.stringMatching(/^[A-Z_]+: /) });
        }
        expect(await harness.transactions()).toBe(before);
      },
      timeoutMs,
    );

    test(
      'a void of what was executed ends well and changes nothing',
      async () => {
        await prepare(true);
        await start();
        const job = await harness.release('payable');
        expect(await finished(await queue.add(job))).toMatchObject({ state: 'completed' });
        const id = await queue.add(await harness.voidOf(job));
        expect(await finished(id)).toEqual({ state: 'completed', result: 'overtaken' });
        expect(await harness.timesPaid(job)).toBe(1);
      },
      timeoutMs,
    );
  });
}
