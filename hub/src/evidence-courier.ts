/**
 * `evidence.<network>` → core. The courier cannot read what it carries. The core's answer decides what becomes of the
 * job: accepted or known → done; early → offered again; refused → failed for good, with the core's code in words; no
 * answer → attempts with back-off.
 */
import type { NetworkId } from '@drawbridge/protocol/ids';
import type { SealedJobData } from '@drawbridge/protocol/instruction-job';
import { DelayedError, type Job, UnrecoverableError } from 'bullmq';
import type { CoreRelay, EvidenceAnswer } from './core-relay.ts';
import type { CourierMetrics } from './metrics.ts';

type Waiting = Readonly<{
  jobId: string;
  sealed: string;
  resolve: (answer: EvidenceAnswer) => void;
  reject: (error: unknown) => void;
}>;

export type CourierOptions = Readonly<{ network: NetworkId; batch: number; gatherMs: number; earlyRetryMs: number }>;

/** What makes an item a job of this queue at all. */
const isSealed = (data: unknown): data is SealedJobData =>
  typeof data === 'object' && data !== null && 'sealed' in data && typeof data.sealed === 'string';

export class EvidenceCourier {
  readonly #options: CourierOptions;
  readonly #core: CoreRelay;
  readonly #metrics: CourierMetrics;
  readonly #now: () => number;
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Requests under way. */
  #asking = 0;

  constructor(options: CourierOptions, dependencies: { core: CoreRelay; metrics: CourierMetrics; now: () => number }) {
    this.#options = options;
    this.#core = dependencies.core;
    this.#metrics = dependencies.metrics;
    this.#now = dependencies.now;
  }

  /** The processor of the BullMQ worker. */
  async carry(job: Job, token?: string): Promise<{ result: string }> {
    const { network, earlyRetryMs } = this.#options;
    if (!job.id || !isSealed(job.data)) throw new UnrecoverableError('refused: not a sealed evidence job');
    const answer = await this.#ask(job.id, job.data.sealed);
    this.#metrics.answered(network, answer.result, this.#now() - job.timestamp);
    switch (answer.result) {
      case 'accepted':
      case 'duplicate':
        return { result: answer.result };
      case 'early':
        await job.moveToDelayed(this.#now() + earlyRetryMs, token);
        throw new DelayedError();
      case 'refused':
        throw new UnrecoverableError(`refused by the core: ${answer.code ?? 'no code'}`);
    }
  }

  #ask(jobId: string, sealed: string): Promise<EvidenceAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ jobId, sealed, resolve, reject });
      if (this.#waiting.length >= this.#options.batch) void this.#flush();
      else this.#timer ??= setTimeout(() => void this.#flush(), this.#gatherMs());
    });
  }

  /** Who comes alone waits for nobody; while the core is asked already, others may come along. */
  #gatherMs(): number {
    return this.#asking === 0 ? 0 : this.#options.gatherMs;
  }

  async #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#waiting;
    this.#waiting = [];
    if (batch.length === 0) return;
    this.#asking += 1;
    await this.#deliver(batch);
    this.#asking -= 1;
  }

  /** One request; where the core refuses it whole, each item alone, so that a malformed one cannot hold up the others. */
  async #deliver(batch: readonly Waiting[]): Promise<void> {
    try {
      const items = batch.map(({ jobId, sealed }) => ({ jobId, sealed }));
      const answers = await this.#core.postEvidence(this.#options.network, items);
      const byId = new Map(answers.map((answer) => [answer.jobId, answer]));
      for (const waiting of batch) {
        const answer = byId.get(waiting.jobId);
        if (answer) waiting.resolve(answer);
        else waiting.reject(new Error('the core gave no answer for this item'));
      }
    } catch (error) {
      if (batch.length > 1 && isRefusal(error)) {
        await Promise.all(batch.map((waiting) => this.#deliver([waiting])));
        return;
      }
      for (const waiting of batch) waiting.reject(withoutContent(error));
    }
  }
}

/** A problem of status 400–499, but for "too many". */
const isRefusal = (error: unknown): boolean =>
  error instanceof Error &&
  'status' in error &&
  Number(error.status) >= 400 &&
  Number(error.status) < 500 &&
  error.status !== 429;

/** BullMQ writes a failed job's error into Redis: only a code may go there. */
function withoutContent(error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
  return new Error(`the core could not be asked: ${code}`);
}
