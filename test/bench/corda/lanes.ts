/**
 * Payments of pounds between Corda and quorum-a on a whole system, one after another, with the times of each.
 *
 * How the moments of `LaneTimes` are taken, all on this machine and by its one clock:
 * - terms, answer, credited and settled: at the bank's client and its event stream, so that the way there and back is ours;
 * - on quorum-a: the node's own announcements of pending transactions and of blocks. From pool to depth is the network's: it is
 *   one block of waiting and two on top, a second each. Nobody of ours waits for a block before it is announced; whatever
 *   observers and connector wait for after it is ours;
 * - on Corda: the agent's log. A lock takes from the bank asking its node for it until the vault party's node stamps it as recorded;
 *   a payment from the agent asking its node for the flow until that stamp. The stamp is set before the node's
 *   database commits and its news go out: that tail is the node's alone, counts as ours all the same, and is told by itself too.
 *   What the node still does in the flow after the stamp (telling the payee, ending the flow) is in neither: no one waits for it.
 * The bank's own wallet on quorum-a, from the answer until its lock is in the pool, is neither ours nor the network's.
 */
import { CORDA_NETWORK, DEPTH_BLOCKS } from '@drawbridge/demo/cast';
import type { TransferResource } from '@drawbridge/protocol/api/transfer';
import { eventually, type Payment, type World } from '../../e2e/world.ts';
import { durationsIn, type Took } from './agent-durations.ts';
import { type BlockWatch, watchBlocks } from './block-watch.ts';
import { cordaStretch, type Heard } from './corda-stretch.ts';
import type { LaneTimes, Stretch } from './lane-times.ts';
import { standAside } from './stand-aside.ts';
import { StateWatch } from './state-watch.ts';

const PATIENCE_MS = 120_000;
const EVM_NETWORK = 'quorum-a';
const TIMES = { fundBySeconds: 240, deliverBySeconds: 280, asset: 'GBP' } as const;

export type Route = 'corda.out' | 'corda.in';
/** Out of Corda, and into it. */
const ROUTES: Readonly<Record<Route, Omit<Payment, 'amountMinor'>>> = {
  'corda.out': { ...TIMES, from: 'aurora', to: 'boreal', source: CORDA_NETWORK, destination: EVM_NETWORK },
  'corda.in': { ...TIMES, from: 'boreal', to: 'aurora', source: EVM_NETWORK, destination: CORDA_NETWORK },
};

/** Unix ms, with fractions. */
const now = (): number => performance.timeOrigin + performance.now();

/** A payment that was made, with all that the bench saw of it. */
export type Paid = Heard & Readonly<{ route: Route; submittedMs: number; onQuorum: Stretch }>;

export type Lanes = Readonly<{
  /** One payment, settled. */
  pay: (route: Route, amountMinor: bigint) => Promise<Paid>;
  /** Its times. The agent's log knows them all some ten seconds after a payment. */
  timesOf: (paid: Paid) => Promise<LaneTimes>;
  /** So many at once; ms of each from terms to settled, and of all. */
  payAtOnce: (route: Route, amountMinor: bigint, count: number) => Promise<{ eachMs: number[]; allMs: number }>;
  stop: () => Promise<void>;
}>;

export async function openLanes(world: World): Promise<Lanes> {
  const { corda } = world.system;
  if (!corda) throw new RangeError('the system has no Corda network');
  const blocks = await watchBlocks(world.system.chain(EVM_NETWORK).rpcUrl, now);
  const watches = new Map(['aurora', 'boreal'].map((bank) => [bank, new StateWatch(world.desk(bank), now)]));
  const bench = new LaneBench(world, { blocks, watches, agentLog: () => corda.agent.recentOutput() });
  return {
    pay: (route, amountMinor) => bench.pay(route, amountMinor),
    timesOf: (paid) => bench.timesOf(paid),
    payAtOnce: (route, amountMinor, count) => bench.payAtOnce(route, amountMinor, count),
    stop: async () => {
      await Promise.all([...watches.values()].map((watch) => watch.stop()));
      await blocks.stop();
    },
  };
}

type Instruments = Readonly<{
  blocks: BlockWatch;
  watches: ReadonlyMap<string, StateWatch>;
  agentLog: () => string;
}>;

/** Corda's nodes and the tool that stands for the wallets of their banks. @throws where the system does not let them. */
export function cordaStandsAside({ system: { corda } }: World): Promise<void> {
  if (!corda) throw new RangeError('the system has no Corda network');
  const { testbed } = corda;
  const nodes = testbed.corda.nodes.flatMap((node) => node.pid() ?? []);
  return standAside([...nodes, testbed.tool.pid]);
}

class LaneBench {
  readonly #world: World;
  readonly #instruments: Instruments;
  /** Of the agent's log, which keeps its end alone, each line once. */
  readonly #log = new Map<string, Took>();

  constructor(world: World, instruments: Instruments) {
    this.#world = world;
    this.#instruments = instruments;
  }

  async pay(route: Route, amountMinor: bigint): Promise<Paid> {
    const payment = { ...ROUTES[route], amountMinor };
    const submittedMs = now();
    const transfer = await this.#world.submit(payment);
    const answeredMs = now();
    const watch = this.#watch(payment.from);
    const [relayingMs, settledMs] = await Promise.all([
      watch.heard(transfer.id, 'RELAYING', PATIENCE_MS),
      watch.heard(transfer.id, 'SETTLED', PATIENCE_MS),
      this.#lock(payment, transfer),
    ]);
    const onQuorum = await eventually('the block at depth', () =>
      this.#instruments.blocks.buried(answeredMs, DEPTH_BLOCKS),
    );
    await eventually('the end of the flow', async () => this.#flowEnded(route, Math.floor(relayingMs)));
    return { route, submittedMs, answeredMs, relayingMs, settledMs, onQuorum };
  }

  async timesOf(paid: Paid): Promise<LaneTimes> {
    const { route, submittedMs, answeredMs, relayingMs, settledMs, onQuorum } = paid;
    const { tailMs, agentMs, ...onCorda } = await eventually("the agent's durations", async () => {
      this.#readLog();
      return cordaStretch(route, paid, [...this.#log.values()]);
    });
    const [funding, delivery] = route === 'corda.out' ? [onCorda, onQuorum] : [onQuorum, onCorda];
    return { submittedMs, answeredMs, funding, relayingMs, delivery, settledMs, tailMs, agentMs };
  }

  /** The payee's node is told of a payment after it is settled: the next one is not to meet that. */
  #flowEnded(route: Route, sinceMs: number): true | undefined {
    this.#readLog();
    const ended = [...this.#log.values()].some(({ event, fromMs }) => event === 'flow-ended' && fromMs >= sinceMs);
    return route === 'corda.out' || ended ? true : undefined;
  }

  #readLog(): void {
    for (const took of durationsIn(this.#instruments.agentLog())) {
      this.#log.set(`${took.event} ${took.fromMs} ${took.toMs}`, took);
    }
  }

  async payAtOnce(route: Route, amountMinor: bigint, count: number): Promise<{ eachMs: number[]; allMs: number }> {
    const startMs = now();
    const one = async (): Promise<number> => {
      const payment = { ...ROUTES[route], amountMinor };
      const fromMs = now();
      const transfer = await this.#world.submit(payment);
      const [settledMs] = await Promise.all([
        this.#watch(payment.from).heard(transfer.id, 'SETTLED', PATIENCE_MS),
        this.#lock(payment, transfer),
      ]);
      return settledMs - fromMs;
    };
    const eachMs = await Promise.all(Array.from({ length: count }, one));
    return { eachMs, allMs: now() - startMs };
  }

  async #lock({ from, asset }: Payment, { lock, state }: TransferResource): Promise<void> {
    if (!lock) throw new Error(`there is nothing to lock: the payment is ${state}`);
    await this.#world.system.network(lock.network).lock(from, asset, lock.reference, BigInt(lock.amountMinor));
  }

  #watch(bank: string): StateWatch {
    const found = this.#instruments.watches.get(bank);
    if (!found) throw new RangeError(`nobody listens for ${bank}`);
    return found;
  }
}
