/** The scenarios of the conformance suite, one function each; what each shows is its entry's title. */
import { expect } from '@jest/globals';
import type { ConformanceBench } from './conformance-bench.ts';

export type Scenario = Readonly<{
  title: string;
  run: (bench: ConformanceBench) => Promise<void>;
  /** Blocks can be replaced before the depth that makes them final. */
  needsDepth?: boolean;
}>;

async function duplicates(bench: ConformanceBench): Promise<void> {
  await bench.harness.setMining(true);
  await bench.start();
  const job = await bench.harness.release('payable');
  const ids = [await bench.queue.add(job), await bench.queue.add(job)];
  for (const id of ids) expect(await bench.finished(id)).toEqual({ state: 'completed', result: 'executed' });
  expect(await bench.harness.timesPaid(job)).toBe(1);
  const before = await bench.harness.transactions();
  const again = await bench.queue.add(job);
  expect(await bench.finished(again)).toEqual({ state: 'completed', result: 'executed' });
  expect(await bench.harness.transactions()).toBe(before);
}

async function twoConnectors(bench: ConformanceBench): Promise<void> {
  await bench.harness.setMining(true);
  await Promise.all([bench.start(), bench.start()]);
  const job = await bench.harness.release('payable');
  const ids = await Promise.all([
    bench.queue.add(job),
    bench.queue.add(job),
    bench.queue.add(job),
    bench.queue.add(job),
  ]);
  for (const id of ids) expect(await bench.finished(id)).toEqual({ state: 'completed', result: 'executed' });
  expect(await bench.harness.timesPaid(job)).toBe(1);
}

async function killedBetween(bench: ConformanceBench): Promise<void> {
  await bench.harness.setMining(true);
  const job = await bench.harness.release('payable');
  const swallow = await bench.harness.swallowNextAnswer();
  const first = await bench.start();
  const id = await bench.queue.add(job);
  await swallow.taken;
  await first.kill();
  swallow.restore();
  const before = await bench.harness.transactions();
  await bench.start(first);
  expect(await bench.finished(id)).toEqual({ state: 'completed', result: 'executed' });
  expect(await bench.harness.timesPaid(job)).toBe(1);
  expect(await bench.harness.transactions()).toBe(before);
}

async function reorganisation(bench: ConformanceBench): Promise<void> {
  await bench.harness.setMining(false);
  await bench.start();
  const job = await bench.harness.release('payable');
  const before = await bench.harness.transactions();
  const id = await bench.queue.add(job);
  await bench.queue.until(async () => (await bench.harness.transactions()) > before, bench.timeoutMs);
  await bench.harness.mine(1);
  await bench.queue.until(async () => (await bench.harness.state(job)) === 'executed', bench.timeoutMs);
  expect(await bench.queue.state(id)).not.toBe('completed');
  await bench.harness.reorganise(1);
  expect(await bench.harness.state(job)).toBe('unspent');
  await bench.harness.setMining(true);
  expect(await bench.finished(id)).toEqual({ state: 'completed', result: 'executed' });
  expect(await bench.harness.timesPaid(job)).toBe(1);
}

async function stopped(bench: ConformanceBench): Promise<void> {
  await bench.harness.setMining(false);
  const first = await bench.start();
  const job = await bench.harness.release('payable');
  const before = await bench.harness.transactions();
  const id = await bench.queue.add(job);
  await bench.queue.until(async () => (await bench.harness.transactions()) > before, bench.timeoutMs);
  await first.stop();
  expect(await bench.queue.state(id)).not.toBe('failed');
  await bench.harness.setMining(true);
  await bench.start(first);
  expect(await bench.finished(id)).toEqual({ state: 'completed', result: 'executed' });
  expect(await bench.harness.timesPaid(job)).toBe(1);
  expect(await bench.harness.transactions()).toBe(before + 1);
}

async function refusedForEver(bench: ConformanceBench): Promise<void> {
  await bench.harness.setMining(true);
  await bench.start();
  const job = await bench.harness.release('refused');
  // What a job says of its attempts is not believed.
  const id = await bench.queue.add(job, { attempts: 2 });
  const end = await bench.finished(id);
  expect(end.state === 'failed' && end.attempts > 2).toBe(true);
  expect(end).toMatchObject({ state: 'failed', reason: expect.stringMatching(/^[A-Z_]+: [a-z ,']+$/) });
  const voided = await bench.queue.add(await bench.harness.voidOf(job));
  expect(await bench.finished(voided)).toEqual({ state: 'completed', result: 'executed' });
  expect(await bench.harness.state(job)).toBe('voided');
  await bench.queue.retry(id);
  expect(await bench.finished(id)).toEqual({ state: 'completed', result: 'voided' });
  expect(await bench.harness.timesPaid(job)).toBe(0);
}

async function late(bench: ConformanceBench): Promise<void> {
  await bench.harness.setMining(true);
  await bench.start();
  const before = await bench.harness.transactions();
  const id = await bench.queue.add(await bench.harness.release('late'));
  expect(await bench.finished(id)).toEqual({ state: 'completed', result: 'expired' });
  expect(await bench.harness.transactions()).toBe(before);
}

async function refusedAtOnce(bench: ConformanceBench): Promise<void> {
  await bench.harness.setMining(true);
  await bench.start();
  const before = await bench.harness.transactions();
  const forged = await bench.queue.add(await bench.harness.forged());
  const garbage = await bench.queue.addRaw({ v: 1, sealed: 'AAAA' });
  const moved = await bench.queue.addRaw(bench.queue.seal(await bench.harness.release('payable'), 'another-job'));
  for (const id of [forged, garbage, moved]) {
    expect(await bench.finished(id)).toMatchObject({ state: 'failed', reason: expect.stringMatching(/^[A-Z_]+: /) });
  }
  expect(await bench.harness.transactions()).toBe(before);
}

async function overtaken(bench: ConformanceBench): Promise<void> {
  await bench.harness.setMining(true);
  await bench.start();
  const job = await bench.harness.release('payable');
  expect(await bench.finished(await bench.queue.add(job))).toMatchObject({ state: 'completed' });
  const id = await bench.queue.add(await bench.harness.voidOf(job));
  expect(await bench.finished(id)).toEqual({ state: 'completed', result: 'overtaken' });
  expect(await bench.harness.timesPaid(job)).toBe(1);
}

export const SCENARIOS: readonly Scenario[] = [
  { title: 'the same instruction in two jobs takes effect once; both jobs end well', run: duplicates },
  { title: 'two connectors with one instruction: it takes effect once', run: twoConnectors },
  {
    title: 'killed between sending and hearing of it: the next one finds it, and it takes effect once',
    run: killedBetween,
  },
  {
    title: 'a reorganisation before the required depth: it is not done until it is final',
    run: reorganisation,
    needsDepth: true,
  },
  { title: 'stopped in good order with an instruction underway: the next one brings it to its end', run: stopped },
  { title: 'a destination that refuses for ever: attempts end in words, and a void ends it', run: refusedForEver },
  { title: 'what comes too late costs no fee', run: late },
  {
    title: 'what the authority did not sign, or is no sealed job, is refused at once and costs no fee',
    run: refusedAtOnce,
  },
  { title: 'a void of what was executed ends well and changes nothing', run: overtaken },
];
