/**
 * The connector whole with a rule of consensus, on anvil and Redis. anvil seals nothing, and the connector checks no
 * seals: a stand-in for the core takes headers by their hashes, and events by the proofs of their receipts.
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningConnector } from '@drawbridge/connector-sdk/connector-program';
import { BodyOpener } from '@drawbridge/connector-sdk/sealed-body';
import type { CursorSource, TrackedHead } from '@drawbridge/connector-sdk/vault-event-source';
import { type RedisServer, startRedis } from '@drawbridge/devnets/redis';
import { parseBytes32, toHex } from '@drawbridge/protocol/bytes32';
import { decodeConsensusEvidence, decodeHeaderBatch, evidenceKindOf } from '@drawbridge/protocol/consensus-evidence';
import { evidenceQueue, type SealedJobData } from '@drawbridge/protocol/instruction-job';
import { verifyMerkleProof } from '@ethereumjs/mpt';
import { RLP } from '@ethereumjs/rlp';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Queue } from 'bullmq';
import { keccak256 } from 'ethers';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { defaultLimits } from '../config.ts';
import { startConnector } from '../quorum-connector.ts';
import { type RpcProxy, startRpcProxy } from '../testing/rpc-proxy.ts';
import { startVaultTestbed, type VaultTestbed } from '../testing/vault-testbed.ts';

const DEPTH = 3;
const [PARENT_HASH, RECEIPTS_ROOT] = [0, 5];
const rsa = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
const [core, connectorKeys] = [rsa(), rsa()];

/** Tracks headers by parent hashes alone; keeps those on top of which the vouching ones stand. */
class CoreStandIn implements CursorSource {
  head: TrackedHead = { number: 0, hash: parseBytes32(`0x${'00'.repeat(32)}`) };
  hashes = new Map<number, string>();
  proven: number[] = [];
  /** Takes nothing. */
  deaf = false;

  async cursor() {
    const vaults = bed.vaults.map(({ asset, address, fromBlock }) => ({
      asset,
      address,
      fromBlock,
      nextEventSeq: this.proven.length + 1,
    }));
    return { network: bed.network, vaults, head: this.head };
  }
  async sealingKey() {
    return core.publicKey;
  }

  async take(body: Uint8Array): Promise<'taken' | 'early'> {
    if (this.deaf) return 'early';
    return evidenceKindOf(body) === 'headers' ? this.#headers(body) : this.#event(body);
  }

  #headers(body: Uint8Array): 'taken' | 'early' {
    const { headers } = decodeHeaderBatch(body);
    for (const header of headers.slice(0, headers.length - (DEPTH - 1))) {
      const parent = toHex((RLP.decode(header) as Uint8Array[])[PARENT_HASH] ?? new Uint8Array());
      if (parent !== this.head.hash) continue;
      this.head = { number: this.head.number + 1, hash: parseBytes32(keccak256(header)) };
      this.hashes.set(this.head.number, this.head.hash);
    }
    return 'taken';
  }

  async #event(body: Uint8Array): Promise<'taken' | 'early'> {
    const { header, proof, transactionIndex } = decodeConsensusEvidence(body);
    if (![...this.hashes.values()].includes(keccak256(header))) return 'early';
    const root = (RLP.decode(header) as Uint8Array[])[RECEIPTS_ROOT] ?? new Uint8Array();
    const key = RLP.encode(transactionIndex);
    expect(await verifyMerkleProof(key, [...proof], { root, useKeyHashing: false })).not.toBeNull();
    this.proven.push(transactionIndex);
    return 'taken';
  }
}

let dir: string;
let bed: VaultTestbed;
let redis: RedisServer;
let proxy: RpcProxy;
let connection: Redis;
let evidence: Queue<SealedJobData>;
const stand = new CoreStandIn();
const running: RunningConnector[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drawbridge-consensus-'));
  [bed, redis] = await Promise.all([
    startVaultTestbed({ chainId: 4_105, mining: 'manual' }),
    startRedis({ dir: join(dir, 'redis'), redisUrl: process.env.REDIS_URL }),
  ]);
  proxy = await startRpcProxy(bed.anvil.rpcUrl);
  connection = new Redis(redis.url, { maxRetriesPerRequest: null });
  evidence = new Queue(evidenceQueue(bed.network), { connection });
  stand.head = { number: 0, hash: bed.genesisHash };
}, 120_000);
afterAll(async () => {
  await evidence?.close();
  connection?.disconnect();
  await proxy?.stop();
  await redis?.stop();
  await bed?.stop();
  await rm(dir, { recursive: true, force: true });
});
afterEach(async () => {
  proxy.tamper(undefined);
  await Promise.all(running.splice(0).map((connector) => connector.stop()));
});

async function start(name: string): Promise<RunningConnector> {
  const connector = await startConnector(
    {
      network: bed.network,
      chainId: bed.anvil.chainId,
      genesisHash: bed.genesisHash,
      rpcUrl: proxy.url,
      redisUrl: redis.url,
      coreUrl: 'https://127.0.0.1:9',
      stateDir: join(dir, name),
      tls: { key: '', cert: '', serviceCert: '' },
      sealingKey: connectorKeys.privateKey,
      feeKey: bed.feeKey(),
      observers: [],
      threshold: 0,
      depthBlocks: DEPTH,
      consensus: { rule: 'clique', maxGapBlocks: 64 },
      vaults: bed.vaults.map(({ asset, address }) => ({ asset, address })),
      listen: '127.0.0.1:0',
      roles: new Set(['follower'] as const),
      logLevel: 'silent',
      limits: { ...defaultLimits(), followMs: 20, cursorMs: 100, headerMs: 100, rebuildMs: 1_000, rpcTimeoutMs: 2_000 },
    },
    {
      log: pino({ level: 'silent' }),
      now: () => performance.now(),
      wallClock: () => Date.now(),
      random: Math.random,
      cursors: stand,
    },
  );
  running.push(connector);
  return connector;
}

/** The stand-in works through the queue as the hub's courier would: what is early stays. */
async function courier(): Promise<void> {
  const opener = new BodyOpener(core.privateKey);
  for (const job of await evidence.getJobs(['waiting'], 0, -1, true)) {
    const context = { purpose: 'evidence', network: bed.network, jobId: job.id ?? '' } as const;
    const body = opener.open(Buffer.from(job.data.sealed, 'base64'), context);
    if ((await stand.take(body)) === 'taken') await job.remove();
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('it did not come about');
    await courier();
    await delay(20);
  }
}

test('headers and proofs reach the core: events are proven under blocks that it tracks', async () => {
  await start('whole');
  await bed.anvil.mine(DEPTH);
  await until(() => stand.proven.length === 1);
  await bed.lock(5n);
  await bed.lock(6n);
  await bed.anvil.mine(DEPTH);
  await until(() => stand.proven.length === 3);
  const tip = await bed.node.blockNumber();
  await until(() => stand.head.number === tip - DEPTH + 1);
}, 60_000);

test('a node that fails in every way, a core that takes nothing, a queue that is lost: nothing strands', async () => {
  await start('storm');
  stand.deaf = true;
  let failing = 0;
  proxy.tamper((_request, text) => {
    failing += 1;
    return failing % 3 === 0
      ? { text: text.slice(0, text.length / 2) }
      : failing % 3 === 1
        ? { status: 503, text }
        : undefined;
  });
  await bed.lock(7n);
  await bed.anvil.mine(DEPTH);
  await until(() => failing > 20);
  proxy.tamper(undefined);
  await until(async () => (await evidence.getWaitingCount()) > 1);
  await evidence.obliterate({ force: true });
  stand.deaf = false;
  await until(() => stand.proven.length === 4);
}, 60_000);

test('says how it is, and when the node disagrees with the core', async () => {
  const { url, metrics } = await start('health');
  const health = async () => (await (await fetch(`${url}/health`)).json()) as Record<string, unknown>;
  await until(
    async () => (await health()).feeding === true && /header_lag_blocks\{/.test(await metrics.registry.metrics()),
  );
  const { head } = stand;
  stand.head = { number: head.number, hash: parseBytes32(`0x${'11'.repeat(32)}`) };
  await until(async () => (await health()).feeding === false);
  expect(await health()).toMatchObject({ ok: false, following: true });
  expect(await metrics.registry.metrics()).toMatch(/header_batches_total\{[^}]*result="disputed"\} 1/);
  stand.head = head;
  await until(async () => (await health()).ok === true);
}, 60_000);
