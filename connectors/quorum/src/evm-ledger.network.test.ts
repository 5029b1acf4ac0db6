import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ConnectorMetrics } from '@drawbridge/connector-sdk/connector-metrics';
import { type RedisServer, startRedis } from '@drawbridge/devnets/redis';
import type { InstructionJob } from '@drawbridge/protocol/instruction-job';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { defaultLimits } from './config.ts';
import { type FeeAccount, openFeeAccount } from './fee-account.ts';
import { FeeKey } from './fee-key.ts';
import { startVaultTestbed, type VaultTestbed } from './testing/vault-testbed.ts';

const DEPTH = 3;
const log = pino({ level: 'silent' });
const limits = {
  ...defaultLimits(),
  pollMs: 20,
  droppedAfterMs: 200,
  gapAfterMs: 300,
  replaceAfterMs: 60_000,
  supersededLooks: 3,
};

let bed: VaultTestbed;
let redisServer: RedisServer;
let redis: Redis;
let dir: string;
const accounts: FeeAccount[] = [];
let metrics: ConnectorMetrics;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-ledger-'));
  [bed, redisServer] = await Promise.all([
    startVaultTestbed({ chainId: 4_101, mining: 'manual' }),
    startRedis({ dir: join(dir, 'redis'), redisUrl: process.env.REDIS_URL }),
  ]);
  redis = new Redis(redisServer.url);
}, 120_000);

afterAll(async () => {
  redis?.disconnect();
  await redisServer?.stop();
  await bed?.stop();
  await rm(dir, { recursive: true, force: true });
});

beforeEach(async () => {
  metrics = new ConnectorMetrics(bed.network);
});
afterEach(async () => {
  await Promise.all(accounts.splice(0).map((account) => account.stop()));
});

/** `name` is the folder of the journal: the same name goes on where the last one ended. */
async function open(name: string): Promise<FeeAccount> {
  const { chainId } = bed.anvil;
  const account = await openFeeAccount(
    {
      chainId,
      genesisHash: bed.genesisHash,
      depthBlocks: DEPTH,
      feeKey: bed.feeKey(),
      stateDir: join(dir, name),
      limits,
    },
    { node: bed.node, redis, metrics, log, now: () => performance.now() },
  );
  accounts.push(account);
  return account;
}

const patience = { signal: new AbortController().signal, onStage: () => undefined };
const execute = (account: FeeAccount, job: InstructionJob) => account.ledger.execute(job, patience);
const final = (account: FeeAccount, job: InstructionJob) =>
  account.ledger.awaitFinality(job, { timeoutMs: 20_000, signal: patience.signal });

/** Blocks come until `work` is done. */
async function mining<T>(work: Promise<T>): Promise<T> {
  let done = false;
  const settled = work.finally(() => {
    done = true;
  });
  while (!done) {
    await bed.anvil.mine();
    await delay(30);
  }
  return settled;
}

const poolSize = async (): Promise<number> => {
  const status = (await bed.anvil.rpc('txpool_status')) as { pending: string };
  return Number(status.pending);
};
async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('the condition did not come about');
    await delay(20);
  }
}
async function counted(name: string): Promise<number> {
  const metric = await metrics.registry.getSingleMetric(`drawbridge_connector_${name}`)?.get();
  return metric?.values.reduce((sum, { value }) => sum + value, 0) ?? 0;
}

describe('one instruction', () => {
  test('is open, executed, spent, and final only at depth', async () => {
    const account = await open('plain');
    const job = bed.release();
    expect(await account.ledger.lookUp(job)).toEqual({ state: 'open' });
    const executed = execute(account, job);
    await until(async () => (await poolSize()) === 1);
    await bed.anvil.mine();
    expect(await executed).toEqual({ type: 'submitted' });
    expect(await account.ledger.lookUp(job)).toEqual({ state: 'spent', as: 'executed', final: false });
    await bed.anvil.mine(DEPTH - 1);
    expect(await final(account, job)).toBe('executed');
    expect(await account.ledger.lookUp(job)).toEqual({ state: 'spent', as: 'executed', final: true });
    expect(await bed.paid(job)).toBe(7n);
  }, 30_000);

  test('executed again sends nothing', async () => {
    const account = await open('again');
    const job = bed.release();
    await mining(execute(account, job));
    const before = await bed.node.transactionCount(keyOf().address, 'pending');
    expect(await execute(account, job)).toEqual({ type: 'submitted' });
    expect(await bed.node.transactionCount(keyOf().address, 'pending')).toBe(before);
  }, 30_000);

  test('that the destination refuses is never final, until a void', async () => {
    const account = await open('refused');
    const job = bed.release({ refused: true });
    expect(await execute(account, job)).toMatchObject({ type: 'later', code: 'DESTINATION_REVERTED' });
    const voiding = bed.voidOf(job);
    await mining(execute(account, voiding));
    expect(await mining(final(account, voiding))).toBe('executed');
    expect(await account.ledger.lookUp(job)).toMatchObject({ state: 'spent', as: 'voided' });
  }, 30_000);

  test('a void of what was executed is overtaken', async () => {
    const account = await open('overtaken');
    const job = bed.release();
    await mining(execute(account, job));
    expect(await account.ledger.lookUp(bed.voidOf(job))).toMatchObject({ state: 'spent', as: 'overtaken' });
  }, 30_000);

  test('past its time costs no fee', async () => {
    const account = await open('late');
    const { timestampSeconds = 0 } = (await bed.node.block('latest')) ?? {};
    const late = bed.release({ notAfterSeconds: timestampSeconds - 1 });
    expect(await account.ledger.lookUp(late)).toEqual({ state: 'expired' });
    expect(await execute(account, late)).toEqual({ type: 'expired' });
    expect(await poolSize()).toBe(0);
  }, 30_000);
});

describe('what can happen to a transaction', () => {
  test('dropped from the pool: it is sent again', async () => {
    const account = await open('dropped');
    const job = bed.release();
    const executed = execute(account, job);
    await until(async () => (await poolSize()) === 1);
    await bed.anvil.rpc('anvil_dropAllTransactions');
    await until(async () => (await poolSize()) === 1);
    expect(await mining(executed)).toEqual({ type: 'submitted' });
    expect(await mining(final(account, job))).toBe('executed');
    expect(await counted('resends_total')).toBe(1);
    expect(await bed.paid(job)).toBe(7n);
  }, 30_000);

  test('thrown out by a reorganisation before depth: it is sent again, and takes effect once', async () => {
    const account = await open('reorg');
    const job = bed.release();
    await mining(execute(account, job));
    await bed.anvil.reorg(2);
    expect(await bed.paid(job)).toBe(0n);
    expect(await mining(final(account, job))).toBe('executed');
    expect(await bed.paid(job)).toBe(7n);
  }, 30_000);

  test('the process dies between the journal and the answer: the very same transaction goes out again', async () => {
    const job = bed.release();
    const first = await open('crash');
    const crash = new AbortController();
    const executed = first.ledger.execute(job, { ...patience, signal: crash.signal });
    await until(async () => (await poolSize()) === 1);
    const before = await bed.node.transactionCount(keyOf().address, 'pending');
    // As after a crash: the pool is empty, the journal is what the disk has.
    accounts.splice(accounts.indexOf(first), 1);
    crash.abort();
    await executed;
    await first.stop();
    await bed.anvil.rpc('anvil_dropAllTransactions');
    const second = await open('crash');
    await until(async () => (await poolSize()) === 1);
    expect(await bed.node.transactionCount(keyOf().address, 'pending')).toBe(before);
    expect(await mining(execute(second, job))).toEqual({ type: 'submitted' });
    expect(await mining(final(second, job))).toBe('executed');
    expect(await bed.paid(job)).toBe(7n);
  }, 40_000);

  test('its nonce was used by another transaction of the key: it takes another', async () => {
    const account = await open('superseded');
    const job = bed.release();
    const executed = execute(account, job);
    await until(async () => (await poolSize()) === 1);
    await bed.anvil.rpc('anvil_dropAllTransactions');
    await foreignTransaction(0);
    await bed.anvil.mine();
    expect(await mining(executed)).toEqual({ type: 'submitted' });
    expect(await bed.paid(job)).toBe(7n);
  }, 30_000);

  test('a nonce below it that nobody uses is filled', async () => {
    const account = await open('gap');
    const account32 = createHash('sha256').update(`${bed.anvil.chainId} ${keyOf().address}`).digest('hex').slice(0, 32);
    const hintKey = `drawbridge:nonce-next:${account32}`;
    const next = await bed.node.transactionCount(keyOf().address, 'pending');
    // Another process took two nonces and died before it sent anything.
    await redis.set(hintKey, next + 2);
    const job = bed.release();
    expect(await mining(execute(account, job))).toEqual({ type: 'submitted' });
    expect(await counted('nonce_gaps_total')).toBe(2);
    expect(await bed.paid(job)).toBe(7n);
  }, 30_000);

  test('Redis is gone: nonces come from the chain', async () => {
    const deaf = new Redis(redisServer.url, { lazyConnect: true, enableOfflineQueue: false });
    const { chainId } = bed.anvil;
    const account = await openFeeAccount(
      {
        chainId,
        genesisHash: bed.genesisHash,
        depthBlocks: 1,
        feeKey: bed.feeKey(),
        stateDir: join(dir, 'deaf'),
        limits,
      },
      { node: bed.node, redis: deaf, metrics, log, now: () => performance.now() },
    );
    accounts.push(account);
    const job = bed.release();
    expect(await mining(execute(account, job))).toEqual({ type: 'submitted' });
    expect(await counted('nonce_lease_fallbacks_total')).toBeGreaterThan(0);
    deaf.disconnect();
  }, 30_000);
});

test('two workers of one key, fifty instructions at once: each takes effect once, no nonce is lost', async () => {
  const [left, right] = [await open('left'), await open('right')];
  const jobs = Array.from({ length: 50 }, () => bed.release());
  const outcomes = await mining(Promise.all(jobs.map((job, index) => execute(index % 2 === 0 ? left : right, job))));
  expect(new Set(outcomes.map(({ type }) => type))).toEqual(new Set(['submitted']));
  for (const job of jobs) expect(await bed.paid(job)).toBe(7n);
  expect(await counted('nonce_gaps_total')).toBe(0);
}, 60_000);

test('two workers with one instruction at once: it takes effect once', async () => {
  const [left, right] = [await open('left-one'), await open('right-one')];
  const job = bed.release();
  const both = Promise.all([execute(left, job), execute(right, job)]);
  expect(await mining(both)).toEqual([{ type: 'submitted' }, { type: 'submitted' }]);
  expect(await mining(Promise.all([final(left, job), final(right, job)]))).toEqual(['executed', 'executed']);
  expect(await bed.paid(job)).toBe(7n);
}, 30_000);

const keyOf = (): FeeKey => new FeeKey(bed.feeKey(), bed.anvil.chainId);

/** A transaction that another program sends with the fee key, `ahead` of the next nonce. */
async function foreignTransaction(ahead: number): Promise<void> {
  const key = keyOf();
  const nonce = (await bed.node.transactionCount(key.address, 'latest')) + ahead;
  const fees = { kind: 'dynamic', maxFeeWei: 10_000_000_000n, priorityFeeWei: 2_000_000_000n } as const;
  await bed.node.sendRaw(key.sign({ nonce, to: key.address, data: '0x', gasLimit: 21_000n, fees }).raw);
}
