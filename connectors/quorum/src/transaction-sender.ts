/**
 * Gives transactions their nonces and sends them. Any number may be asked for at once; they go out in batches: one
 * lease, one count, one flush of the journal, then the sends in nonce order, so that a refusal leaves no gap behind it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Hex } from '@drawbridge/protocol/bytes32';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import type { Logger } from 'pino';
import type { EvmNode, SendRefusal } from './evm-node.ts';
import type { FeeKey, SignedTransaction } from './fee-key.ts';
import { type FeeLimits, type FeeMarket, type Fees, feesFor } from './fees.ts';
import type { Flight, FlightBook } from './flight-book.ts';
import type { Leased, NonceLease } from './nonce-lease.ts';

/** `key`: the instruction's id. Asking again for a key that is underway sends nothing new. */
export type SendRequest = Readonly<{ key: string; to: EvmAddress; data: Hex; gasLimit: bigint }>;
export type SendResult = Readonly<{ type: 'underway' }> | Readonly<{ type: 'refused'; code: string; words: string }>;

export type TransactionSenderOptions = Readonly<{
  fees: FeeLimits;
  /** Transactions sent under one lease. */
  batch: number;
  /** Transactions that no block holds yet; nodes keep few of one account (geth: 64 that can go, 16 sure). */
  maxUnmined: number;
  /** How long a request waits for room among those, looking every `pollMs`. */
  roomWaitMs: number;
  pollMs: number;
  /** Nonces tried for one request. */
  maxNonces: number;
  /** How long the node's count and prices are believed that were asked for ahead. */
  outlookMs: number;
}>;
export type TransactionSenderDependencies = Readonly<{
  node: EvmNode;
  key: FeeKey;
  book: FlightBook;
  lease: NonceLease;
  log: Logger;
  /** Monotonic, ms. */
  now: () => number;
}>;

/** `pending`: transactions of the key that the node knows. */
type Outlook = Readonly<{ pending: number; market: FeeMarket }>;

type Waiting = Readonly<{
  request: SendRequest;
  resolve: (result: SendResult) => void;
  reject: (error: unknown) => void;
}> & {
  tries: number;
};

const CROWDED = refused('TOO_MANY_UNMINED', 'too many transactions of the fee key wait to be mined');
/** In words, for the failed set. */
const REFUSED: Readonly<Record<Exclude<SendRefusal, 'already-known'>, SendResult>> = {
  'nonce-too-low': refused('NONCE_TAKEN', 'other transactions of the fee key took every nonce that was tried'),
  'replacement-underpriced': refused(
    'NONCE_TAKEN',
    'other transactions of the fee key took every nonce that was tried',
  ),
  underpriced: refused('FEE_TOO_LOW', 'the node finds the fee too low'),
  'no-funds': refused('FEE_ACCOUNT_EMPTY', 'the fee account cannot pay for gas'),
  'pool-full': refused('POOL_FULL', "the node's pool is full"),
  'gas-limit': refused('GAS_LIMIT', 'the node refuses the gas limit'),
  other: refused('NODE_REFUSED', 'the node refuses the transaction'),
};

export class TransactionSender {
  readonly #options: TransactionSenderOptions;
  readonly #deps: TransactionSenderDependencies;
  #waiting: Waiting[] = [];
  readonly #asked = new Map<string, Promise<SendResult>>();
  #draining: Promise<void> | undefined;
  #prepared: Readonly<{ outlook: Promise<Outlook>; atMs: number }> | undefined;

  constructor(options: TransactionSenderOptions, dependencies: TransactionSenderDependencies) {
    this.#options = options;
    this.#deps = dependencies;
  }

  /** @throws LedgerUnavailableError when the node gave no nonce: then nothing was sent. */
  async submit(request: SendRequest): Promise<SendResult> {
    const { book } = this.#deps;
    const asked = this.#asked.get(request.key);
    if (asked) return asked;
    if (book.current(request.key)) return { type: 'underway' };
    const result = new Promise<SendResult>((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject, tries: 0 });
    }).finally(() => this.#asked.delete(request.key));
    this.#asked.set(request.key, result);
    this.#draining ??= this.#drain();
    return result;
  }

  /** Resolves when everything that was asked for has been sent or refused. */
  async idle(): Promise<void> {
    await this.#draining;
  }

  /** Asks the node now what the next batch needs to know, while there is other work to be done before it. */
  prepare(): void {
    if (this.#draining || this.#isFresh()) return;
    const outlook = this.#outlook();
    outlook.catch(() => undefined);
    this.#prepared = { outlook, atMs: this.#deps.now() };
  }

  /**
   * What was asked lately serves one batch. A count that is too low by then costs another nonce; or, where Redis lost what the lease
   * knew and prices rose, it takes the place of another process's transaction, which then is sent again.
   */
  #takeOutlook(): Promise<Outlook> {
    const prepared = this.#isFresh() ? this.#prepared : undefined;
    this.#prepared = undefined;
    return prepared ? prepared.outlook.catch(() => this.#outlook()) : this.#outlook();
  }

  #isFresh(): boolean {
    return this.#prepared !== undefined && this.#deps.now() - this.#prepared.atMs <= this.#options.outlookMs;
  }

  async #outlook(): Promise<Outlook> {
    const { node, key } = this.#deps;
    const [pending, market] = await Promise.all([node.transactionCount(key.address, 'pending'), this.market()]);
    return { pending, market };
  }

  /** One turn with the node where its blocks have a base fee, as those of most have. */
  async market(): Promise<FeeMarket> {
    const { node } = this.#deps;
    const [block, priorityFeeWei] = await Promise.all([node.block('latest'), node.priorityFeeWei()]);
    const baseFeeWei = block?.baseFeeWei;
    if (baseFeeWei === undefined) return { gasPriceWei: await node.gasPriceWei() };
    return priorityFeeWei === undefined ? { baseFeeWei } : { baseFeeWei, priorityFeeWei };
  }

  async #drain(): Promise<void> {
    // Requests of the same moment shall go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const room = await this.#room();
      if (room <= 0) {
        for (const waiting of [...this.#waiting]) this.#finish(waiting, CROWDED);
        continue;
      }
      const batch = this.#waiting.slice(0, Math.min(this.#options.batch, room));
      try {
        await this.#deps.lease.hold((hint) => this.#sendBatch(batch, hint));
      } catch (error) {
        this.#waiting = this.#waiting.filter((waiting) => !batch.includes(waiting));
        for (const { reject } of batch) reject(error);
      }
    }
    // In the same step as the last look at what waits: a request that came between the two would wait for ever.
    this.#draining = undefined;
  }

  /** How many more the node's pool should get; waits a while for the first. */
  async #room(): Promise<number> {
    const { maxUnmined, roomWaitMs, pollMs } = this.#options;
    for (let waitedMs = 0; ; waitedMs += pollMs) {
      const room = maxUnmined - this.#deps.book.unminedCount;
      if (room > 0 || waitedMs >= roomWaitMs) return room;
      await delay(pollMs);
    }
  }

  async #sendBatch(batch: readonly Waiting[], hint: number | undefined): Promise<Leased<undefined>> {
    const { book } = this.#deps;
    const { pending, market } = await this.#takeOutlook();
    const fees = feesFor(market, this.#options.fees);
    if (!fees) {
      for (const waiting of batch)
        this.#finish(waiting, refused('FEE_CAP', 'gas costs more than this connector may pay'));
      return { value: undefined, next: undefined };
    }
    // What others sent and this node does not know yet is no more than they may have unmined. A hint beyond that is none:
    // Redis may say anything, and a nonce that nobody takes holds up all behind it until it is paid for.
    const believed = hint !== undefined && hint <= pending + this.#options.maxUnmined ? hint : 0;
    const first = Math.max(pending, believed, book.nextNonce);
    const departures = batch.map(({ request }, index) => ({
      key: request.key,
      transaction: this.#sign(request, first + index, fees),
    }));
    const flights = await book.depart(departures);
    const next = await this.#sendInOrder(batch, flights);
    return { value: undefined, next };
  }

  /** Returns the lowest nonce left free. What comes after a refusal is taken back and waits for other nonces. */
  async #sendInOrder(batch: readonly Waiting[], flights: readonly Flight[]): Promise<number> {
    for (const [index, flight] of flights.entries()) {
      const waiting = batch[index];
      if (!waiting) break;
      const refusal = await this.#send(flight.transaction);
      flight.sent = true;
      if (refusal === undefined) {
        this.#finish(waiting, { type: 'underway' });
        continue;
      }
      await this.#deps.book.close(flights.slice(index));
      waiting.tries += 1;
      const taken = refusal === 'nonce-too-low' || refusal === 'replacement-underpriced';
      if (!taken || waiting.tries >= this.#options.maxNonces) this.#finish(waiting, REFUSED[refusal]);
      return taken ? flight.nonce + 1 : flight.nonce;
    }
    return (flights.at(-1)?.nonce ?? -1) + 1;
  }

  /** `undefined` also where the node did not answer: it may have the transaction, and the tracker finds out. */
  async #send(transaction: SignedTransaction): Promise<Exclude<SendRefusal, 'already-known'> | undefined> {
    try {
      const refusal = await this.#deps.node.sendRaw(transaction.raw);
      if (refusal === undefined || refusal === 'already-known') return undefined;
      this.#deps.log.warn({ nonce: transaction.nonce, refusal }, 'transaction not taken');
      return refusal;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : 'UNKNOWN';
      this.#deps.log.warn({ nonce: transaction.nonce, code }, 'transaction sent into the unknown');
      return undefined;
    }
  }

  #sign({ to, data, gasLimit }: SendRequest, nonce: number, fees: Fees): SignedTransaction {
    return this.#deps.key.sign({ nonce, to, data, gasLimit, fees });
  }

  #finish(waiting: Waiting, result: SendResult): void {
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
    waiting.resolve(result);
  }
}

function refused(code: string, words: string): Extract<SendResult, { type: 'refused' }> {
  return { type: 'refused', code, words };
}
