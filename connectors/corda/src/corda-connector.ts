/** The connector of one Corda network, put together: the line to the agents, a worker of instructions, a follower of vaults. */
import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
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
import { BodyOpener, SealedBodyError } from '@drawbridge/connector-sdk/sealed-body';
import type { BookSource } from '@drawbridge/connector-sdk/states-book';
import { type Health, startStatusServer } from '@drawbridge/connector-sdk/status-server';
import { TurnLoop } from '@drawbridge/connector-sdk/turn-loop';
import { Redis } from 'ioredis';
import { type AgentLine, openAgentLine } from './agent-line.ts';
import { AgentQueries } from './agent-queries.ts';
import type { CordaCactusSetup } from './cactus/corda-cactus-config.ts';
import type { ConnectorSetup } from './config.ts';
import { CordaLedger } from './corda-ledger.ts';
import { FollowerMetrics } from './follower-metrics.ts';
import { StateFollower } from './state-follower.ts';

export type ConnectorDependencies = ProgramDependencies &
  Readonly<{
    /** In place of the core at `coreUrl`. */
    books?: BookSource;
  }>;

/** One answer of the core: a page of 1,024 states. */
const MAX_ANSWER_BYTES = 1_048_576;
/** Pause after the first failure to read the vaults; doubled each time. */
const FIRST_KNOW_MS = 500;
/** Comparisons that may fail in a row before the follower is called unwell. */
const UNWELL_TURNS = 5;

type Context = Readonly<{
  setup: ConnectorSetup;
  deps: ConnectorDependencies;
  metrics: ConnectorMetrics;
  line: AgentLine;
  opener: BodyOpener;
  queries: AgentQueries;
  /** For queues and workers: waits for Redis for ever. */
  connection: Redis;
  retry: RetryPolicy;
  closers: (() => unknown)[];
}>;

/** Starts, or stops what was started and throws: ConfigError for keys that are none. Broker and agents may come later. */
export async function startConnector(setup: ConnectorSetup, deps: ConnectorDependencies): Promise<RunningConnector> {
  const closers: Context['closers'] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return { ...(await assemble(setup, deps, closers)), stop };
  } catch (error) {
    await stop();
    if (error instanceof SealedBodyError) throw new ConfigError('CONFIG_INVALID', error.message, { cause: error });
    throw error;
  }
}

async function assemble(setup: ConnectorSetup, deps: ConnectorDependencies, closers: Context['closers']) {
  const { log, now } = deps;
  const { limits, network } = setup;
  const metrics = new ConnectorMetrics(network);
  const opener = new BodyOpener(setup.sealingKey);
  const instance = randomBytes(16).toString('hex');
  const line = openAgentLine({ ...setup, instance }, { opener, registry: metrics.registry, log, now });
  const stopping = new AbortController();
  setMaxListeners(limits.maxCalls, stopping.signal);
  const queries = new AgentQueries({ timeoutMs: limits.queryTimeoutMs, signal: stopping.signal }, line.agent);
  const connection = new Redis(setup.redisUrl, { maxRetriesPerRequest: null });
  connection.on('error', (error: Error & { code?: string }) => log.warn({ code: error.code ?? error.name }, 'redis'));
  closers.push(() => connection.disconnect());
  closers.push(() => line.link.stop());
  const { attempts, firstPauseMs, longestPauseMs } = limits;
  const retry = { attempts, firstPauseMs, longestPauseMs };
  const context: Context = { setup, deps, metrics, line, opener, queries, connection, retry, closers };
  const follower = setup.roles.has('follower') ? openFollower(context) : undefined;
  await line.link.start();
  if (setup.roles.has('worker')) await startWorker(context);
  follower?.start();
  const [host = '127.0.0.1', port = '0'] = setup.listen.split(':');
  const status = await startStatusServer(
    { host, port: Number(port) },
    { registry: metrics.registry, health: async () => health(context, follower) },
  );
  closers.push(() => status.close());
  // First of all when it ends: what waits for an agent would hold up the rest.
  closers.push(() => stopping.abort());
  const cactusUrl = setup.cactus && (await startCactusFace(context, setup.cactus));
  return { url: status.url, metrics, ...(cactusUrl !== undefined && { cactusUrl }) };
}

/** Loaded only here: without it the connector holds nothing of Cactus's libraries. */
async function startCactusFace({ deps, line, closers }: Context, cactus: CordaCactusSetup): Promise<string> {
  const { startCordaCactus } = await import('./cactus/corda-cactus-server.ts');
  const { log, now, wallClock } = deps;
  const running = await startCordaCactus(cactus, { agent: line.agent, log, now, wallClock });
  closers.push(() => running.close());
  return running.url;
}

async function startWorker(context: Context): Promise<void> {
  const { setup, deps, metrics, connection, retry, closers, line, queries, opener } = context;
  const { limits, network, genesisHash, vaults } = setup;
  const { executeTimeoutMs, maxExecutes, pollMs, longestPollMs } = limits;
  const ledger = new CordaLedger(
    { network, executeTimeoutMs, maxExecutes, pollMs, longestPollMs },
    { agent: line.agent, queries, now: deps.now },
  );
  const relay = new InstructionRelay(
    { served: { network, genesisHash, vaults }, finalityTimeoutMs: limits.finalityTimeoutMs },
    { opener, ledger, metrics, now: deps.now },
  );
  const { concurrency, handOverMs, maxHandOvers, lockMs } = limits;
  const worker = new InstructionWorker(
    { network, concurrency, retry, handOverMs, maxHandOvers, lockMs },
    { relay, connection, metrics, log: deps.log, now: deps.wallClock, random: deps.random },
  );
  const known = knowVaults(context, ledger);
  closers.push(() => worker.stop());
  closers.push(() => known.stop());
  known.start();
  await worker.start();
}

/** Vaults are read before there is an instruction for them, so that it need not wait for that. */
function knowVaults({ setup, deps }: Context, ledger: CordaLedger): TurnLoop {
  const { descriptionMs } = setup.limits;
  return new TurnLoop({
    turn: async () => {
      await Promise.all(setup.vaults.map(({ address }) => ledger.describeVault(address, 'fresh')));
    },
    pauseMs: (failures) =>
      failures === 0 ? descriptionMs : Math.min(FIRST_KNOW_MS * 2 ** Math.min(failures, 16), descriptionMs),
    failed: 'vaults could not be read; will try again',
    log: deps.log,
  });
}

function openFollower(context: Context): StateFollower {
  const { setup, deps, metrics, connection, retry, closers, line, queries, opener } = context;
  const { network, limits, vaults } = setup;
  const { compareMs, maxPages, maxOwed, maxBurns, requeueMs, keepCompleted, retryFailedMs } = limits;
  const outbox = new BullmqEvidenceOutbox(
    { network, retry, keepCompleted, retryCompletedAfterMs: compareMs, retryFailedAfterMs: retryFailedMs },
    { connection, log: deps.log, now: deps.wallClock },
  );
  closers.push(() => outbox.close());
  const ofFollower = new FollowerMetrics(network, metrics.registry);
  const follower = new StateFollower(
    {
      network,
      vaults,
      idKey: evidenceIdKey(setup.sealingKey),
      compareMs,
      maxPages,
      maxOwed,
      maxBurns,
      requeueMs,
    },
    {
      link: line.link,
      opener,
      queries,
      books: deps.books ?? coreOf(setup),
      outbox,
      metrics: { offers: (result, items) => metrics.offers(result, items), ...boundTo(ofFollower) },
      log: deps.log,
    },
  );
  closers.push(() => follower.stop());
  return follower;
}

const boundTo = (metrics: FollowerMetrics) => ({
  compared: metrics.compared.bind(metrics),
  unprovable: metrics.unprovable.bind(metrics),
});

function coreOf({ coreUrl, tls, limits }: ConnectorSetup): BookSource {
  const options = {
    client: { key: tls.key, cert: tls.cert },
    pinned: tls.serviceCert,
    timeoutMs: limits.httpTimeoutMs,
    maxAnswerBytes: MAX_ANSWER_BYTES,
    maxSockets: 8,
  };
  return new CoreCursorSource([coreUrl].flat().map((baseUrl) => pinnedHttps({ ...options, baseUrl })));
}

function health({ line, connection, setup }: Context, follower: StateFollower | undefined): Health {
  const agents = line.health.agents();
  const redis = connection.status === 'ready';
  const nodeUp = agents.some((agent) => agent.nodeUp);
  const following = follower === undefined || follower.failures < UNWELL_TURNS;
  return {
    ok: redis && line.link.up && nodeUp && following,
    network: setup.network,
    redis,
    broker: line.link.up,
    agents: agents.length,
    nodeUp,
    following,
  };
}
