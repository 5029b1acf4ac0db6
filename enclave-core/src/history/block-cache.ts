/** Decoded blocks that were read or written lately, bounded by the bytes that they take about. */
import type { HistoryBlock } from './block.ts';

type Cached = Readonly<{ block: HistoryBlock; bytes: number }>;

export class BlockCache {
  readonly #maxBytes: number;
  readonly #blocks = new Map<number, Cached>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(seqno: number): HistoryBlock | undefined {
    const cached = this.#blocks.get(seqno);
    if (!cached) return undefined;
    this.#blocks.delete(seqno);
    this.#blocks.set(seqno, cached);
    return cached.block;
  }

  put(block: HistoryBlock, bytes: number): void {
    this.#drop(block.seqno);
    this.#blocks.set(block.seqno, { block, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#blocks.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#drop(oldest);
    }
  }

  clear(): void {
    this.#blocks.clear();
    this.#bytes = 0;
  }

  #drop(seqno: number): void {
    this.#bytes -= this.#blocks.get(seqno)?.bytes ?? 0;
    this.#blocks.delete(seqno);
  }
}
