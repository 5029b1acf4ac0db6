/** The parts of `npm run bench:cluster`; each figure's name begins as the mark does. */
import { ClusterLoad, feedEngine } from './cluster-load.ts';
import { CoreNodes } from './core-nodes.ts';
import { EtcdNodes, NoEtcdError } from './etcd-nodes.ts';
import { failOver } from './failover.ts';
import { type Figure, figure, figuresOf, quantile, type Round, rateOf, valueNamed } from './measured.ts';
import type { Load } from './payer.ts';
import { memoryOf } from './process-usage.ts';

const NODES = 3;
/** Rounds of ours and of etcd's take turns: the speed of a shared machine moves within seconds. */
const ROUNDS = 3;
const WARM_UP_MS = 2_000;
const BATCH = 100;
const BATCHES_AT_ONCE = 64;
/** Entries of the bare engine that are proposed at a time; the core has one under way. */
const ENGINE_IN_FLIGHT = { batched: 16, single: 64 } as const;
const FAILOVERS = 3;
const HALF_CONNECTIONS = 256;
const STARTS = 5;
/** All together more than what follows a snapshot at most, which is replayed. */
const BETWEEN_STARTS = 50_000;
/** By then snapshots are made. */
const SHORT_HISTORY = 500_000;
const SMALL_HISTORY = 100_000;
/** As tests run it; nothing is protected. */
const PROTECTED = ['--development', '--test-protected-memory'];
const FILL = { batch: 1_000, atOnce: 8 } as const;
/** Body of a single payment, in bytes; the value of each put has as many. */
const PAYMENT_BYTES = 121;

export type Options = Readonly<{ roundMs: number; history: number; log: (sentence: string) => void }>;
export type Part = (options: Options) => AsyncGenerator<Figure>;

type Pair = Readonly<{ name: string; etcd: string; ratio: string; load: Omit<Load, 'forMs'> }>;
const PAIRS: Readonly<Record<'batched' | 'single.64' | 'single.1024', Pair>> = {
  batched: {
    name: 'cluster.batched',
    etcd: 'etcd.txn100',
    ratio: 'ratio.batched',
    load: { batch: BATCH, atOnce: BATCHES_AT_ONCE },
  },
  'single.64': {
    name: 'cluster.single.64',
    etcd: 'etcd.put.64',
    ratio: 'ratio.single.64',
    load: { batch: 1, atOnce: 64 },
  },
  'single.1024': {
    name: 'cluster.single.1024',
    etcd: 'etcd.put.1024',
    ratio: 'ratio.single.1024',
    load: { batch: 1, atOnce: 1_024 },
  },
};

/** Runs `work` on a fresh cluster, and on etcd where there is one. Both are stopped whatever happens. */
async function* onClusters(
  { log }: Options,
  withEtcd: boolean,
  work: (nodes: CoreNodes, load: ClusterLoad, etcd: EtcdNodes | undefined) => AsyncGenerator<Figure>,
): AsyncGenerator<Figure> {
  const nodes = await CoreNodes.start(NODES);
  const load = new ClusterLoad(nodes);
  let etcd: EtcdNodes | undefined;
  try {
    if (withEtcd) etcd = await etcdOrNone(log);
    yield* work(nodes, load, etcd);
  } finally {
    await load.close();
    await Promise.all([nodes.stop(), etcd?.stop()]);
  }
}

function etcdOrNone(log: (sentence: string) => void): Promise<EtcdNodes | undefined> {
  return EtcdNodes.start(log).catch((error: unknown) => {
    if (!(error instanceof NoEtcdError)) throw error;
    log(`nothing of etcd is measured: ${error.message}`);
    return undefined;
  });
}

async function* pairOf(pair: Pair, { roundMs }: Options, load: ClusterLoad, etcd: EtcdNodes | undefined) {
  const puts = { clients: pair.load.atOnce, perTransaction: pair.load.batch, valueBytes: PAYMENT_BYTES };
  await load.closedLoop({ ...pair.load, forMs: WARM_UP_MS });
  await etcd?.put({ ...puts, forMs: WARM_UP_MS });
  const [ours, theirs]: [Round[], Round[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    ours.push(await load.closedLoop({ ...pair.load, forMs: roundMs }));
    if (etcd) theirs.push(await etcd.put({ ...puts, forMs: roundMs }));
  }
  const figures = figuresOf(pair.name, ours);
  yield* figures;
  if (theirs.length === 0) return;
  const others = figuresOf(pair.etcd, theirs);
  yield* others;
  yield figure(pair.ratio, valueNamed(figures, pair.name) / valueNamed(others, pair.etcd), '×');
  yield figure(
    `${pair.ratio}.p99`,
    valueNamed(others, `${pair.etcd}.p99`) / valueNamed(figures, `${pair.name}.p99`),
    '×',
  );
  yield figure(
    `${pair.ratio}.cpu`,
    valueNamed(others, `${pair.etcd}.cpu`) / valueNamed(figures, `${pair.name}.cpu`),
    '×',
  );
}

const pairPart =
  (pair: Pair): Part =>
  (options) =>
    onClusters(options, true, (_, load, etcd) => pairOf(pair, options, load, etcd));

/** Rounds of the cluster and of the bare engine on what the cluster wrote. */
const enginePart: Part = (options) =>
  onClusters(options, false, async function* (nodes, load) {
    const { roundMs } = options;
    const cases = [
      { name: 'engine.same', ratio: 'ratio.engine', pair: PAIRS.batched, inFlight: ENGINE_IN_FLIGHT.batched },
      {
        name: 'engine.same.single.64',
        ratio: 'ratio.engine.single.64',
        pair: PAIRS['single.64'],
        inFlight: ENGINE_IN_FLIGHT.single,
      },
    ];
    for (const { name, ratio, pair, inFlight } of cases) {
      await load.closedLoop({ ...pair.load, forMs: WARM_UP_MS });
      const [ours, engines]: [number[], number[]] = [[], []];
      for (let round = 0; round < ROUNDS; round += 1) {
        const begin = performance.now();
        const span = await load.spanOf({ ...pair.load, forMs: roundMs });
        ours.push((span.payments * 1_000) / (performance.now() - begin));
        const { paymentsPerSecond, written } = await feedEngine(nodes, span, { inFlight, forMs: roundMs });
        engines.push(paymentsPerSecond);
        if (round === 0) {
          yield figure(`${name}.entry`, written.allBytes / written.all, 'bytes');
          yield figure(`${name}.payments`, span.payments / written.all, 'an entry');
          yield figure(`${name}.logged`, written.allBytes / span.payments, 'bytes');
        }
      }
      const bare = quantile(engines, 0.5);
      yield figure(name, bare, '1/s');
      yield figure(ratio, quantile(ours, 0.5) / bare, '×');
    }
  });

const halfPart: Part = (options) =>
  onClusters(options, false, async function* (_, load) {
    const most = { batch: 1, atOnce: HALF_CONNECTIONS };
    await load.closedLoop({ ...most, forMs: WARM_UP_MS });
    const maximum = rateOf(await load.closedLoop({ ...most, forMs: options.roundMs }));
    const round = await load.openLoop(maximum / 2, HALF_CONNECTIONS, ROUNDS * options.roundMs);
    yield figure('cluster.p99.half', quantile(round.latenciesMs, 0.99), 'ms');
    yield figure('cluster.p99.half.p50', quantile(round.latenciesMs, 0.5), 'ms');
    yield figure('cluster.p99.half.p99.9', quantile(round.latenciesMs, 0.999), 'ms');
    yield figure('cluster.p99.half.rate', rateOf(round), '1/s');
  });

const failoverPart: Part = (options) =>
  onClusters(options, false, async function* (nodes) {
    const times: number[] = [];
    for (let n = 0; n < FAILOVERS; n += 1) times.push(await failOver(nodes));
    yield figure('cluster.failover', quantile(times, 0.5), 'ms');
    yield figure('cluster.failover.longest', Math.max(...times), 'ms');
  });

/** Two clusters, one with much more history, that take turns under the same load. */
const historyPart: Part = (options) =>
  onClusters(options, false, async function* (_small, small) {
    const nodes = await CoreNodes.start(NODES);
    const large = new ClusterLoad(nodes);
    try {
      options.log(`writing ${SMALL_HISTORY} and ${options.history} transfers`);
      await fill(small, SMALL_HISTORY);
      await fill(large, SMALL_HISTORY);
      const before = await memoryOf(nodes.pids);
      await fill(large, options.history - SMALL_HISTORY);
      yield* memoryFigures(before, await memoryOf(nodes.pids), options.history - SMALL_HISTORY);
      const load = { ...PAIRS.batched.load, forMs: options.roundMs };
      const [withSmall, withLarge]: [Round[], Round[]] = [[], []];
      for (let round = 0; round < ROUNDS; round += 1) {
        withSmall.push(await small.closedLoop(load));
        withLarge.push(await large.closedLoop(load));
      }
      const [few, many] = [figuresOf('cluster.history.small', withSmall), figuresOf('cluster.history', withLarge)];
      yield* [...many, ...few];
      yield figure('cluster.history.transfers', options.history, 'transfers');
      const ratio = (of: string): number =>
        valueNamed(many, `cluster.history${of}`) / valueNamed(few, `cluster.history.small${of}`);
      yield figure('ratio.history', ratio(''), '×');
      yield figure('ratio.history.cpu', 1 / ratio('.cpu'), '×');
    } finally {
      await large.close();
      await nodes.stop();
    }
  });

/**
 * How long the start of a node takes with more and more history, from its process to the line that says it is ready: a follower
 * that was stopped, among others that ran on. Where memory is protected, that is a join.
 */
async function* startsOf(name: string, args: readonly string[], { history, log }: Options): AsyncGenerator<Figure> {
  const nodes = await CoreNodes.start(NODES, { args });
  const load = new ClusterLoad(nodes);
  try {
    let written = 0;
    const times: number[] = [];
    for (const length of new Set([SHORT_HISTORY, Math.max(history, SHORT_HISTORY)])) {
      log(`${name}: writing ${length} transfers`);
      await fill(load, length - written);
      const rounds: number[] = [];
      for (let start = 0; start < STARTS; start += 1) {
        await fill(load, BETWEEN_STARTS);
        rounds.push(await startAgain(nodes));
      }
      written = length + STARTS * BETWEEN_STARTS;
      times.push(quantile(rounds, 0.5));
      yield figure(`${name}.${length}`, times.at(-1) ?? Number.NaN, 'ms');
      yield figure(`${name}.${length}.longest`, Math.max(...rounds), 'ms');
    }
    yield figure(`ratio.${name}`, (times[0] ?? Number.NaN) / (times.at(-1) ?? Number.NaN), '×');
  } finally {
    await load.close();
    await nodes.stop();
  }
}

async function startAgain(nodes: CoreNodes): Promise<number> {
  const leader = await nodes.leader();
  const follower = nodes.nodes.find((node) => node !== leader && node !== nodes.nodes[0]);
  if (!follower) throw new RangeError('there are three');
  await nodes.even();
  await follower.stop();
  const begin = performance.now();
  await follower.start();
  const took = performance.now() - begin;
  await nodes.complete();
  return took;
}

const startPart: Part = async function* (options) {
  yield* startsOf('cluster.start', [], options);
  yield* startsOf('cluster.start.protected', PROTECTED, options);
};

/** Of the nodes one by one: what they have, and what a million transfers more brought. */
function memoryFigures(before: readonly number[], after: readonly number[], transfers: number): Figure[] {
  const MEGABYTE = 1e6;
  const growth = after.map((bytes, n) => ((bytes - (before[n] ?? 0)) / transfers) * 1e6);
  return [
    figure('cluster.memory', Math.max(...after) / MEGABYTE, 'MB'),
    figure('cluster.memory.growth', Math.max(...growth) / MEGABYTE, 'MB a million'),
  ];
}

/** Whole turns of a load, until there are `transfers`. */
async function fill(load: ClusterLoad, transfers: number): Promise<void> {
  const TURN_MS = 500;
  for (let done = 0; done < transfers; ) done += (await load.closedLoop({ ...FILL, forMs: TURN_MS })).done;
}

export const PARTS: Readonly<Record<string, Part>> = {
  batched: pairPart(PAIRS.batched),
  'single.64': pairPart(PAIRS['single.64']),
  'single.1024': pairPart(PAIRS['single.1024']),
  engine: enginePart,
  half: halfPart,
  failover: failoverPart,
  history: historyPart,
  start: startPart,
};
