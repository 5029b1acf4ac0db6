/** The core as the hub sees it: sealed instructions out, sealed evidence in. */
import type { NetworkId } from '@drawbridge/protocol/ids';

export type OutboxPage = Readonly<{
  items: readonly Readonly<{ cursor: number; jobId: string; sealed: string; supersedes: readonly string[] }>[];
  next: number;
}>;

export type EvidenceAnswer = Readonly<{
  jobId: string;
  result: 'accepted' | 'duplicate' | 'early' | 'refused';
  code?: string;
  detail?: string;
}>;

export interface CoreRelay {
  /**
   * Open instructions of `network` with a cursor above `after`, oldest first. Where there are none the core waits up to `waitMs` for
   * some; `signal` gives that up.
   */
  outbox(
    network: NetworkId,
    after: number,
    limit: number,
    wait?: Readonly<{ waitMs?: number; signal?: AbortSignal }>,
  ): Promise<OutboxPage>;
  /** One answer per item, in order. */
  postEvidence(
    network: NetworkId,
    items: readonly Readonly<{ jobId: string; sealed: string }>[],
  ): Promise<readonly EvidenceAnswer[]>;
}
