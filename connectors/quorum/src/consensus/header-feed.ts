/**
 * Keeps the core's tracked head near the network's: every header, without gaps, in batches on the queue that evidence
 * takes too. It owns nothing. The core's head comes with the follower's cursor; what the core has not taken by then is
 * offered again, and what it does not take for long is read anew from its head on. Feeds of one network may run side by
 * side: the core drops what it knows.
 *
 * The core forgets blocks that are far below its head, and evidence of a forgotten block is worth nothing. So the feed
 * never runs ahead of vault events by more than half of what the core remembers.
 */
import type { ConnectorMetrics } from '@drawbridge/connector-sdk/connector-metrics';
import { headerBatchJobId } from '@drawbridge/connector-sdk/evidence-job-id';
import { LedgerUnavailableError } from '@drawbridge/connector-sdk/ledger-connector';
import { TurnLoop } from '@drawbridge/connector-sdk/turn-loop';
import type { EvidenceOffer, EvidenceOutbox, TrackedHead } from '@drawbridge/connector-sdk/vault-event-source';
import type { ConsensusRule } from '@drawbridge/protocol/consensus-evidence';
import type { NetworkId } from '@drawbridge/protocol/ids';
import type { Logger } from 'pino';
import { DisputedHead } from './disputed-head.ts';
import { packHeaders, readHeaders } from './header-batches.ts';
import type { SealedBlocks } from './sealed-blocks.ts';

/** First pause after a failure; it doubles up to `headerMs`. */
const FIRST_PAUSE_MS = 250;

export type HeaderFeedOptions = Readonly<{
  network: NetworkId;
  rule: ConsensusRule;
  idKey: Uint8Array;
  /** Headers on top of a block that the core must see before it tracks the block; 0 where seals make it final. */
  vouchingBlocks: number;
  /** Blocks that the core remembers below its head, as registered. */
  maxGapBlocks: number;
  /** Longest pause between two looks for new headers. */
  headerMs: number;
  /** Headers that the core has not taken after this are read anew. */
  rebuildMs: number;
  /** Batches offered that the core has not taken. */
  maxBatches: number;
}>;
export type HeaderFeedDependencies = Readonly<{
  node: SealedBlocks;
  outbox: Pick<EvidenceOutbox, 'offer' | 'reoffer'>;
  /** Every vault event below this block is the core's already; `undefined` while nobody knows. */
  openFromBlock: () => number | undefined;
  metrics: Pick<ConnectorMetrics, 'headers' | 'headerLag' | 'headersDisputed'>;
  log: Logger;
  /** Monotonic, ms. */
  now: () => number;
}>;

/** Why headers up to a block are not offered; for logs. */
export type FeedHold =
  /** The core was not asked yet, or does not track this network. */
  | 'HEAD_UNKNOWN'
  /** The node has not come as far as the core. */
  | 'NODE_BEHIND'
  /** The node has another block where the core's head is. */
  | 'NODE_DISAGREES'
  /** The block is too new, too far ahead of other vaults' events, or too much is underway. */
  | 'HEADERS_HELD_BACK';

type OfferedBatch = Readonly<{
  offer: EvidenceOffer;
  /** The highest block that the core tracks when it has taken the batch, whatever came before. */
  tracked: TrackedHead;
}>;

export class HeaderFeed {
  readonly #options: HeaderFeedOptions;
  readonly #deps: HeaderFeedDependencies;
  readonly #disputed: DisputedHead;
  #head: TrackedHead | undefined;
  /** Lowest first, each on top of the one before. */
  #batches: readonly OfferedBatch[] = [];
  #progressMs = 0;
  #reofferDue = false;
  #turns: Promise<unknown> = Promise.resolve();
  readonly #loop: TurnLoop;
  #stopped = false;

  constructor(options: HeaderFeedOptions, dependencies: HeaderFeedDependencies) {
    this.#options = options;
    this.#deps = dependencies;
    this.#disputed = new DisputedHead(options, dependencies);
    const { headerMs } = options;
    this.#loop = new TurnLoop({
      turn: () => this.turn(),
      pauseMs: (failures) => (failures === 0 ? headerMs : Math.min(FIRST_PAUSE_MS * 2 ** failures, headerMs)),
      failed: 'headers could not be offered; will try again',
      log: dependencies.log,
    });
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop.stop();
    await this.#turns;
  }

  /** Turns that failed one after another: 0 is healthy. */
  get failures(): number {
    return this.#loop.failures;
  }

  /** Whether the node's block at the core's head is another than the core's. */
  get disputed(): boolean {
    return this.#disputed.underway;
  }

  /** The core stands here. Called with every cursor, after the queue's key was renewed. */
  coreAt(head: TrackedHead | undefined): void {
    const { metrics, now } = this.#deps;
    const before = this.#head;
    this.#head = head;
    if (!head || !before || head.number < before.number) this.#forget();
    else if (head.number > before.number) {
      this.#batches = this.#batches.filter(({ tracked }) => tracked.number > head.number);
      this.#progressMs = now();
    } else if (head.hash !== before.hash) this.#forget();
    else if (this.#batches.length > 0 && now() - this.#progressMs >= this.#options.rebuildMs) {
      metrics.headers('rebuilt', this.#batches.length);
      this.#forget();
    }
    this.#reofferDue = true;
    this.#loop.wake();
  }

  /** Offers headers, so that the core will track the block, or says why not. Throws what node and queue throw. */
  async upTo(block: number): Promise<'offered' | FeedHold> {
    if (this.#covers(block)) return 'offered';
    return this.#alone(async () => {
      if (this.#covers(block)) return 'offered';
      const hold = await this.#feed();
      return this.#covers(block) ? 'offered' : (hold ?? 'HEADERS_HELD_BACK');
    });
  }

  /** One turn: everything that may be offered is. Throws what node and queue throw. */
  async turn(): Promise<void> {
    await this.#alone(() => this.#feed());
  }

  #covers(block: number): boolean {
    return this.#head !== undefined && !this.disputed && block <= this.#tail(this.#head).number;
  }

  async #feed(): Promise<FeedHold | undefined> {
    const { node, metrics } = this.#deps;
    const [head, reofferDue] = [this.#head, this.#reofferDue];
    this.#reofferDue = false;
    if (!head) return 'HEAD_UNKNOWN';
    const tip = await node.blockNumber();
    metrics.headerLag(Math.max(0, tip - head.number));
    const own = tip < head.number ? undefined : await node.sealedBlock(head.number);
    if (!own) return 'NODE_BEHIND';
    if (own.hash !== head.hash) {
      this.#forget();
      await this.#disputed.offer({ head, own: own.hash, tip, reofferDue });
      return 'NODE_DISAGREES';
    }
    this.#disputed.end();
    if (reofferDue) await this.#reoffer();
    while (!this.#stopped && (await this.#offerNext(tip)));
    return undefined;
  }

  async #reoffer(): Promise<void> {
    const offers = this.#batches.map(({ offer }) => offer);
    if (offers.length === 0) return;
    await this.#deps.outbox.reoffer(offers);
    this.#deps.metrics.headers('reoffered', offers.length);
  }

  /** One more batch on top of the last; false when there is nothing to offer, or no leave to. */
  async #offerNext(tip: number): Promise<boolean> {
    const { node, outbox, metrics, now } = this.#deps;
    const { vouchingBlocks, maxBatches, network, rule, idKey } = this.#options;
    const head = this.#head;
    if (!head || this.#batches.length >= maxBatches) return false;
    const tail = this.#tail(head);
    const target = Math.min(tip - vouchingBlocks, this.#furthest(head));
    if (target <= tail.number) return false;
    const blocks = await readHeaders(node, { fromBlock: tail.number + 1, toBlock: target + vouchingBlocks });
    const [first, last, tracked] = [blocks[0], blocks.at(-1), blocks.at(-1 - vouchingBlocks)];
    if (!first || !last || !tracked) return false;
    if (first.parentHash !== tail.hash) {
      this.#forget();
      throw new LedgerUnavailableError(`block ${first.number} does not build on the headers that were offered`);
    }
    // A cursor may have come meanwhile; then what to offer next is another question.
    if (!this.#isTail(tail)) return true;
    const jobId = headerBatchJobId(idKey, network, { firstHash: first.hash, lastHash: last.hash });
    const offer = { jobId, bytes: packHeaders(blocks, { rule, network }) };
    await this.#put(outbox, offer);
    metrics.headers('offered', 1);
    if (!this.#isTail(tail)) return true;
    if (this.#batches.length === 0) this.#progressMs = now();
    this.#batches = [...this.#batches, { offer, tracked: { number: tracked.number, hash: tracked.hash } }];
    return true;
  }

  async #put(outbox: HeaderFeedDependencies['outbox'], offer: EvidenceOffer): Promise<void> {
    try {
      await outbox.offer([offer]);
    } catch (error) {
      this.#deps.metrics.headers('failed', 1);
      throw error;
    }
  }

  /** The highest block that the core tracks when it has taken all that was offered. */
  #tail(head: TrackedHead): TrackedHead {
    return this.#batches.at(-1)?.tracked ?? head;
  }

  #isTail({ number, hash }: TrackedHead): boolean {
    const tail = this.#head && this.#tail(this.#head);
    return tail?.number === number && tail.hash === hash;
  }

  /** The highest block that the core may come to track without forgetting one that may hold an event. */
  #furthest(head: TrackedHead): number {
    const open = this.#deps.openFromBlock();
    return open === undefined ? head.number : open + Math.floor(this.#options.maxGapBlocks / 2);
  }

  #forget(): void {
    this.#batches = [];
    this.#progressMs = this.#deps.now();
  }

  /** Turns follow one another, whoever asks for them. */
  #alone<T>(turn: () => Promise<T>): Promise<T> {
    const result = this.#turns.then(turn);
    this.#turns = result.catch(() => undefined);
    return result;
  }
}
