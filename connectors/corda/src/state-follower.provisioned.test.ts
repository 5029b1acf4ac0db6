/** The follower over a real RabbitMQ and a real Redis, with doubles of agent, ledger and core. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BullmqEvidenceOutbox } from '@drawbridge/connector-sdk/bullmq-evidence-outbox';
import { evidenceIdKey, transactionJobId } from '@drawbridge/connector-sdk/evidence-job-id';
import { BodyOpener } from '@drawbridge/connector-sdk/sealed-body';
import type { StatesBook } from '@drawbridge/connector-sdk/states-book';
import { type RedisServer, startRedis } from '@drawbridge/devnets/redis';
import { testWithRabbitMq } from '@drawbridge/devnets/testing/with-rabbitmq';
import { until } from '@drawbridge/devnets/until';
import { type Bytes32, toBytes32 } from '@drawbridge/protocol/bytes32';
import { parseEvmAddress } from '@drawbridge/protocol/ids';
import { evidenceQueue, type SealedJobData } from '@drawbridge/protocol/instruction-job';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { type Job, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { AgentQueries } from './agent-queries.ts';
import { FollowerMetrics } from './follower-metrics.ts';
import { StateFollower } from './state-follower.ts';
import type { AgentDouble } from './testing/agent-double.ts';
import { rsaKeys } from './testing/broker-place.ts';
import { LedgerDouble } from './testing/ledger-double.ts';
import { LineBed, type OpenLine } from './testing/line-bed.ts';

const DEADLINE_MS = 60_000;
jest.setTimeout(180_000);
const withRabbitMq = await testWithRabbitMq();
const available = withRabbitMq === test;
const authority = parseEvmAddress(`0x${'ab'.repeat(20)}`);
const coreKeys = rsaKeys();
const openerOfCore = new BodyOpener(coreKeys.privateKey);

let bed: LineBed;
let dir: string;
let redis: RedisServer;
let connection: Redis;
let queue: Queue<SealedJobData>;
let ledger: LedgerDouble;
let agent: AgentDouble;
let book: StatesBook;
const running: StateFollower[] = [];
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  if (!available) return;
  bed = await LineBed.start();
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-follower-'));
  redis = await startRedis({ dir, redisUrl: process.env.REDIS_URL });
  connection = new Redis(redis.url, { maxRetriesPerRequest: null });
  queue = new Queue(evidenceQueue(bed.network), { connection });
});
beforeEach(async () => {
  if (available) await setUp('escrow');
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((follower) => follower.stop()));
  await bed?.clear();
  for (const close of closing.splice(0)) await close();
  await queue?.obliterate({ force: true });
});
afterAll(async () => {
  await queue?.close();
  connection?.disconnect();
  await redis?.stop();
  await bed?.stop();
  if (dir !== undefined) await rm(dir, { recursive: true, force: true });
});

async function setUp(mode: 'escrow' | 'issue'): Promise<void> {
  const { network } = bed;
  ledger = new LedgerDouble({ network, authority, genesisHash: toBytes32(randomBytes(32)), mode });
  book = { vault: ledger.vaultId, proven: true, vaultState: ledger.vaultState, permits: [], states: [] };
  agent = await bed.startAgent((verb, args) => ledger.handle(verb, args));
}

/** `compareMs`: long, where a test is about events alone. */
async function follow(compareMs: number): Promise<OpenLine> {
  const line = bed.openLine();
  const { network } = bed;
  const log = pino({ level: 'silent' });
  const retry = { attempts: 2, firstPauseMs: 1, longestPauseMs: 1 };
  const outbox = new BullmqEvidenceOutbox(
    { network, retry, keepCompleted: 100, retryCompletedAfterMs: 100, retryFailedAfterMs: 100 },
    { connection, log, now: () => Date.now() },
  );
  const queries = new AgentQueries({ timeoutMs: 5_000, signal: new AbortController().signal }, line.agent);
  const metrics = new FollowerMetrics(network, line.registry);
  const follower = new StateFollower(
    {
      network,
      vaults: [{ asset: ledger.asset, address: ledger.vaultId }],
      idKey: evidenceIdKey(bed.place.connectorKeys.privateKey),
      compareMs,
      maxPages: 10,
      maxOwed: 10,
      maxBurns: 100,
      requeueMs: 50,
    },
    {
      link: line.link,
      opener: line.opener,
      queries,
      books: { book: async () => book, sealingKey: async () => coreKeys.publicKey },
      outbox,
      metrics: {
        offers: () => undefined,
        compared: (...counts) => metrics.compared(...counts),
        unprovable: (code) => metrics.unprovable(code),
      },
      log,
    },
  );
  running.push(follower);
  closing.push(() => outbox.close());
  await line.link.start();
  await until('line and agent are up', DEADLINE_MS, async () => line.link.up && agent.up);
  follower.start();
  return line;
}

const jobOf = (transaction: Bytes32): string =>
  transactionJobId(evidenceIdKey(bed.place.connectorKeys.privateKey), bed.network, transaction);
/** A transaction that no comparison finds. */
const untold = (): Bytes32 => toBytes32(randomBytes(32));
const eventOf = (transaction: Bytes32) => ({
  vault: ledger.vaultId,
  transaction,
  evidence: ledger.evidenceOf(transaction),
});
const opened = (job: Job<SealedJobData> | undefined): string => {
  if (job?.id === undefined) throw new Error('the job is gone');
  const context = { purpose: 'evidence', network: bed.network, jobId: job.id } as const;
  return Buffer.from(openerOfCore.open(Buffer.from(job.data.sealed, 'base64'), context)).toString();
};
const queued = async (transaction: Bytes32): Promise<boolean> => (await queue.getJob(jobOf(transaction))) !== undefined;
const eventsLeft = async (): Promise<number> => bed.waiting('events');

withRabbitMq('an event becomes a job, sealed to the core, once, however often it comes', async () => {
  await follow(60_000);
  const transaction = untold();
  for (let copy = 0; copy < 3; copy += 1) expect(await agent.sendEvent(eventOf(transaction))).toBe(true);
  await until('it is queued', DEADLINE_MS, () => queued(transaction));
  await until('all are acknowledged', DEADLINE_MS, async () => (await eventsLeft()) === 0);
  expect(opened(await queue.getJob(jobOf(transaction)))).toBe(Buffer.from(ledger.evidenceOf(transaction)).toString());
  expect(await queue.count()).toBe(1);
});

withRabbitMq('events wait at the broker while nobody follows, through its restart', async () => {
  const line = await follow(60_000);
  await running.pop()?.stop();
  await line.link.stop();
  const transaction = untold();
  await until('the agent is up', DEADLINE_MS, async () => agent.up && (await agent.sendEvent(eventOf(transaction))));
  await bed.place.server.restart();
  await follow(60_000);
  await until('it is queued', DEADLINE_MS, () => queued(transaction));
});

withRabbitMq(
  'an event that was never told is found by the comparison, as is who spent what the core holds',
  async () => {
    const lock = ledger.lock();
    const { permit, coin } = ledger.fresh();
    book = { ...book, permits: [permit], states: [{ ref: coin, kind: 'coin' }] };
    const paid = ledger.handle('execute', executeArgs([permit, coin]));
    const payment = toBytes32((paid.ok ? paid.result[0] : undefined) as Uint8Array);
    await follow(200);
    await until('the lock is queued', DEADLINE_MS, () => queued(lock.transaction));
    await until('the payment is queued', DEADLINE_MS, () => queued(payment));
    expect(await queue.count()).toBe(2);
  },
);

withRabbitMq(
  'what was queued, completed, and is still not in the book is offered again; what is booked is not',
  async () => {
    const lock = ledger.lock();
    await follow(200);
    const id = jobOf(lock.transaction);
    let carried = 0;
    const hub = new Worker(
      queue.name,
      async () => {
        carried += 1;
      },
      { connection },
    );
    closing.push(() => hub.close());
    await until('it came more than once', DEADLINE_MS, async () => carried > 1);
    const [coin, record] = lock.made;
    if (coin === undefined || record === undefined) throw new Error('a lock makes two states');
    book = { ...book, states: [{ ref: coin, kind: 'coin' }] };
    agent.verbs.length = 0;
    // Two whole comparisons later.
    await until('it was compared', DEADLINE_MS, async () => agent.verbs.filter((verb) => verb === 'states').length > 2);
    const settled = carried;
    await until('and again', DEADLINE_MS, async () => agent.verbs.filter((verb) => verb === 'states').length > 5);
    expect(carried).toBe(settled);
    expect(await queue.getJobState(id)).toBe('completed');
  },
);

withRabbitMq('a burn whose evidence the core took is not offered for ever', async () => {
  await agent.stop();
  await setUp('issue');
  const burn = ledger.lock();
  await follow(100);
  await until('it is queued', DEADLINE_MS, () => queued(burn.transaction));
  const hub = new Worker(queue.name, async () => ({ result: 'accepted' }), { connection });
  closing.push(() => hub.close());
  await until(
    'it is taken',
    DEADLINE_MS,
    async () => (await queue.getJobState(jobOf(burn.transaction))) === 'completed',
  );
  const comparisons = () => agent.verbs.filter((verb) => verb === 'states').length;
  const before = comparisons();
  await until('it was compared', DEADLINE_MS, async () => comparisons() > before + 2);
  agent.verbs.length = 0;
  await until('and again', DEADLINE_MS, async () => comparisons() > 3);
  expect(agent.verbs).not.toContain('proof');
});

withRabbitMq('events of vaults that are not served, and without evidence, do no harm', async () => {
  const line = await follow(60_000);
  const transaction = untold();
  const dead = await bed.waiting('dead-letters');
  await agent.sendEvent({ ...eventOf(transaction), vault: toBytes32(randomBytes(32)) });
  await agent.sendEvent({ ...eventOf(transaction), evidence: new Uint8Array(0) });
  await until('one is dead', DEADLINE_MS, async () => (await bed.waiting('dead-letters')) === dead + 1);
  await until('none is left', DEADLINE_MS, async () => (await eventsLeft()) === 0);
  expect(await queue.count()).toBe(0);
  expect(line.link.up).toBe(true);
});

function executeArgs(refs: readonly string[]) {
  const word = () => randomBytes(32);
  const fields = [word(), 1, word(), word(), 100, word(), word(), 0, 1, new Uint8Array(0)];
  return [word(), fields, randomBytes(65), refs.map((ref) => Buffer.from(ref.slice(2), 'hex'))];
}
