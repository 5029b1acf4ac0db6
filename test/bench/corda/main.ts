/**
 * `npm run bench:corda`: payments between a real Corda 4.10 network and a development EVM network, end to end in both directions,
 * and what of each is ours. Everything is real: three nodes of Corda, RabbitMQ, the agent, Redis, core, hub, connectors, observers.
 * Nothing is asserted but that sums agree in the end. lanes.ts says how each moment is taken, docs/performance.md what was seen.
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { startWorld } from '../../e2e/world.ts';
import { type Figure, figure, quantile } from '../cluster/measured.ts';
import { type LaneShares, laneFigures, sharesOf } from './lane-times.ts';
import { cordaStandsAside, type Lanes, openLanes, type Paid, type Route } from './lanes.ts';

const AT_MOST_MS: Readonly<Record<string, number>> = { 'corda.out.ours.p50': 100, 'corda.in.ours.p50': 100 };
const ROUTES: readonly Route[] = ['corda.out', 'corda.in'];
const PAYMENTS = 20;
/** Before it counts, each way: what has run for a while has compiled what it does often, and holds its connections. */
const WARM_UP = 40;
/** Of those at once; a vault here has as many permits. */
const WARM_UP_TOGETHER = 4;
const AMOUNT_MINOR = 1_000n;
/** What is taken to quorum-a first, for the payments back. */
const STOCK_MINOR = 1_000_000n;
const MAX_PAYMENTS = 500;

const USAGE = `npm run bench:corda                     ${PAYMENTS} payments each way, one after another; eight minutes
npm run bench:corda -- --payments N     so many
npm run bench:corda -- --at-once N      and then N each way at once
npm run bench:corda -- --warm-up N      payments each way before it counts, ${WARM_UP} if left out
npm run bench:corda -- --side-by-side   Corda's nodes do not stand aside: they have an equal claim to this machine
npm run bench:corda -- --json           one object a line: {"name","value","unit"}`;

function refuse(why: string): never {
  process.stderr.write(`${why}\n\n${USAGE}\n`);
  process.exit(2);
}

function readArguments() {
  try {
    const options = {
      payments: { type: 'string', default: String(PAYMENTS) },
      'at-once': { type: 'string', default: '0' },
      'warm-up': { type: 'string', default: String(WARM_UP) },
      'side-by-side': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    } as const;
    return parseArgs({ options }).values;
  } catch (error) {
    return refuse((error as Error).message);
  }
}

function count(name: string, text: string, least: number): number {
  const value = Number(text);
  const fits = Number.isInteger(value) && value >= least && value <= MAX_PAYMENTS;
  return fits ? value : refuse(`--${name} must be a whole number from ${least} to ${MAX_PAYMENTS}`);
}

const log = (sentence: string): void => void process.stderr.write(`${sentence}\n`);

function line(item: Figure, json: boolean): string {
  if (json) return JSON.stringify(item);
  const most = AT_MOST_MS[item.name];
  const against =
    most === undefined ? '' : `   ${item.value < most ? 'meets' : 'misses'} the mark of less than ${most}`;
  return `${item.name.padEnd(28)} ${String(item.value).padStart(10)} ${item.unit}${against}`;
}

/** At once, and one at last by itself: the first lock after many waits for none of them. */
async function warmUp(lanes: Lanes, payments: number): Promise<void> {
  await lanes.pay('corda.out', STOCK_MINOR);
  for (let left = payments; left > 0; left -= WARM_UP_TOGETHER) {
    for (const route of ROUTES) await lanes.payAtOnce(route, AMOUNT_MINOR, Math.min(left, WARM_UP_TOGETHER));
  }
  for (const route of ROUTES) await lanes.pay(route, AMOUNT_MINOR);
}

async function* inTurn(lanes: Lanes, payments: number): AsyncGenerator<Figure> {
  const made: Paid[] = [];
  for (let n = 0; n < payments; n += 1) {
    for (const route of ROUTES) made.push(await lanes.pay(route, AMOUNT_MINOR));
  }
  const shares: Record<Route, LaneShares[]> = { 'corda.out': [], 'corda.in': [] };
  for (const paid of made) shares[paid.route].push(sharesOf(await lanes.timesOf(paid)));
  for (const route of ROUTES) yield* laneFigures(route, shares[route]);
}

async function* atOnce(lanes: Lanes, payments: number): AsyncGenerator<Figure> {
  for (const route of ROUTES) {
    const { eachMs, allMs } = await lanes.payAtOnce(route, AMOUNT_MINOR, payments);
    yield figure(`${route}.at-once.p50`, quantile(eachMs, 0.5), 'ms');
    yield figure(`${route}.at-once.rate`, (payments * 1_000) / allMs, '1/s');
  }
}

const values = readArguments();
if (values.help) {
  process.stdout.write(`${USAGE}\n`);
  process.exit(0);
}
const payments = count('payments', values.payments, 1);
const together = count('at-once', values['at-once'], 0);
const before = count('warm-up', values['warm-up'], 0);
log(
  `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}`,
);
const world = await startWorld({ corda: { longRun: true }, progress: log });
try {
  const lanes = await openLanes(world);
  try {
    if (!values['side-by-side']) {
      await cordaStandsAside(world);
      log("Corda's nodes and the banks' tool stand aside: they get what of this machine the rest leaves");
    }
    const aside = figure('corda.nodes-stand-aside', values['side-by-side'] ? 0 : 1, '1 or 0');
    process.stdout.write(`${line(aside, values.json)}\n`);
    log(`warming up with ${before} payments each way`);
    await warmUp(lanes, before);
    log(`measuring ${payments} payments each way, one after another`);
    for await (const item of inTurn(lanes, payments)) process.stdout.write(`${line(item, values.json)}\n`);
    if (together > 0) {
      log(`measuring ${together} payments each way at once`);
      for await (const item of atOnce(lanes, together)) process.stdout.write(`${line(item, values.json)}\n`);
    }
  } finally {
    await lanes.stop();
  }
  await world.expectConserved();
  log(`sums agree; load at the end ${loadavg()[0]?.toFixed(1)}`);
} finally {
  await world.stop();
  await world.remove();
}
