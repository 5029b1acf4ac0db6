/** The connector whole, worker and follower, in this process: real RabbitMQ and Redis, doubles of agent, ledger and core. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InstructionQueue } from '@drawbridge/connector-sdk/conformance/instruction-queue';
import type { StatesBook } from '@drawbridge/connector-sdk/states-book';
import { type RedisServer, startRedis } from '@drawbridge/devnets/redis';
import { testWithRabbitMq } from '@drawbridge/devnets/testing/with-rabbitmq';
import { until } from '@drawbridge/devnets/until';
import { toBytes32, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import { evidenceQueue } from '@drawbridge/protocol/instruction-job';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { type ConnectorSetup, defaultLimits } from './config.ts';
import { startConnector } from './corda-connector.ts';
import { rsaKeys } from './testing/broker-place.ts';
import { InstructionSigner } from './testing/instruction-signer.ts';
import { LedgerDouble } from './testing/ledger-double.ts';
import { LineBed } from './testing/line-bed.ts';

const DEADLINE_MS = 60_000;
jest.setTimeout(180_000);
const withRabbitMq = await testWithRabbitMq();
const available = withRabbitMq === test;

let bed: LineBed;
let dir: string;
let redis: RedisServer;
beforeAll(async () => {
  if (!available) return;
  bed = await LineBed.start();
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-connector-'));
  redis = await startRedis({ dir, redisUrl: process.env.REDIS_URL });
});
afterAll(async () => {
  await redis?.stop();
  await bed?.stop();
  if (dir !== undefined) await rm(dir, { recursive: true, force: true });
});

withRabbitMq(
  'a payment is executed, its evidence queued, health and metrics shown, and nothing of it is logged',
  async () => {
    const { network, place } = bed;
    const signer = new InstructionSigner(network);
    const genesisHash = toBytes32(randomBytes(32));
    const ledger = new LedgerDouble({ network, authority: signer.authority, genesisHash });
    const { permit, coin } = ledger.fresh();
    const book: StatesBook = {
      vault: ledger.vaultId,
      proven: true,
      vaultState: ledger.vaultState,
      permits: [permit],
      states: [{ ref: coin, kind: 'coin' }],
    };
    const setup: ConnectorSetup = {
      network,
      genesisHash,
      redisUrl: redis.url,
      coreUrl: 'https://127.0.0.1:9',
      tls: { key: '', cert: '', serviceCert: '' },
      sealingKey: place.connectorKeys.privateKey,
      agentKey: place.agentKeys.publicKey,
      broker: place.broker,
      vaults: [{ asset: ledger.asset, address: ledger.vaultId, authority: signer.authority }],
      listen: '127.0.0.1:0',
      roles: new Set(['worker', 'follower']),
      logLevel: 'trace',
      limits: { ...defaultLimits(), compareMs: 200, firstReconnectMs: 50 },
    };
    const logged: string[] = [];
    const books = { book: async () => book, sealingKey: async () => rsaKeys().publicKey };
    const connector = await startConnector(setup, {
      log: pino({ level: 'trace' }, { write: (line: string) => logged.push(line) }),
      now: () => performance.now(),
      wallClock: () => Date.now(),
      random: Math.random,
      books,
    });
    const health = async () => {
      const answer = await fetch(`${connector.url}/health`);
      return { status: answer.status, body: (await answer.json()) as object };
    };
    expect((await health()).status).toBe(503);
    await bed.startAgent((verb, args) => ledger.handle(verb, args));
    await until('all is well', DEADLINE_MS, async () => (await health()).status === 200);
    expect((await health()).body).toMatchObject({ broker: true, agents: 1, nodeUp: true, following: true });
    const connection = new Redis(redis.url, { maxRetriesPerRequest: null });
    const evidence = new Queue(evidenceQueue(network), { connection });
    const sealingKey = place.connectorKeys.publicKey;
    const queue = await InstructionQueue.open({ network, redisUrl: redis.url, sealingKey });
    const job = signer.sign(ledger, {
      kind: 'release',
      subject: ZERO_BYTES32,
      notAfterSeconds: 0,
      states: [permit, coin],
    });
    const end = await queue.finished(await queue.add(job), DEADLINE_MS);
    expect(end).toEqual({ state: 'completed', result: 'executed' });
    await until('its evidence is queued', DEADLINE_MS, async () => (await evidence.count()) === 1);
    const metrics = await (await fetch(`${connector.url}/metrics`)).text();
    expect(metrics).toMatch(/drawbridge_connector_agent_calls_total\{.*verb="execute",result="ok"\} 1/);
    await connector.stop();
    const { beneficiary, id } = job.instruction;
    const said = logged.join('') + metrics;
    for (const secret of [beneficiary, id, job.signature, permit, coin, place.broker.password]) {
      expect(said).not.toContain(secret.replace(/^0x/, ''));
    }
    await queue.clear();
    await queue.close();
    await evidence.obliterate({ force: true });
    await evidence.close();
    connection.disconnect();
  },
);

withRabbitMq('it starts while the broker is away, says so, and ends in good order', async () => {
  const { network, place } = bed;
  const setup: ConnectorSetup = {
    network,
    genesisHash: ZERO_BYTES32,
    redisUrl: redis.url,
    coreUrl: 'https://127.0.0.1:9',
    tls: { key: '', cert: '', serviceCert: '' },
    sealingKey: place.connectorKeys.privateKey,
    agentKey: place.agentKeys.publicKey,
    broker: { ...place.broker, url: 'amqps://127.0.0.1:9/' },
    vaults: [],
    listen: '127.0.0.1:0',
    roles: new Set(['worker']),
    logLevel: 'silent',
    limits: { ...defaultLimits(), firstReconnectMs: 50 },
  };
  const silent = {
    log: pino({ level: 'silent' }),
    now: () => performance.now(),
    wallClock: () => Date.now(),
    random: Math.random,
  };
  const connector = await startConnector(setup, silent);
  const answer = await fetch(`${connector.url}/health`);
  expect([answer.status, await answer.json()]).toMatchObject([503, { ok: false, broker: false, agents: 0 }]);
  await connector.stop();
  await expect(startConnector({ ...setup, agentKey: 'no key' }, silent)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  });
});
