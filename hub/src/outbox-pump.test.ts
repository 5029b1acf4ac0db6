import { parseNetworkId } from '@drawbridge/protocol/ids';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import pino from 'pino';
import type { OutboxPage } from './core-relay.ts';
import { OutboxPump } from './outbox-pump.ts';

const network = parseNetworkId('quorum-a');
const WAIT_MS = 5_000;
const PAUSE_MS = 50;
const SWEEP_MS = 30_000;

/** A core with `count` open instructions, a queue that keeps ids once, and a Redis that can be emptied. */
function world(count: number) {
  const open = Array.from({ length: count }, (_, i) => ({
    cursor: i + 1,
    jobId: `job-${i + 1}`,
    sealed: 'c2VhbGVk',
    supersedes: [] as string[],
  }));
  const jobs = new Map<string, unknown>();
  const cursors = new Map<string, number>();
  let clock = 0;
  let asked = 0;
  let answers = true;
  let waits = true;
  let wake: () => void = () => undefined;
  const pump = new OutboxPump(
    { network, pageSize: 2, waitMs: WAIT_MS, pauseMs: PAUSE_MS, sweepMs: SWEEP_MS, job: { attempts: 3 } },
    {
      core: {
        async outbox(_network, after, limit, { waitMs = 0, signal } = {}): Promise<OutboxPage> {
          asked += 1;
          if (!answers) throw new Error('the core is away');
          const behind = () => open.filter((item) => item.cursor > after).slice(0, limit);
          if (behind().length === 0 && waitMs > 0 && waits) {
            await new Promise<void>((resolve) => {
              wake = resolve;
              setTimeout(resolve, waitMs);
              signal?.addEventListener('abort', () => resolve());
            });
          }
          const items = behind();
          return { items, next: items.at(-1)?.cursor ?? after };
        },
        postEvidence: async () => [],
      },
      queue: {
        async addBulk(list) {
          for (const { opts, data } of list) if (opts.jobId && !jobs.has(opts.jobId)) jobs.set(opts.jobId, data);
        },
        async restore(jobId, data) {
          jobs.set(jobId, data);
        },
        async remove(jobId) {
          jobs.delete(jobId);
        },
      },
      cursors: {
        read: async (id) => cursors.get(id) ?? 0,
        write: async (id, cursor) => {
          cursors.set(id, cursor);
        },
      },
      metrics: { offered: () => undefined, failed: () => undefined },
      log: pino({ enabled: false }),
      now: () => clock,
    },
  );
  return {
    pump,
    open,
    jobs,
    cursors,
    asked: () => asked,
    advance: (ms: number) => {
      clock += ms;
    },
    answer: (whether: boolean) => {
      answers = whether;
    },
    /** Whether the core waits for instructions when it is asked to. */
    wait: (whether: boolean) => {
      waits = whether;
    },
    /** An instruction more; who waits for one is answered. */
    instruct: () => {
      const cursor = open.length + 1;
      open.push({ cursor, jobId: `job-${cursor}`, sealed: 'c2VhbGVk', supersedes: [] });
      wake();
    },
    /** Time passes for the pump too. */
    pass: async (ms: number) => {
      clock += ms;
      await jest.advanceTimersByTimeAsync(ms);
    },
  };
}

describe('OutboxPump', () => {
  it('takes page after page and remembers how far it came', async () => {
    const w = world(5);
    expect(await w.pump.pump()).toBe(5);
    expect([...w.jobs.keys()]).toEqual(['job-1', 'job-2', 'job-3', 'job-4', 'job-5']);
    expect(w.cursors.get(network)).toBe(5);
    expect(await w.pump.pump()).toBe(0);
  });

  it('refills an emptied Redis from the outbox', async () => {
    const w = world(3);
    await w.pump.pump();
    w.jobs.clear();
    w.cursors.clear();
    expect(await w.pump.pump()).toBe(3);
    expect(w.jobs.size).toBe(3);
  });

  it('brings back a job that was removed while its instruction is open, at the next sweep', async () => {
    const w = world(3);
    await w.pump.pump();
    w.jobs.delete('job-2');
    expect(await w.pump.pump()).toBe(0);
    w.advance(SWEEP_MS);
    await w.pump.pump();
    expect(w.jobs.has('job-2')).toBe(true);
  });

  it('removes the jobs that a newly signed instruction supersedes', async () => {
    const w = world(1);
    await w.pump.pump();
    w.open.push({ cursor: 2, jobId: 'job-1-epoch-2', sealed: 'c2VhbGVk', supersedes: ['job-1'] });
    await w.pump.pump();
    expect([...w.jobs.keys()]).toEqual(['job-1-epoch-2']);
  });

  it('gives a job its own body again where somebody put another under its id', async () => {
    const w = world(1);
    w.jobs.set('job-1', { v: 1, sealed: 'Z2FyYmFnZQ==' });
    await w.pump.pump();
    expect(w.jobs.get('job-1')).toEqual({ v: 1, sealed: 'c2VhbGVk' });
  });

  it('puts nothing but the sealed body into a job', async () => {
    const w = world(1);
    await w.pump.pump();
    expect(w.jobs.get('job-1')).toEqual({ v: 1, sealed: 'c2VhbGVk' });
  });
});

describe('OutboxPump that runs', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** A pump that has swept once, and whose question is with the core. */
  async function waiting(count = 0) {
    const w = world(count);
    w.pump.start();
    await w.pass(0);
    await w.pass(PAUSE_MS);
    return { ...w, before: w.asked() };
  }

  it('has one question with the core, and offers what it is answered at once', async () => {
    const w = await waiting();
    await w.pass(WAIT_MS - 1);
    expect(w.asked()).toBe(w.before);
    w.instruct();
    await w.pass(0);
    expect([...w.jobs.keys()]).toEqual(['job-1']);
    w.instruct();
    await w.pass(0);
    expect([...w.jobs.keys()]).toEqual(['job-1', 'job-2']);
    await w.pump.stop();
  });

  it('asks again when the core had nothing in that time', async () => {
    const w = await waiting();
    await w.pass(WAIT_MS);
    expect(w.asked()).toBe(w.before + 1);
    await w.pump.stop();
  });

  it('does not take what came while Redis was emptied for all that there is', async () => {
    const w = await waiting(3);
    expect(w.cursors.get(network)).toBe(3);
    w.jobs.clear();
    w.cursors.clear();
    w.instruct();
    await w.pass(0);
    expect([...w.jobs.keys()].sort()).toEqual(['job-1', 'job-2', 'job-3', 'job-4']);
    expect(w.cursors.get(network)).toBe(4);
    await w.pump.stop();
  });

  it('sweeps in time, however long the core may wait', async () => {
    const w = await waiting(1);
    w.jobs.clear();
    await w.pass(SWEEP_MS);
    expect([...w.jobs.keys()]).toEqual(['job-1']);
    await w.pump.stop();
  });

  it('does not press a core that does not wait, or that fails', async () => {
    const w = await waiting();
    w.wait(false);
    await w.pass(WAIT_MS);
    const quick = w.asked();
    await w.pass(10 * PAUSE_MS);
    expect(w.asked() - quick).toBeLessThanOrEqual(10);
    w.answer(false);
    await w.pass(PAUSE_MS);
    const failed = w.asked();
    await w.pass(30 * PAUSE_MS);
    expect(w.asked() - failed).toBeLessThanOrEqual(5);
    await w.pump.stop();
  });

  it('ends though a question is with the core, and asks no more', async () => {
    const w = await waiting();
    await w.pump.stop();
    await w.pass(10 * WAIT_MS);
    expect(w.asked()).toBe(w.before);
  });
});
