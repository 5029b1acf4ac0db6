/** The hub against a real Redis; the core is a stand-in for its relay port only. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '@drawbridge/devnets/redis';
import { parseNetworkId } from '@drawbridge/protocol/ids';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Queue, QueueEvents, UnrecoverableError, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import pino from 'pino';
import { parseConfig } from './config.ts';
import type { CoreRelay, EvidenceAnswer } from './core-relay.ts';
import { type RunningHub, startHub } from './hub.ts';
import { RedisCursorStore } from './redis-cursor-store.ts';

const network = parseNetworkId('quorum-a');
let dir: string;
let redis: RedisServer;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-hub-'));
  redis = await startRedis({ dir, redisUrl: process.env.REDIS_URL });
}, 60_000);
afterAll(async () => {
  await redis.stop();
  await rm(dir, { recursive: true });
});

/** A core with five open instructions that answers evidence by what its job id says. */
function core(): CoreRelay & { posted: string[] } {
  const posted: string[] = [];
  let early = true;
  const answer = (jobId: string): EvidenceAnswer => {
    posted.push(jobId);
    if (jobId.startsWith('refused')) return { jobId, result: 'refused', code: 'SIGNATURES' };
    if (!jobId.startsWith('early')) return { jobId, result: 'accepted' };
    const result = early ? 'early' : 'accepted';
    early = false;
    return { jobId, result };
  };
  return {
    posted,
    async outbox(_network, after, limit) {
      const open = Array.from({ length: 5 }, (_, i) => ({
        cursor: i + 1,
        jobId: `job${i + 1}`,
        sealed: 'c2Vh',
        supersedes: [],
      }));
      const items = open.filter((item) => item.cursor > after).slice(0, limit);
      return { items, next: items.at(-1)?.cursor ?? after };
    },
    postEvidence: async (_network, items) => items.map((item) => answer(item.jobId)),
  };
}

const config = () =>
  parseConfig({
    networks: [network],
    redisUrl: redis.url,
    core: { url: 'https://127.0.0.1:1', keyFile: '-', certFile: '-', serviceCertFile: '-' },
    limits: { outboxWaitMs: 20, outboxPauseMs: 20, earlyRetryMs: 20, sweepMs: 1_000 },
  });
const start = (relay: CoreRelay): Promise<RunningHub> =>
  startHub(config(), { core: relay, service: 'ours', log: pino({ enabled: false }), now: Date.now });

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('a hub on a real Redis', () => {
  it('keeps the cursors of one service apart from those of another', async () => {
    const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
    await new RedisCursorStore(connection, 'former').write(network, 50);
    expect(await new RedisCursorStore(connection, 'former').read(network)).toBe(50);
    expect(await new RedisCursorStore(connection, 'new').read(network)).toBe(0);
    connection.disconnect();
  });

  it('with another hub beside it makes one job of each instruction, and refills after FLUSHALL', async () => {
    const hubs = await Promise.all([start(core()), start(core())]);
    const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
    const queue = new Queue('instructions.quorum-a', { connection });
    await until('five jobs', async () => (await queue.getJobCountByTypes('waiting')) === 5);
    await connection.flushall();
    await until('five jobs again', async () => (await queue.getJobCountByTypes('waiting')) === 5);
    await queue.close();
    connection.disconnect();
    for (const hub of hubs) await hub.stop();
  });

  it('restores a job that somebody put garbage under, and has it tried again', async () => {
    const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
    const blocking = connection.duplicate();
    await connection.flushall();
    const queue = new Queue('instructions.quorum-a', { connection });
    const seen: string[] = [];
    const worker = new Worker<{ sealed: string }>(
      queue.name,
      async (job) => {
        seen.push(job.data.sealed);
        if (job.data.sealed === 'garbage') throw new UnrecoverableError('cannot be opened');
      },
      { connection: blocking },
    );
    await queue.add('instruction', { v: 1, sealed: 'garbage' }, { jobId: 'job1' });
    await until('the failure', async () => (await queue.getFailedCount()) === 1);
    const hub = await start(core());
    await until('all five done', async () => (await queue.getCompletedCount()) === 5);
    expect(seen.filter((sealed) => sealed === 'garbage')).toHaveLength(1);
    await worker.close();
    blocking.disconnect();
    await queue.close();
    connection.disconnect();
    await hub.stop();
  });

  it('ends evidence by the core’s answer: done, later, or failed for good with a code', async () => {
    const relay = core();
    const hub = await start(relay);
    const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
    const queue = new Queue('evidence.quorum-a', { connection });
    const blocking = connection.duplicate();
    const events = new QueueEvents('evidence.quorum-a', { connection: blocking });
    await events.waitUntilReady();
    const add = (jobId: string) => queue.add('evidence', { v: 1, sealed: 'c2Vh' }, { jobId, attempts: 3 });
    await expect((await add('good1')).waitUntilFinished(events)).resolves.toEqual({ result: 'accepted' });
    await expect((await add('early1')).waitUntilFinished(events)).resolves.toEqual({ result: 'accepted' });
    await expect((await add('refused1')).waitUntilFinished(events)).rejects.toThrow('refused by the core: SIGNATURES');
    expect(relay.posted.filter((id) => id === 'refused1')).toHaveLength(1);
    const metrics = await (await fetch(`${hub.url}/metrics`)).text();
    expect(metrics).toContain('drawbridge_queue_depth{queue="evidence.quorum-a",state="failed"} 1');
    await events.close();
    blocking.disconnect();
    await queue.close();
    connection.disconnect();
    await hub.stop();
  });
});
