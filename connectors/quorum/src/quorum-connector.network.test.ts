/** The connector whole, in this process: follower and worker on anvil and Redis, observers in memory, core by a stub. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CactusSection, readCactusSetup } from '@drawbridge/connector-quorum-cactus/cactus-config';
import { InstructionQueue } from '@drawbridge/connector-sdk/conformance/instruction-queue';
import { parseConfig } from '@drawbridge/connector-sdk/connector-files';
import type { RunningConnector } from '@drawbridge/connector-sdk/connector-program';
import { BodyOpener } from '@drawbridge/connector-sdk/sealed-body';
import type { CursorSource } from '@drawbridge/connector-sdk/vault-event-source';
import { type RedisServer, startRedis } from '@drawbridge/devnets/redis';
import { decodeVaultLog } from '@drawbridge/protocol/evm-vault-log';
import { evidenceQueue, type SealedJobData } from '@drawbridge/protocol/instruction-job';
import { type AttestRequest, parseAttestRequest } from '@drawbridge/protocol/observer-api';
import { decodeObserverEvidence, type EvmLog } from '@drawbridge/protocol/observer-evidence';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { type ConnectorSetup, defaultLimits } from './config.ts';
import { startConnector } from './quorum-connector.ts';
import { ObserverStandIn } from './testing/observer-stand-in.ts';
import { startVaultTestbed, type VaultTestbed } from './testing/vault-testbed.ts';

const DEPTH = 3;
const rsa = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
const [core, connectorKeys] = [rsa(), rsa()];
const lines: string[] = [];
const log = pino({ level: 'trace' }, { write: (line) => lines.push(line) });

let dir: string;
let bed: VaultTestbed;
let redis: RedisServer;
let connection: Redis;
let evidence: Queue<SealedJobData>;
let observers: ObserverStandIn[];
let observerServer: Server;
let cursor: { nextEventSeq: number; fromBlock: number };
const running: RunningConnector[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-connector-'));
  [bed, redis] = await Promise.all([
    startVaultTestbed({ chainId: 4_103, mining: 'manual' }),
    startRedis({ dir: join(dir, 'redis'), redisUrl: process.env.REDIS_URL }),
  ]);
  connection = new Redis(redis.url, { maxRetriesPerRequest: null });
  evidence = new Queue(evidenceQueue(bed.network), { connection });
  cursor = { nextEventSeq: 1, fromBlock: bed.vaults[0]?.fromBlock ?? 0 };
  const context = { serviceId: bed.serviceId, network: bed.network, genesisHash: bed.genesisHash, depthBlocks: DEPTH };
  observers = ['one', 'two', 'three'].map((id) => new ObserverStandIn(id, context));
  observerServer = await serveObservers();
}, 120_000);
afterAll(async () => {
  observerServer?.closeAllConnections();
  observerServer?.close();
  await evidence?.close();
  connection?.disconnect();
  await redis?.stop();
  await bed?.stop();
  await rm(dir, { recursive: true, force: true });
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((connector) => connector.stop()));
  await evidence.obliterate({ force: true });
});

/** `/<observer>/v1/attest`, by the node's own logs. */
async function serveObservers(): Promise<Server> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const observer = observers.find(({ id }) => request.url?.startsWith(`/${id}/`));
      logOf(parseAttestRequest(JSON.parse(Buffer.concat(chunks).toString('utf8')))).then(
        (found) => {
          if (!observer || !found) return response.writeHead(404).end();
          const { status, data } = observer.answer(found);
          return response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(data));
        },
        () => request.socket.destroy(),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
async function logOf({ blockNumber, logIndex }: AttestRequest): Promise<EvmLog | undefined> {
  const addresses = bed.vaults.map(({ address }) => address);
  const logs = await bed.node.logs({ addresses, fromBlock: blockNumber, toBlock: blockNumber });
  return logs.find((entry) => entry.logIndex === logIndex);
}

const cursors: CursorSource = {
  cursor: async () => ({
    network: bed.network,
    vaults: bed.vaults.map(({ asset, address }) => ({ asset, address, ...cursor })),
  }),
  sealingKey: async () => core.publicKey,
};

async function start(name: string, overrides: Partial<ConnectorSetup> = {}): Promise<RunningConnector> {
  const { port } = observerServer.address() as AddressInfo;
  const setup: ConnectorSetup = {
    network: bed.network,
    chainId: bed.anvil.chainId,
    genesisHash: bed.genesisHash,
    rpcUrl: bed.anvil.rpcUrl,
    redisUrl: redis.url,
    coreUrl: 'https://127.0.0.1:9',
    stateDir: join(dir, name),
    tls: { key: '', cert: '', serviceCert: '' },
    sealingKey: connectorKeys.privateKey,
    feeKey: bed.feeKey(),
    observers: observers.map(({ id, publicKey }) => ({ id, publicKey, url: `http://127.0.0.1:${port}/${id}` })),
    threshold: 2,
    depthBlocks: DEPTH,
    vaults: bed.vaults.map(({ asset, address }) => ({ asset, address })),
    listen: '127.0.0.1:0',
    roles: new Set(['worker', 'follower'] as const),
    logLevel: 'trace',
    limits: { ...defaultLimits(), pollMs: 20, followMs: 20, cursorMs: 200 },
    ...overrides,
  };
  const deps = { log, now: () => performance.now(), wallClock: () => Date.now(), random: Math.random, cursors };
  const connector = await startConnector(setup, deps);
  running.push(connector);
  return connector;
}

async function until(
  condition: () => Promise<boolean>,
  work: () => Promise<unknown> = async () => undefined,
): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('it did not come about');
    await work();
    await delay(20);
  }
}
/** What the core would find in the queue, by the vault's counter. */
async function queued(): Promise<{ seqs: number[]; attestations: number }> {
  const opener = new BodyOpener(core.privateKey);
  const jobs = await evidence.getJobs(['waiting'], 0, -1, true);
  const items = jobs.map((job) => {
    const context = { purpose: 'evidence', network: bed.network, jobId: job.id ?? '' } as const;
    return decodeObserverEvidence(opener.open(Buffer.from(job.data.sealed, 'base64'), context));
  });
  return {
    seqs: items.map((item) => decodeVaultLog(item.log).seq),
    attestations: Math.min(...items.map((item) => item.attestations.length)),
  };
}
const eventCount = async (): Promise<number> => (await queued()).seqs.length;

test('events become evidence at depth and not before, in the order of the counter', async () => {
  await bed.lock(5n);
  await bed.lock(6n);
  await start('events');
  // The testbed's own first lock is deep enough by the other two blocks; of those, only after more blocks.
  await until(async () => (await eventCount()) === 1);
  await bed.anvil.mine(1);
  await until(async () => (await eventCount()) === 2);
  await bed.anvil.mine(1);
  await until(async () => (await eventCount()) === 3);
  expect(await queued()).toEqual({ seqs: [1, 2, 3], attestations: 2 });
}, 60_000);

test('two followers at once, and one that lost its queue: each event is there once', async () => {
  await Promise.all([start('first'), start('second')]);
  await until(async () => (await eventCount()) === 3);
  await evidence.obliterate({ force: true });
  await until(async () => (await eventCount()) === 3);
  await delay(400);
  expect((await queued()).seqs.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
}, 60_000);

test('from the cursor on, the core has what was before', async () => {
  cursor = { ...cursor, nextEventSeq: 3 };
  await start('cursor');
  await until(async () => (await eventCount()) === 1);
  expect((await queued()).seqs).toEqual([3]);
}, 60_000);

test('one of three observers lies: it is counted, and evidence is made without it', async () => {
  const [liar] = observers;
  if (!liar) throw new Error('there is one');
  liar.behaviour = 'bad-signature';
  const connector = await start('liar', { threshold: 2 });
  await until(async () => (await eventCount()) === 1);
  expect(await connector.metrics.registry.metrics()).toMatch(
    /attestations_total\{[^}]*observer="(two|three)",result="attested"/,
  );
  liar.behaviour = 'honest';
}, 60_000);

test('an instruction comes back as evidence of its execution; nothing confidential was logged', async () => {
  const before = await eventCount();
  await start('whole');
  const job = bed.release({ amountMinor: 987_654n });
  const queue = await InstructionQueue.open({
    network: bed.network,
    redisUrl: redis.url,
    sealingKey: connectorKeys.publicKey,
  });
  const id = await queue.add(job);
  await until(
    async () => (await queue.state(id)) === 'completed' && (await eventCount()) > before + 1,
    () => bed.anvil.mine(),
  );
  expect((await queued()).seqs.at(-1)).toBe(4);
  expect(await bed.paid(job)).toBe(987_654n);
  await queue.clear();
  await queue.close();
  const text = lines.join('');
  for (const secret of [
    '987654',
    job.instruction.id.slice(2),
    job.instruction.beneficiary.slice(26),
    job.signature.slice(2),
  ]) {
    expect(text).not.toContain(secret);
  }
}, 60_000);

test('does not start on another chain, another genesis, or without its vaults', async () => {
  await expect(start('wrong', { chainId: 5 })).rejects.toThrow(/chain 4103, not 5/);
  await expect(start('wrong', { genesisHash: bed.serviceId })).rejects.toThrow(/genesis/);
  const [vault] = bed.vaults;
  if (!vault) throw new Error('there is one');
  await expect(start('wrong', { vaults: [{ asset: vault.asset, address: vault.token }] })).rejects.toThrow(/vault/);
}, 60_000);

test('says how it is', async () => {
  const { url } = await start('health');
  const answer = await fetch(`${url}/health`);
  expect(await answer.json()).toMatchObject({ ok: true, redis: true, network: bed.network });
}, 60_000);

test('with a cactus section Cactus is served beside the relay, and ends with it', async () => {
  const cactus = await readCactusSetup(parseConfig(CactusSection, {}), (path) => join(dir, path));
  const { cactusUrl = '', stop } = await start('with-cactus', { cactus });
  const health = await fetch(`${cactusUrl}/api/v1/api-server/healthcheck`);
  expect(await health.json()).toMatchObject({ success: true });
  await stop();
  await expect(fetch(cactusUrl)).rejects.toThrow();
});
