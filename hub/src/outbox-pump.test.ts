import { parseNetworkId } from '@drawbridge/protocol/ids';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import pino from 'pino';
import type { OutboxPage } from './core-relay.ts';
import { OutboxPump } from './outbox-pump.ts';

const network = parseNetworkId('quorum-a');
const POLL_MS = 200;
const GAP_MS = 20;

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
  const pump = new OutboxPump(
    { network, pageSize: 2, pollMs: POLL_MS, gapMs: GAP_MS, sweepMs: 1_000, job: { attempts: 3 } },
    {
      core: {
        async outbox(_network, after, limit): Promise<OutboxPage> {
          asked += 1;
          if (!answers) throw new Error('the core is away');
          const items = open.filter((item) => item.cursor > after).slice(0, limit);
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
    w.advance(1_000);
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

describe('OutboxPump that is told of accepted evidence', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** A pump that has looked once and waits for its poll. */
  async function waiting() {
    const w = world(0);
    w.pump.start();
    await w.pass(0);
    await w.pass(GAP_MS);
    expect(w.asked()).toBe(1);
    return w;
  }

  it('looks at once', async () => {
    const w = await waiting();
    w.open.push({ cursor: 1, jobId: 'job-1', sealed: 'c2VhbGVk', supersedes: [] });
    w.pump.soon();
    await w.pass(1);
    expect([...w.jobs.keys()]).toEqual(['job-1']);
    await w.pump.stop();
  });

  it('looks once in a gap, however often it is told', async () => {
    const w = await waiting();
    for (let ms = 0; ms < 5 * GAP_MS; ms += 1) {
      w.pump.soon();
      await w.pass(1);
    }
    expect(w.asked()).toBeGreaterThan(1);
    expect(w.asked()).toBeLessThanOrEqual(1 + 5);
    await w.pump.stop();
  });

  it('goes on with its poll afterwards', async () => {
    const w = await waiting();
    w.pump.soon();
    await w.pass(1);
    expect(w.asked()).toBe(2);
    await w.pass(POLL_MS - 2);
    expect(w.asked()).toBe(2);
    await w.pass(2);
    expect(w.asked()).toBe(3);
    await w.pump.stop();
  });

  it('does not press a core that fails', async () => {
    const w = await waiting();
    w.answer(false);
    await w.pass(POLL_MS);
    expect(w.asked()).toBe(2);
    w.pump.soon();
    await w.pass(POLL_MS);
    expect(w.asked()).toBe(2);
    await w.pump.stop();
  });

  it('does not begin again after its end', async () => {
    const w = await waiting();
    await w.pump.stop();
    w.pump.soon();
    await w.pass(10 * POLL_MS);
    expect(w.asked()).toBe(1);
  });
});
