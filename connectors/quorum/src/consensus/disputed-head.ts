/**
 * The node has another block than the core at the core's head. One of the two is on a fork, or the network sealed two
 * blocks at one height; the core decides. It gets the node's headers around its head, and nothing else until they agree.
 */
import type { ConnectorMetrics } from '@drawbridge/connector-sdk/connector-metrics';
import { headerBatchJobId } from '@drawbridge/connector-sdk/evidence-job-id';
import type { EvidenceOffer, EvidenceOutbox, TrackedHead } from '@drawbridge/connector-sdk/vault-event-source';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { ConsensusRule } from '@drawbridge/protocol/consensus-evidence';
import type { NetworkId } from '@drawbridge/protocol/ids';
import type { Logger } from 'pino';
import { packHeaders, readHeaders } from './header-batches.ts';
import type { SealedBlocks } from './sealed-blocks.ts';

/** Headers shown on either side: a fork that is older is not made out here. */
const BLOCKS_BELOW = 63;
const BLOCKS_ABOVE = 64;

export type DisputedHeadOptions = Readonly<{
  network: NetworkId;
  rule: ConsensusRule;
  idKey: Uint8Array;
  /** Headers that the core made nothing of are read anew after this: there may be more of them by then. */
  rebuildMs: number;
}>;
export type DisputedHeadDependencies = Readonly<{
  node: SealedBlocks;
  outbox: Pick<EvidenceOutbox, 'offer' | 'reoffer'>;
  metrics: Pick<ConnectorMetrics, 'headers' | 'headersDisputed'>;
  log: Logger;
  now: () => number;
}>;

type Dispute = Readonly<{ core: Bytes32; own: Bytes32; offer: EvidenceOffer; builtAtMs: number }>;

export class DisputedHead {
  readonly #options: DisputedHeadOptions;
  readonly #deps: DisputedHeadDependencies;
  #dispute: Dispute | undefined;
  #underway = false;

  constructor(options: DisputedHeadOptions, dependencies: DisputedHeadDependencies) {
    this.#options = options;
    this.#deps = dependencies;
  }

  get underway(): boolean {
    return this.#underway;
  }

  /** @param dispute `own`: what the node has at the core's `head`; `tip`: the node's height. */
  async offer({
    head,
    own,
    tip,
    reofferDue,
  }: Readonly<{
    head: TrackedHead;
    own: Bytes32;
    tip: number;
    reofferDue: boolean;
  }>): Promise<void> {
    const { outbox, metrics, log, now } = this.#deps;
    this.#underway = true;
    metrics.headersDisputed(true);
    const known = this.#dispute;
    const same = known?.core === head.hash && known.own === own;
    if (same && now() - known.builtAtMs < this.#options.rebuildMs) {
      if (reofferDue) await outbox.reoffer([known.offer]);
      return;
    }
    if (!same) log.error({ block: head.number, core: head.hash, node: own }, 'the node disagrees with the core');
    const offer = await this.#headersAround(head.number, tip);
    if (!offer) return;
    await outbox.offer([offer]);
    metrics.headers('disputed', 1);
    this.#dispute = { core: head.hash, own, offer, builtAtMs: now() };
  }

  /** They agree. */
  end(): void {
    if (this.#underway) this.#deps.log.info('the node agrees with the core again');
    this.#dispute = undefined;
    this.#underway = false;
    this.#deps.metrics.headersDisputed(false);
  }

  /** Headers below make room for those above where a batch does not hold all: the head itself is always in it. */
  async #headersAround(number: number, tip: number): Promise<EvidenceOffer | undefined> {
    const { network, rule, idKey } = this.#options;
    const toBlock = Math.min(tip, number + BLOCKS_ABOVE);
    for (let below = Math.min(BLOCKS_BELOW, number); ; below = Math.floor(below / 2)) {
      const blocks = await readHeaders(this.#deps.node, { fromBlock: number - below, toBlock });
      const [first, last] = [blocks[0], blocks.at(-1)];
      if (!first || !last) return undefined;
      if (last.number < toBlock && below > 0) continue;
      const jobId = headerBatchJobId(idKey, network, { firstHash: first.hash, lastHash: last.hash });
      return { jobId, bytes: packHeaders(blocks, { rule, network }) };
    }
  }
}
