/** A header feed on a chain in memory, with everything that it says recorded. */
import type { EvidenceOffer, EvidenceOutbox, TrackedHead } from '@drawbridge/connector-sdk/vault-event-source';
import { decodeHeaderBatch } from '@drawbridge/protocol/consensus-evidence';
import { parseNetworkId } from '@drawbridge/protocol/ids';
import { pino } from 'pino';
import { HeaderFeed, type HeaderFeedOptions } from '../consensus/header-feed.ts';
import { FakeSealedChain, numberIn } from './fake-sealed-chain.ts';

/** First and last block of a batch. */
export type BatchRange = readonly [number, number];

export class RecordingOutbox implements Pick<EvidenceOutbox, 'offer' | 'reoffer'> {
  offered: BatchRange[] = [];
  reoffered: BatchRange[] = [];
  jobIds: string[] = [];
  bytes: Uint8Array[] = [];
  away = false;

  async offer(items: readonly EvidenceOffer[]): Promise<void> {
    if (this.away) throw new Error('redis is away');
    this.offered.push(...items.map(({ bytes }) => rangeOf(bytes)));
    this.jobIds.push(...items.map(({ jobId }) => jobId));
    this.bytes.push(...items.map(({ bytes }) => bytes));
  }
  async reoffer(items: readonly EvidenceOffer[]): Promise<void> {
    this.reoffered.push(...items.map(({ bytes }) => rangeOf(bytes)));
  }
}

function rangeOf(bytes: Uint8Array): BatchRange {
  const numbers = decodeHeaderBatch(bytes).headers.map(numberIn);
  const [first = -1] = numbers;
  if (numbers.some((number, offset) => number !== first + offset)) throw new RangeError('a batch has a gap');
  return [first, first + numbers.length - 1];
}

export class FeedRig {
  readonly chain: FakeSealedChain = new FakeSealedChain();
  readonly outbox: RecordingOutbox = new RecordingOutbox();
  open: number | undefined = Number.POSITIVE_INFINITY;
  nowMs = 0;
  lag = -1;
  disputed = false;
  readonly counted: string[] = [];

  feeder(overrides: Partial<HeaderFeedOptions> = {}): HeaderFeed {
    return new HeaderFeed(
      {
        network: parseNetworkId('alpha'),
        rule: 'qbft',
        idKey: new Uint8Array(32),
        vouchingBlocks: 0,
        maxGapBlocks: 100,
        headerMs: 10_000,
        rebuildMs: 60_000,
        maxBatches: 4,
        ...overrides,
      },
      {
        node: this.chain,
        outbox: this.outbox,
        openFromBlock: () => this.open,
        metrics: {
          headers: (result, batches) => this.counted.push(`${result} ${batches}`),
          headerLag: (blocks) => {
            this.lag = blocks;
          },
          headersDisputed: (value) => {
            this.disputed = value;
          },
        },
        log: pino({ level: 'silent' }),
        now: () => this.nowMs,
      },
    );
  }

  /** The core has tracked this chain up to here. */
  head(number: number): TrackedHead {
    return { number, hash: this.chain.hashOf(number) };
  }
}
