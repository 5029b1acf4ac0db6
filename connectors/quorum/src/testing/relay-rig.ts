/** One worker in this process on anvil (a block with each transaction, depth 1) and a real Redis, for measuring. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InstructionQueue } from '@drawbridge/connector-sdk/conformance/instruction-queue';
import { ConnectorMetrics } from '@drawbridge/connector-sdk/connector-metrics';
import { InstructionRelay } from '@drawbridge/connector-sdk/instruction-relay';
import { InstructionWorker } from '@drawbridge/connector-sdk/instruction-worker';
import { DEFAULT_RETRY } from '@drawbridge/connector-sdk/retry-policy';
import { BodyOpener } from '@drawbridge/connector-sdk/sealed-body';
import { startRedis } from '@drawbridge/devnets/redis';
import { instructionQueue } from '@drawbridge/protocol/instruction-job';
import { QueueEvents } from 'bullmq';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { defaultLimits } from '../config.ts';
import { openFeeAccount } from '../fee-account.ts';
import { NodeClock, timedNode } from './timed-node.ts';
import { startVaultTestbed } from './vault-testbed.ts';

export type RelayRig = Readonly<{
  /** Puts `count` releases on the queue and resolves with the ms until the last is completed. */
  relay: (count: number) => Promise<number>;
  /** Ms in which anybody waited for the node, since the rig was started. */
  nodeWaitedMs: () => number;
  stop: () => Promise<void>;
}>;

const CHAIN_ID = 4_104;

export async function startRelayRig(redisUrl?: string): Promise<RelayRig> {
  const dir = await mkdtemp(join(tmpdir(), 'drawbridge-rig-'));
  const [bed, redisServer] = await Promise.all([
    startVaultTestbed({ chainId: CHAIN_ID, mining: 'each-transaction' }),
    startRedis({ dir: join(dir, 'redis'), redisUrl }),
  ]);
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 3072,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const { network, genesisHash, vaults } = bed;
  const connection = new Redis(redisServer.url, { maxRetriesPerRequest: null });
  const metrics = new ConnectorMetrics(network);
  const log = pino({ level: 'silent' });
  const now = () => performance.now();
  const clock = new NodeClock();
  const limits = { ...defaultLimits(), pollMs: 10 };
  const account = await openFeeAccount(
    { chainId: CHAIN_ID, genesisHash, depthBlocks: 1, feeKey: bed.feeKey(), stateDir: join(dir, 'state'), limits },
    { node: timedNode(bed.node, clock), redis: connection, metrics, log, now },
  );
  const relay = new InstructionRelay(
    { served: { network, genesisHash, vaults }, finalityTimeoutMs: 5_000 },
    { opener: new BodyOpener(keys.privateKey), ledger: account.ledger, metrics, now },
  );
  const worker = new InstructionWorker(
    { network, concurrency: 64, retry: DEFAULT_RETRY, handOverMs: 100, maxHandOvers: 100, lockMs: 30_000 },
    { relay, connection, metrics, log, now: () => Date.now(), random: Math.random },
  );
  await worker.start();
  const queue = await InstructionQueue.open({ network, redisUrl: redisServer.url, sealingKey: keys.publicKey });
  const events = new QueueEvents(instructionQueue(network), { connection: { url: redisServer.url } });
  await events.waitUntilReady();
  return {
    relay: async (count) => {
      // Signing and sealing are the core's work, so they are done before the clock starts.
      const jobs = Array.from({ length: count }, () => queue.prepare(bed.release({ amountMinor: 1n })));
      const done = completions(events, count);
      const started = now();
      await Promise.all(jobs.map((job) => queue.addPrepared(job)));
      await done;
      return now() - started;
    },
    nodeWaitedMs: () => clock.waitedMs,
    stop: async () => {
      await worker.stop();
      await account.stop();
      await events.close();
      await queue.clear();
      await queue.close();
      connection.disconnect();
      await redisServer.stop();
      await bed.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Resolves with the event of the `count`th completed job; rejects with the first that failed. */
function completions(events: QueueEvents, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = count;
    const finish = (end: () => void): void => {
      events.off('completed', completed);
      events.off('failed', failed);
      end();
    };
    const completed = (): void => {
      left -= 1;
      if (left === 0) finish(resolve);
    };
    const failed = ({ failedReason }: { failedReason: string }): void => finish(() => reject(new Error(failedReason)));
    events.on('completed', completed);
    events.on('failed', failed);
  });
}
