/**
 * Looks after the transactions that are not final: sees them mined, and deep enough; sends again what a pool dropped or
 * a reorganisation threw out; raises the fee of what waits too long; fills nonces that nobody uses; gives up what lost
 * its nonce to another transaction.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectorMetrics } from '@drawbridge/connector-sdk/connector-metrics';
import type { Logger } from 'pino';
import { type BlockNews, NO_BLOCK_NEWS } from './block-announcements.ts';
import type { EvmNode } from './evm-node.ts';
import type { FeeKey } from './fee-key.ts';
import { bumpedFees, type FeeLimits, feesFor } from './fees.ts';
import type { Flight, FlightBook } from './flight-book.ts';
import type { Leased, NonceLease } from './nonce-lease.ts';
import type { TransactionSender } from './transaction-sender.ts';

export type FlightTrackerOptions = Readonly<{
  /** Pause between two looks while anything is underway. */
  pollMs: number;
  /** The same while the node announces its blocks. */
  quietPollMs: number;
  /** Blocks from a transaction's to the head, both counted, at which it is left alone. */
  depthBlocks: number;
  fees: FeeLimits;
  /** A transaction that the node does not have for so long is sent again. */
  droppedAfterMs: number;
  /** The next transaction to be mined that waits for so long is replaced by one that pays more. */
  replaceAfterMs: number;
  /** A nonce below ours that nobody uses for so long is filled. */
  gapAfterMs: number;
  /** Looks in a row that must show a nonce used by another transaction. */
  supersededLooks: number;
  /** Gaps filled in one look. */
  maxGapFills: number;
}>;
export type FlightTrackerDependencies = Readonly<{
  node: EvmNode;
  key: FeeKey;
  book: FlightBook;
  lease: NonceLease;
  sender: Pick<TransactionSender, 'market'>;
  metrics: Pick<ConnectorMetrics, 'nonceGap' | 'resent' | 'inFlight'>;
  log: Logger;
  news?: BlockNews;
  /** Monotonic, ms. */
  now: () => number;
}>;

/** The account at one moment: height, next nonce by blocks, next nonce with the pool. */
type AccountState = Readonly<{ head: number; used: number; pending: number }>;

const PLAIN_TRANSFER_GAS = 21_000n;

export class FlightTracker {
  readonly #options: FlightTrackerOptions;
  readonly #deps: FlightTrackerDependencies;
  readonly #stopping = new AbortController();
  readonly #news: BlockNews;
  #unlisten: () => void = () => undefined;
  #wake = new AbortController();
  #running: Promise<void> | undefined;
  #gapSinceMs: number | undefined;
  #lastHead: number | undefined;

  constructor(options: FlightTrackerOptions, dependencies: FlightTrackerDependencies) {
    this.#options = options;
    this.#deps = dependencies;
    this.#news = dependencies.news ?? NO_BLOCK_NEWS;
  }

  /** Sends again what a journal held, then keeps looking. */
  async start(): Promise<void> {
    for (const flight of this.#deps.book.inNonceOrder()) await this.#resend(flight, 'restart');
    this.#unlisten = this.#news.onBlock(() => this.wake());
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#unlisten();
    this.#stopping.abort();
    this.#wake.abort();
    await this.#running;
  }

  /** Looks at once rather than at the end of the pause. */
  wake(): void {
    this.#wake.abort();
  }

  async #run(): Promise<void> {
    const { book, log } = this.#deps;
    while (!this.#stopping.signal.aborted) {
      this.#wake = new AbortController();
      const { signal } = this.#wake;
      try {
        if (book.size > 0) await this.look();
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : 'UNKNOWN';
        log.warn({ code }, 'transactions not looked at; will try again');
      }
      const { pollMs, quietPollMs } = this.#options;
      await delay(this.#news.up ? quietPollMs : pollMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** One look at everything underway. @throws LedgerUnavailableError */
  async look(): Promise<void> {
    const { node, key, book, metrics } = this.#deps;
    const [head, used, pending] = await Promise.all([
      node.blockNumber(),
      node.transactionCount(key.address, 'latest'),
      node.transactionCount(key.address, 'pending'),
    ]);
    const news = head !== this.#lastHead;
    const flights = book.inNonceOrder().filter(({ sent, mined }) => sent && (news || !mined));
    const ended = await Promise.all(flights.map((flight) => this.#observe(flight, { head, used, pending })));
    await book.close(flights.filter((_flight, index) => ended[index]));
    this.#lastHead = head;
    await this.#fillGaps(used, pending);
    metrics.inFlight(book.size);
  }

  /** Whether nothing more can come of it. */
  async #observe(flight: Flight, { head, used, pending }: AccountState): Promise<boolean> {
    const { node, book } = this.#deps;
    if (flight.nonce >= used) {
      flight.mined = undefined;
      await this.#keepAlive(flight, used, pending);
      return false;
    }
    const receipts = await Promise.all(flight.hashes.map((hash) => node.receipt(hash)));
    const receipt = receipts.find((found) => found !== undefined);
    flight.absentSinceMs = undefined;
    flight.headOfLineSinceMs = undefined;
    if (!receipt) return this.#strike(flight);
    flight.mined = { block: receipt.blockNumber, success: receipt.success };
    flight.strikes = 0;
    book.settle(flight.key, { type: 'mined', success: receipt.success });
    return head - receipt.blockNumber + 1 >= this.#options.depthBlocks;
  }

  /** Nodes behind one address may be a block apart, so that one look proves nothing. */
  #strike(flight: Flight): boolean {
    flight.mined = undefined;
    flight.strikes += 1;
    if (flight.strikes < this.#options.supersededLooks) return false;
    this.#deps.log.warn({ nonce: flight.nonce }, 'nonce used by another transaction of the fee key');
    this.#deps.book.settle(flight.key, { type: 'gone' });
    return true;
  }

  /** No block has it. A nonce below the pool's count is in the pool; above, it may wait behind a gap, or be lost. */
  async #keepAlive(flight: Flight, used: number, pending: number): Promise<void> {
    const { node, now } = this.#deps;
    const { droppedAfterMs, replaceAfterMs } = this.#options;
    flight.strikes = 0;
    if (flight.nonce >= pending && !(await node.knowsTransaction(flight.transaction.hash))) {
      flight.absentSinceMs ??= now();
      if (now() - flight.absentSinceMs >= droppedAfterMs) await this.#resend(flight, 'dropped');
      return;
    }
    flight.absentSinceMs = undefined;
    if (flight.nonce !== used) {
      flight.headOfLineSinceMs = undefined;
      return;
    }
    flight.headOfLineSinceMs ??= now();
    if (now() - flight.headOfLineSinceMs >= replaceAfterMs) await this.#replace(flight);
  }

  async #resend(flight: Flight, reason: 'dropped' | 'restart'): Promise<void> {
    const { node, metrics, log } = this.#deps;
    flight.absentSinceMs = undefined;
    metrics.resent(reason);
    log.info({ nonce: flight.nonce, reason }, 'transaction sent again');
    const refusal = await node.sendRaw(flight.transaction.raw).catch((error: unknown) => {
      // At start the node may be away; the next look tries again.
      if (reason === 'restart') return undefined;
      throw error;
    });
    if (refusal === 'underpriced' || refusal === 'replacement-underpriced') await this.#replace(flight);
  }

  async #replace(flight: Flight): Promise<void> {
    const { node, key, book, sender, metrics, log } = this.#deps;
    flight.headOfLineSinceMs = undefined;
    const fees = bumpedFees(flight.transaction.fees, await sender.market(), this.#options.fees);
    if (!fees) {
      log.warn({ nonce: flight.nonce }, 'a transaction waits and its fee is at the limit');
      return;
    }
    await book.replace(flight, key.sign({ ...flight.transaction, fees }));
    const refusal = await node.sendRaw(flight.transaction.raw);
    metrics.resent('replaced');
    log.info({ nonce: flight.nonce, refusal }, 'transaction replaced by one that pays more');
  }

  /** A nonce below ours that is in no pool holds up everything behind it: a process died with it, or never sent it. */
  async #fillGaps(used: number, pending: number): Promise<void> {
    const { book, lease, now } = this.#deps;
    const lowest = book.inNonceOrder().find(({ mined }) => !mined)?.nonce;
    if (lowest === undefined || lowest <= used || pending > used) {
      this.#gapSinceMs = undefined;
      return;
    }
    this.#gapSinceMs ??= now();
    if (now() - this.#gapSinceMs < this.#options.gapAfterMs) return;
    this.#gapSinceMs = undefined;
    await lease.hold((hint) => this.#fill(used, lowest, hint));
  }

  async #fill(from: number, to: number, hint: number | undefined): Promise<Leased<undefined>> {
    const { node, key, book, sender, metrics, log } = this.#deps;
    const leased: Leased<undefined> = { value: undefined, next: hint };
    if ((await node.transactionCount(key.address, 'pending')) !== from) return leased;
    const fees = feesFor(await sender.market(), this.#options.fees);
    if (!fees) return leased;
    for (let nonce = from; nonce < Math.min(to, from + this.#options.maxGapFills); nonce += 1) {
      const fields = { nonce, to: key.address, data: '0x', gasLimit: PLAIN_TRANSFER_GAS, fees } as const;
      const [flight] = await book.depart([{ key: `gap:${nonce}`, transaction: key.sign(fields) }]);
      metrics.nonceGap();
      log.warn({ nonce }, 'a nonce that nobody used is filled');
      if (!flight) continue;
      await node.sendRaw(flight.transaction.raw);
      flight.sent = true;
    }
    return leased;
  }
}
