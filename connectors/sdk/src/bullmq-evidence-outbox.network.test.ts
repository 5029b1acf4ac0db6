import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '@drawbridge/devnets/redis';
import { parseNetworkId } from '@drawbridge/protocol/ids';
import { evidenceQueue, type SealedJobData } from '@drawbridge/protocol/instruction-job';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type Job, Queue, UnrecoverableError, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { BullmqEvidenceOutbox } from './bullmq-evidence-outbox.ts';
import { BodyOpener } from './sealed-body.ts';

const network = parseNetworkId(`outbox-${randomBytes(4).toString('hex')}`);
const keys = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const opener = new BodyOpener(keys.privateKey);
const item = (jobId: string, text = jobId) => ({ jobId, bytes: Uint8Array.from(Buffer.from(text)) });

let dir: string;
let server: RedisServer;
let connection: Redis;
let queue: Queue<SealedJobData>;
let outbox: BullmqEvidenceOutbox;
let nowMs: number;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-outbox-'));
  server = await startRedis({ dir, redisUrl: process.env.REDIS_URL });
  connection = new Redis(server.url, { maxRetriesPerRequest: null });
  queue = new Queue(evidenceQueue(network), { connection });
}, 120_000);
afterAll(async () => {
  await queue?.close();
  connection?.disconnect();
  await server?.stop();
  await rm(dir, { recursive: true, force: true });
});

beforeEach(() => {
  nowMs = Date.now();
  const retry = { attempts: 2, firstPauseMs: 1, longestPauseMs: 1 };
  outbox = new BullmqEvidenceOutbox(
    { network, retry, keepCompleted: 10, retryCompletedAfterMs: 1_000, retryFailedAfterMs: 5_000 },
    { connection, log: pino({ level: 'silent' }), now: () => nowMs },
  );
  outbox.sealTo(keys.publicKey);
});
afterEach(async () => {
  await outbox.close();
  await queue.obliterate({ force: true });
});

const content = (job: Job<SealedJobData> | undefined): string => {
  if (!job?.id) throw new Error('the job is gone');
  const context = { purpose: 'evidence', network, jobId: job.id } as const;
  return Buffer.from(opener.open(Buffer.from(job.data.sealed, 'base64'), context)).toString();
};

/** Lets a hub take what waits, until the queue is idle. */
async function carry(processor: (job: Job<SealedJobData>) => Promise<unknown>): Promise<void> {
  const worker = new Worker<SealedJobData>(queue.name, processor, { connection, drainDelay: 1 });
  await new Promise<void>((resolve) => worker.once('drained', resolve));
  await worker.close();
}
const refuse = async () => {
  throw new UnrecoverableError('refused by the core: EVIDENCE_WRONG');
};

test('items are sealed to the core, in order, under their ids', async () => {
  await outbox.offer([item('b'), item('a')]);
  const jobs = await queue.getJobs(['waiting'], 0, -1, true);
  expect(jobs.map(({ id }) => id)).toEqual(['b', 'a']);
  expect(jobs.map(content)).toEqual(['b', 'a']);
});

test('an item that waits is left alone, whoever offers it again', async () => {
  await outbox.offer([item('a', 'first')]);
  await outbox.offer([item('a', 'second')]);
  nowMs += 60_000;
  await outbox.reoffer([item('a', 'third')]);
  expect(await queue.count()).toBe(1);
  expect(content(await queue.getJob('a'))).toBe('first');
});

test('after Redis was emptied it comes back', async () => {
  await outbox.offer([item('a')]);
  // What FLUSHALL does to this queue; a Redis that was given may hold more than ours.
  await queue.obliterate({ force: true });
  await outbox.reoffer([item('a')]);
  expect(content(await queue.getJob('a'))).toBe('a');
});

test('completed, and the core does not know it: it comes back, but not at once', async () => {
  await outbox.offer([item('a')]);
  await carry(async () => ({ result: 'accepted' }));
  await outbox.reoffer([item('a')]);
  expect(await queue.getJobState('a')).toBe('completed');
  nowMs += 2_000;
  await outbox.reoffer([item('a', 'anew')]);
  expect(await queue.getJobState('a')).toBe('waiting');
  expect(content(await queue.getJob('a'))).toBe('anew');
});

test('refused: it stays in sight with its error, then gets fresh evidence and another go in place', async () => {
  await outbox.offer([item('a')]);
  await carry(refuse);
  await outbox.reoffer([item('a', 'anew')]);
  expect(await queue.getJobState('a')).toBe('failed');
  expect((await queue.getJob('a'))?.failedReason).toBe('refused by the core: EVIDENCE_WRONG');
  nowMs += 6_000;
  await outbox.reoffer([item('a', 'anew')]);
  expect(await queue.getJobState('a')).toBe('waiting');
  expect(content(await queue.getJob('a'))).toBe('anew');
  expect(await queue.getJobCountByTypes('failed')).toBe(0);
});

test('two followers that offer the same add it once', async () => {
  await Promise.all([outbox.offer([item('a'), item('b')]), outbox.offer([item('a'), item('b')])]);
  expect(await queue.count()).toBe(2);
});

test('what a re-offer would leave alone is underway, and what the core took is completed', async () => {
  const looks = async () => [await outbox.isUnderway('a'), await outbox.isCompleted('a')];
  expect(await looks()).toEqual([false, false]);
  await outbox.offer([item('a')]);
  expect(await looks()).toEqual([true, false]);
  await carry(async () => ({ result: 'accepted' }));
  expect(await looks()).toEqual([true, true]);
  nowMs += 2_000;
  expect(await looks()).toEqual([false, true]);
});

test('what was refused is underway until it gets another go', async () => {
  await outbox.offer([item('a')]);
  await carry(refuse);
  nowMs += 2_000;
  expect([await outbox.isUnderway('a'), await outbox.isCompleted('a')]).toEqual([true, false]);
  nowMs += 4_000;
  expect(await outbox.isUnderway('a')).toBe(false);
});
