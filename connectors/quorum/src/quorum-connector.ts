/** The connector of one EVM network, put together: a worker of its instructions, a follower of its vaults. */
import type { CactusSetup } from '@drawbridge/connector-quorum-cactus/cactus-config';
import { BullmqEvidenceOutbox } from '@drawbridge/connector-sdk/bullmq-evidence-outbox';
import { ConfigError } from '@drawbridge/connector-sdk/connector-files';
import { ConnectorMetrics } from '@drawbridge/connector-sdk/connector-metrics';
import type { ProgramDependencies, RunningConnector } from '@drawbridge/connector-sdk/connector-program';
import { CoreCursorSource } from '@drawbridge/connector-sdk/core-cursor-source';
import { evidenceIdKey } from '@drawbridge/connector-sdk/evidence-job-id';
import { InstructionRelay } from '@drawbridge/connector-sdk/instruction-relay';
import { InstructionWorker } from '@drawbridge/connector-sdk/instruction-worker';
import { pinnedHttps } from '@drawbridge/connector-sdk/pinned-https';
import type { RetryPolicy } from '@drawbridge/connector-sdk/retry-policy';
import { BodyOpener } from '@drawbridge/connector-sdk/sealed-body';
import { type Health, startStatusServer } from '@drawbridge/connector-sdk/status-server';
import type { CursorSource, EvidenceBuilder } from '@drawbridge/connector-sdk/vault-event-source';
import { VaultFollower } from '@drawbridge/connector-sdk/vault-follower';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { EvmLog } from '@drawbridge/protocol/observer-evidence';
import { computeAddress } from 'ethers';
import { Redis } from 'ioredis';
import { BlockAnnouncements, type BlockNews, NO_BLOCK_NEWS } from './block-announcements.ts';
import type { ConnectorSetup } from './config.ts';
import type { HeaderFeed } from './consensus/header-feed.ts';
import { proofByConsensus } from './consensus/proof-by-consensus.ts';
import { EvmEventSource } from './evm-event-source.ts';
import type { EvmNode } from './evm-node.ts';
import { type FeeAccount, openFeeAccount } from './fee-account.ts';
import { ObserverClient } from './observer-client.ts';
import { ObserverEvidenceBuilder } from './observer-evidence-builder.ts';
import { RpcNode } from './rpc-node.ts';
import { readServiceId } from './vault-binding.ts';

export type ConnectorDependencies = ProgramDependencies &
  Readonly<{
    /** In place of the core at `coreUrl`. */
    cursors?: CursorSource;
  }>;

/** One answer of the core or of an observer. */
const MAX_ANSWER_BYTES = 1_048_576;
/** Turns that may fail in a row before a follower is called unwell. */
const UNWELL_TURNS = 5;

type Context = Readonly<{
  setup: ConnectorSetup;
  deps: ConnectorDependencies;
  metrics: ConnectorMetrics;
  node: RpcNode;
  news: BlockNews;
  /** For queues and workers: waits for Redis for ever. */
  connection: Redis;
  retry: RetryPolicy;
  closers: (() => unknown)[];
}>;

/** Starts, or stops what was started and throws: ConfigError where the node is of another chain than configured. */
export async function startConnector(setup: ConnectorSetup, deps: ConnectorDependencies): Promise<RunningConnector> {
  const closers: Context['closers'] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return { ...(await assemble(setup, deps, closers)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function assemble(setup: ConnectorSetup, deps: ConnectorDependencies, closers: Context['closers']) {
  const { log } = deps;
  const metrics = new ConnectorMetrics(setup.network);
  const { rpcTimeoutMs, maxRpcAnswerBytes } = setup.limits;
  const node = new RpcNode({
    url: setup.rpcUrl,
    chainId: setup.chainId,
    timeoutMs: rpcTimeoutMs,
    ...(setup.consensus === undefined ? {} : { maxAnswerBytes: maxRpcAnswerBytes }),
  });
  closers.push(() => node.close());
  const serviceId = await checkChain(setup, node);
  const news = announcementsOf(setup, deps, closers);
  const connection = new Redis(setup.redisUrl, { maxRetriesPerRequest: null });
  connection.on('error', (error: Error & { code?: string }) => log.warn({ code: error.code ?? error.name }, 'redis'));
  closers.push(() => connection.disconnect());
  const { attempts, firstPauseMs, longestPauseMs } = setup.limits;
  const retry = { attempts, firstPauseMs, longestPauseMs };
  const context: Context = { setup, deps, metrics, node, news, connection, retry, closers };
  if (setup.roles.has('worker')) await startWorker(context);
  const following = setup.roles.has('follower') ? startFollower(context, serviceId) : undefined;
  const [host = '127.0.0.1', port = '0'] = setup.listen.split(':');
  const status = await startStatusServer(
    { host, port: Number(port) },
    { registry: metrics.registry, health: () => health(context, following) },
  );
  closers.push(() => status.close());
  const cactusUrl = setup.cactus && (await startCactusFace(context, setup.cactus));
  return { url: status.url, metrics, ...(cactusUrl !== undefined && { cactusUrl }) };
}

const FIRST_ANNOUNCE_PAUSE_MS = 100;

function announcementsOf({ wsUrl, limits }: ConnectorSetup, deps: ConnectorDependencies, closers: Context['closers']) {
  if (wsUrl === undefined) return NO_BLOCK_NEWS;
  const { rpcTimeoutMs, announceGapMs, announceSilenceMs, announcePauseMs, maxAnnouncementBytes } = limits;
  const announcements = new BlockAnnouncements(
    {
      url: wsUrl,
      answerMs: rpcTimeoutMs,
      firstPauseMs: FIRST_ANNOUNCE_PAUSE_MS,
      longestPauseMs: announcePauseMs,
      silenceMs: announceSilenceMs,
      gapMs: announceGapMs,
      maxMessageBytes: maxAnnouncementBytes,
    },
    deps,
  );
  closers.push(() => announcements.stop());
  announcements.start();
  return announcements;
}

/** Loaded only here: without it the connector holds nothing of Cactus's libraries. */
async function startCactusFace({ setup, deps, closers }: Context, cactus: CactusSetup): Promise<string> {
  const { startCactus } = await import('@drawbridge/connector-quorum-cactus/cactus-server');
  const { rpcUrl, chainId, consensus, feeKey } = setup;
  const running = await startCactus(
    cactus,
    {
      rpcUrl,
      chainId,
      finalAtOnce: consensus !== undefined && consensus.rule !== 'clique',
      reservedAccounts: [computeAddress(feeKey)],
    },
    deps,
  );
  closers.push(() => running.close());
  return running.url;
}

/** Wrong chain, wrong genesis, wrong vault: better no start than a wrong one. Returns the service that the vaults obey. */
async function checkChain(setup: ConnectorSetup, node: EvmNode): Promise<Bytes32> {
  const [chainId, genesis] = await Promise.all([node.chainId(), node.block(0)]);
  if (chainId !== setup.chainId)
    throw new ConfigError('CONFIG_INVALID', `the node is on chain ${chainId}, not ${setup.chainId}`);
  if (genesis?.hash !== setup.genesisHash) {
    throw new ConfigError(
      'CONFIG_INVALID',
      `the node's genesis is ${genesis?.hash ?? 'unknown'}, not ${setup.genesisHash}`,
    );
  }
  return readServiceId(setup, node);
}

async function startWorker(context: Context): Promise<void> {
  const { setup, deps, metrics, connection, retry, closers } = context;
  const { limits, network, genesisHash, vaults } = setup;
  const account = await openAccount(context);
  const relay = new InstructionRelay(
    { served: { network, genesisHash, vaults }, finalityTimeoutMs: limits.finalityTimeoutMs },
    { opener: new BodyOpener(setup.sealingKey), ledger: account.ledger, metrics, now: deps.now },
  );
  const worker = new InstructionWorker(
    {
      network,
      concurrency: limits.concurrency,
      retry,
      handOverMs: limits.handOverMs,
      maxHandOvers: limits.maxHandOvers,
      lockMs: limits.lockMs,
    },
    { relay, connection, metrics, log: deps.log, now: deps.wallClock, random: deps.random },
  );
  closers.push(() => worker.stop());
  await worker.start();
}

async function openAccount({ setup, deps, metrics, node, news, closers }: Context): Promise<FeeAccount> {
  const { chainId, genesisHash, depthBlocks, feeKey, stateDir, limits, redisUrl } = setup;
  // Nonces must not wait for Redis: without it the chain's own count has to do.
  const redis = new Redis(redisUrl, {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    commandTimeout: limits.leaseMs,
  });
  redis.on('error', () => undefined);
  closers.push(() => redis.disconnect());
  const account = await openFeeAccount(
    { chainId, genesisHash, depthBlocks, feeKey, stateDir, limits },
    { node, redis, metrics, news, log: deps.log, now: deps.now },
  );
  closers.push(() => account.stop());
  return account;
}

type Following = Readonly<{ follower: VaultFollower<EvmLog>; feed: HeaderFeed | undefined }>;

function startFollower(context: Context, serviceId: Bytes32): Following {
  const { setup, deps, metrics, node, news, connection, retry, closers } = context;
  const { network, depthBlocks, limits, tls } = setup;
  const idKey = evidenceIdKey(setup.sealingKey);
  const outbox = new BullmqEvidenceOutbox(
    {
      network,
      retry,
      keepCompleted: limits.keepCompleted,
      retryCompletedAfterMs: limits.cursorMs,
      retryFailedAfterMs: limits.retryFailedMs,
    },
    { connection, log: deps.log, now: deps.wallClock },
  );
  closers.push(() => outbox.close());
  const core =
    deps.cursors ??
    new CoreCursorSource(
      [setup.coreUrl].flat().map((baseUrl) => pinnedHttps({ ...httpsOf(setup), baseUrl, pinned: tls.serviceCert })),
    );
  const openFromBlock = (): number | undefined => follower.openFromBlock;
  const proof =
    setup.consensus &&
    proofByConsensus(
      { ...setup.consensus, network, depthBlocks, idKey, limits },
      { rpc: node, outbox, openFromBlock, metrics, log: deps.log, now: deps.now },
    );
  const follower = new VaultFollower<EvmLog>(
    {
      network,
      vaults: setup.vaults,
      idKey,
      pollMs: limits.followMs,
      quietPollMs: limits.quietPollMs,
      cursorMs: limits.cursorMs,
      rangeBlocks: limits.rangeBlocks,
      rangesPerTurn: limits.rangesPerTurn,
      rebuildMs: limits.rebuildMs,
      maxPendingEvents: limits.maxPendingEvents,
      buildConcurrency: limits.buildConcurrency,
    },
    {
      source: new EvmEventSource({ depthBlocks }, { node }),
      builder: proof?.builder ?? byObservers(context, serviceId),
      cursors: proof ? toldOf(core, proof.feed) : core,
      outbox,
      metrics,
      log: deps.log,
      now: deps.now,
      isAnnounced: () => news.up,
    },
  );
  const unlisten = news.onBlock(() => follower.wake());
  closers.push(async () => {
    unlisten();
    await Promise.all([follower.stop(), proof?.feed.stop()]);
  });
  follower.start();
  proof?.feed.start();
  return { follower, feed: proof?.feed };
}

const httpsOf = ({ tls, limits }: ConnectorSetup) => ({
  client: { key: tls.key, cert: tls.cert },
  timeoutMs: limits.httpTimeoutMs,
  maxAnswerBytes: MAX_ANSWER_BYTES,
  maxSockets: 64,
});

function byObservers({ setup, metrics }: Context, serviceId: Bytes32): EvidenceBuilder<EvmLog> {
  const { network, genesisHash, depthBlocks, threshold } = setup;
  const witness = { serviceId, network, genesisHash, depthBlocks };
  const observers = setup.observers.map(({ id, url, pinned, publicKey }) => {
    const http = pinnedHttps({ ...httpsOf(setup), baseUrl: url, ...(pinned === undefined ? {} : { pinned }) });
    return new ObserverClient({ id, context: witness, ...(publicKey === undefined ? {} : { publicKey }) }, { http });
  });
  return new ObserverEvidenceBuilder({ context: witness, threshold }, { observers, metrics });
}

/** The feed learns of every cursor that the follower gets. */
function toldOf(core: CursorSource, feed: HeaderFeed): CursorSource {
  return {
    sealingKey: () => core.sealingKey(),
    cursor: async (network) => {
      const cursor = await core.cursor(network);
      feed.coreAt(cursor.head);
      return cursor;
    },
  };
}

async function health({ node, connection, setup }: Context, following: Following | undefined): Promise<Health> {
  const height = await node.blockNumber().catch(() => undefined);
  const redis = connection.status === 'ready';
  const followed = following === undefined || following.follower.failures < UNWELL_TURNS;
  const feed = following?.feed;
  const feeding = feed === undefined || (feed.failures < UNWELL_TURNS && !feed.disputed);
  return {
    ok: redis && height !== undefined && followed && feeding,
    network: setup.network,
    redis,
    height,
    following: followed,
    ...(feed === undefined ? {} : { feeding }),
  };
}
