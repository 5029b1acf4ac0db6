/** The hub: one outbox pump and one evidence courier per network, and the operators' window on their queues. */
import type { AddressInfo } from 'node:net';
import { type NetworkId, parseNetworkId } from '@drawbridge/protocol/ids';
import { evidenceQueue, instructionQueue, type SealedJobData } from '@drawbridge/protocol/instruction-job';
import { type JobsOptions, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { HubConfig } from './config.ts';
import type { CoreRelay } from './core-relay.ts';
import { EvidenceCourier } from './evidence-courier.ts';
import { HubMetrics } from './metrics.ts';
import { buildOperatorServer } from './operator-server.ts';
import { type InstructionQueue, OutboxPump } from './outbox-pump.ts';
import { RedisCursorStore } from './redis-cursor-store.ts';

export type HubDependencies = Readonly<{
  core: CoreRelay;
  /** Tells this service from another that used the same Redis before. */
  service: string;
  log: Logger;
  now: () => number;
  /** `user:password` of the operators, read from the configured file. */
  credentials?: string;
}>;

export type RunningHub = Readonly<{
  /** Where board, metrics and health are. */
  url: string;
  stop(): Promise<void>;
}>;

/** Ends in reverse order of starting; every step is tried. */
type Closer = () => Promise<unknown>;

export async function startHub(config: HubConfig, dependencies: HubDependencies): Promise<RunningHub> {
  const { log, now } = dependencies;
  const metrics = new HubMetrics();
  const closers: Closer[] = [];
  // BullMQ's workers block on their connection and must never give up on a command; queues may fail fast.
  const connection = new Redis(config.redisUrl, { maxRetriesPerRequest: null });
  connection.on('error', (error: Error & { code?: string }) => log.warn({ code: error.code ?? error.name }, 'redis'));
  closers.push(async () => connection.disconnect());

  const queues: Queue[] = [];
  for (const network of config.networks.map(parseNetworkId)) {
    const relay = await startRelay(network, { config, connection, metrics, ...dependencies });
    queues.push(...relay.queues);
    closers.push(relay.stop);
  }

  const [host = '127.0.0.1', port = '0'] = config.listen.split(':');
  const server = await buildOperatorServer(
    { host, ...(dependencies.credentials === undefined ? {} : { credentials: dependencies.credentials }) },
    { queues, metrics, now, health: () => health(config, connection, dependencies.core) },
  );
  await server.listen({ host, port: Number(port) });
  closers.push(() => server.close());
  const address = server.server.address() as AddressInfo;
  return {
    url: `http://${host}:${address.port}`,
    stop: async () => {
      for (const close of closers.reverse()) await close();
    },
  };
}

async function startRelay(
  network: NetworkId,
  context: HubDependencies & { config: HubConfig; connection: Redis; metrics: HubMetrics },
): Promise<{ queues: Queue[]; stop: Closer }> {
  const { config, connection, metrics, core, service, log, now } = context;
  const { limits } = config;
  const job: JobsOptions = {
    attempts: limits.attempts,
    backoff: { type: 'exponential', delay: limits.backoffMs, jitter: 0.5 },
    removeOnComplete: { count: limits.keepCompleted },
    removeOnFail: false,
  };
  const instructions = new Queue<SealedJobData>(instructionQueue(network), { connection });
  const evidence = new Queue<SealedJobData>(evidenceQueue(network), { connection });
  // BullMQ prints what nobody listens to. The connection's own errors have been logged by whoever made it.
  for (const queue of [instructions, evidence])
    queue.on('error', (error) => log.debug({ queue: queue.name, code: error.name }, 'queue'));
  const pump = new OutboxPump(
    {
      network,
      pageSize: limits.outboxPage,
      waitMs: limits.outboxWaitMs,
      pauseMs: limits.outboxPauseMs,
      sweepMs: limits.sweepMs,
      job,
    },
    {
      core,
      queue: bullmqInstructions(instructions),
      cursors: new RedisCursorStore(connection, service),
      metrics,
      log,
      now,
    },
  );
  const courier = new EvidenceCourier(
    { network, batch: limits.evidenceBatch, gatherMs: limits.evidenceGatherMs, earlyRetryMs: limits.earlyRetryMs },
    { core, metrics, now },
  );
  const worker = new Worker<SealedJobData>(evidence.name, (item, token) => courier.carry(item, token), {
    connection,
    concurrency: limits.evidenceConcurrency,
  });
  worker.on('completed', () => metrics.attempt(evidence.name, 'completed'));
  worker.on('failed', (_job, error) => {
    metrics.attempt(evidence.name, 'failed');
    log.warn({ queue: evidence.name, why: error.message }, 'evidence not delivered');
  });
  worker.on('stalled', () => metrics.attempt(evidence.name, 'stalled'));
  worker.on('error', (error) => log.warn({ queue: evidence.name, code: error.name }, 'evidence worker'));
  await worker.waitUntilReady();
  pump.start();
  return {
    queues: [instructions, evidence],
    stop: async () => {
      await pump.stop();
      await worker.close();
      await Promise.all([instructions.close(), evidence.close()]);
    },
  };
}

function bullmqInstructions(queue: Queue<SealedJobData>): InstructionQueue {
  return {
    addBulk: (jobs) => queue.addBulk(jobs),
    remove: (jobId) => queue.remove(jobId),
    restore: async (jobId, data) => {
      const job = await queue.getJob(jobId);
      if (!job || job.data?.sealed === data.sealed) return;
      await job.updateData(data);
      if (await job.isFailed()) await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true });
    },
  };
}

async function health(
  config: HubConfig,
  connection: Redis,
  core: CoreRelay,
): Promise<{ redis: boolean; core: boolean }> {
  const answers = async (work: Promise<unknown>): Promise<boolean> =>
    work.then(
      () => true,
      () => false,
    );
  const network = parseNetworkId(config.networks[0] ?? '');
  return {
    redis: connection.status === 'ready' && (await answers(connection.ping())),
    core: await answers(core.outbox(network, Number.MAX_SAFE_INTEGER, 1)),
  };
}
