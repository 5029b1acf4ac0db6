/**
 * Logs that a node of the right network showed in a block that was not deep enough, under the names that they were asked by.
 * Whether the block is still there, and how deep, is asked each time: its hash is part of the name, and whatever stands in a
 * block of that hash never changes.
 */
import type { AttestRequest } from '@drawbridge/protocol/observer-api';
import type { EvmLog } from '@drawbridge/protocol/observer-evidence';

/** Longer ones are looked up again; no vault of ours writes as much. In characters of hex. */
const MAX_DATA = 8_192;

const nameOf = ({ network, blockNumber, blockHash, transactionHash, logIndex }: AttestRequest): string =>
  [network, blockNumber, blockHash, transactionHash, logIndex].join(' ');

export class SeenLogs {
  readonly #limit: number;
  /** Oldest first. */
  readonly #logs = new Map<string, EvmLog>();

  /** @param limit how many are remembered; the oldest give way */
  constructor(limit: number) {
    this.#limit = limit;
  }

  find(request: AttestRequest): EvmLog | undefined {
    return this.#logs.get(nameOf(request));
  }

  remember(request: AttestRequest, log: EvmLog): void {
    if (log.data.length > MAX_DATA) return;
    this.#logs.set(nameOf(request), log);
    const [oldest] = this.#logs.keys();
    if (this.#logs.size > this.#limit && oldest !== undefined) this.#logs.delete(oldest);
  }
}
