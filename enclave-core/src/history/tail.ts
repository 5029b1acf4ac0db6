/** Blocks that are not yet in the store, found the same ways as those that are. Readers see store, then tail. */

import type { Transfer } from '../settlement/record.ts';
import type { HistoryBlock } from './block.ts';

export type TailBlock = Readonly<{
  block: HistoryBlock;
  /** Each list that it has items of, by label: number of the first. */
  firsts: ReadonlyMap<string, number>;
  /** About what it takes in memory. */
  bytes: number;
}>;

export class Tail {
  readonly #blocks: TailBlock[] = [];
  readonly #lists = new Map<string, TailBlock[]>();
  readonly #transfers = new Map<string, TailBlock>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get blocks(): readonly TailBlock[] {
    return this.#blocks;
  }

  push(item: TailBlock): void {
    this.#blocks.push(item);
    this.#bytes += item.bytes;
    for (const label of item.firsts.keys()) {
      const list = this.#lists.get(label);
      if (list) list.push(item);
      else this.#lists.set(label, [item]);
    }
    for (const key of item.block.transfers.keys()) this.#transfers.set(key, item);
  }

  /** Drops the `count` oldest blocks. */
  drop(count: number): void {
    for (const item of this.#blocks.splice(0, count)) {
      this.#bytes -= item.bytes;
      for (const label of item.firsts.keys()) {
        const list = this.#lists.get(label);
        list?.shift();
        if (list?.length === 0) this.#lists.delete(label);
      }
      for (const key of item.block.transfers.keys()) {
        if (this.#transfers.get(key) === item) this.#transfers.delete(key);
      }
    }
  }

  transfer(key: string): Transfer | undefined {
    return this.#transfers.get(key)?.block.transfers.get(key);
  }

  transferSeqno(key: string): number | undefined {
    return this.#transfers.get(key)?.block.seqno;
  }

  /** Oldest first. */
  list(label: string): readonly TailBlock[] {
    return this.#lists.get(label) ?? [];
  }
}
