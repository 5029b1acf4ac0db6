/** What operators watch of a connector, in Prometheus form. Labels are networks, stages, codes and observers' ids. */
import type { NetworkId } from '@drawbridge/protocol/ids';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type RelayStage = 'open' | 'lookup' | 'send' | 'mined' | 'final';
/** `reoffered`: the core's cursor stood still. `failed`: the queue took nothing. */
export type OfferResult = 'offered' | 'reoffered' | 'failed';

/**
 * `rebuilt`: the core did not take them for long, and they are read anew. `disputed`: headers around a head where the node
 * disagrees with the core.
 */
export type HeaderResult = OfferResult | 'rebuilt' | 'disputed';

/** Seconds: from our own milliseconds to a network's minutes. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export class ConnectorMetrics {
  readonly registry: Registry = new Registry();
  readonly #network: NetworkId;
  readonly #completed: Counter;
  readonly #refused: Counter;
  readonly #attempts: Counter;
  readonly #stageSeconds: Histogram;
  readonly #nonceGaps: Counter;
  readonly #resends: Counter;
  readonly #leaseFallbacks: Counter;
  readonly #inFlight: Gauge;
  readonly #offers: Counter;
  readonly #attestations: Counter;
  readonly #eventGaps: Counter;
  readonly #pendingEvents: Gauge;
  readonly #scannedBlock: Gauge;
  readonly #headerBatches: Counter;
  readonly #headerLag: Gauge;
  readonly #headersDisputed: Gauge;

  constructor(network: NetworkId) {
    this.#network = network;
    const registers = [this.registry];
    const metric = (name: string, help: string, ...labels: string[]) => ({
      name: `drawbridge_connector_${name}`,
      help,
      labelNames: ['network', ...labels],
      registers,
    });
    collectDefaultMetrics({ register: this.registry, prefix: 'drawbridge_connector_' });
    this.#completed = new Counter(metric('executed_total', 'Instruction jobs completed, by how they ended', 'result'));
    this.#refused = new Counter(metric('refused_total', 'Instruction jobs refused for good', 'code'));
    this.#attempts = new Counter(metric('attempts_total', 'Attempts at instruction jobs, by outcome', 'outcome'));
    this.#stageSeconds = new Histogram({
      ...metric('stage_seconds', 'Duration of the stages of a relay', 'stage'),
      buckets: BUCKETS,
    });
    this.#nonceGaps = new Counter(metric('nonce_gaps_total', 'Missing nonces that were filled'));
    this.#resends = new Counter(metric('resends_total', 'Transactions sent again', 'reason'));
    this.#leaseFallbacks = new Counter(
      metric('nonce_lease_fallbacks_total', 'Nonces taken without the lease, because Redis gave none'),
    );
    this.#inFlight = new Gauge(metric('transactions_in_flight', 'Transactions that are not final'));
    this.#offers = new Counter(metric('evidence_offers_total', 'Evidence put on the queue', 'result'));
    this.#attestations = new Counter(
      metric('attestations_total', "Observers' answers, by whether they agree with this node", 'observer', 'result'),
    );
    this.#eventGaps = new Counter(metric('event_gaps_total', 'Times that the node left out events of a vault'));
    this.#pendingEvents = new Gauge(metric('pending_events', 'Vault events that the core has not taken yet'));
    this.#scannedBlock = new Gauge(metric('scanned_block', 'Last block read for vault events'));
    this.#headerBatches = new Counter(metric('header_batches_total', 'Batches of headers put on the queue', 'result'));
    this.#headerLag = new Gauge(
      metric('header_lag_blocks', "Blocks from the core's tracked head to the node's height"),
    );
    this.#headersDisputed = new Gauge(
      metric('headers_disputed', "1 while the node has another block than the core at the core's head"),
    );
  }

  completed(result: string): void {
    this.#completed.inc({ network: this.#network, result });
  }

  refused(code: string): void {
    this.#refused.inc({ network: this.#network, code });
  }

  attempt(outcome: 'completed' | 'failed' | 'handed-over' | 'stalled'): void {
    this.#attempts.inc({ network: this.#network, outcome });
  }

  stage(stage: RelayStage, durationMs: number): void {
    this.#stageSeconds.observe({ network: this.#network, stage }, durationMs / 1_000);
  }

  nonceGap(): void {
    this.#nonceGaps.inc({ network: this.#network });
  }

  resent(reason: 'dropped' | 'replaced' | 'restart'): void {
    this.#resends.inc({ network: this.#network, reason });
  }

  leaseFallback(): void {
    this.#leaseFallbacks.inc({ network: this.#network });
  }

  inFlight(count: number): void {
    this.#inFlight.set({ network: this.#network }, count);
  }

  offers(result: OfferResult, count: number): void {
    this.#offers.inc({ network: this.#network, result }, count);
  }

  attestation(observer: string, result: string): void {
    this.#attestations.inc({ network: this.#network, observer, result });
  }

  eventGap(): void {
    this.#eventGaps.inc({ network: this.#network });
  }

  following(pendingEvents: number, scannedBlock: number): void {
    this.#pendingEvents.set({ network: this.#network }, pendingEvents);
    this.#scannedBlock.set({ network: this.#network }, scannedBlock);
  }

  headers(result: HeaderResult, batches: number): void {
    this.#headerBatches.inc({ network: this.#network, result }, batches);
  }

  headerLag(blocks: number): void {
    this.#headerLag.set({ network: this.#network }, blocks);
  }

  headersDisputed(disputed: boolean): void {
    this.#headersDisputed.set({ network: this.#network }, disputed ? 1 : 0);
  }
}
