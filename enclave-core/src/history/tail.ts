/** Blocks that are not yet in the store, found the same ways as those that are. Readers see store, then tail. */

import type { Transfer } from '../settlement/record.ts';
import { type BlockRecords, buildBlock, type HistoryBlock } from './block.ts';

/** Records of one entry. Most are stored before anybody reads them, so the block is built when somebody does. */
export class TailBlock {
  readonly seqno: number;
  readonly records: BlockRecords;
  /** Each list that it has items of, by label: number of the first. */
  readonly firsts: ReadonlyMap<string, number>;
  /** About what it takes in memory. */
  readonly bytes: number;
  #block: HistoryBlock | undefined;

  constructor(seqno: number, records: BlockRecords, firsts: ReadonlyMap<string, number>, bytes: number) {
    this.seqno = seqno;
    this.records = records;
    this.firsts = firsts;
    this.bytes = bytes;
  }

  get block(): HistoryBlock {
    this.#block ??= buildBlock(this.seqno, this.records);
    return this.#block;
  }

  get isBuilt(): boolean {
    return this.#block !== undefined;
  }
}

export class Tail {
  readonly #blocks: TailBlock[] = [];
  readonly #lists = new Map<string, TailBlock[]>();
  /** Of the first `#indexed` blocks; the rest follows when somebody looks for a transfer. */
  readonly #transfers = new Map<string, TailBlock>();
  #indexed = 0;
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
  }

  /** Drops the `count` oldest blocks. */
  drop(count: number): void {
    for (const [place, item] of this.#blocks.splice(0, count).entries()) {
      this.#bytes -= item.bytes;
      for (const label of item.firsts.keys()) {
        const list = this.#lists.get(label);
        list?.shift();
        if (list?.length === 0) this.#lists.delete(label);
      }
      if (place >= this.#indexed) continue;
      for (const key of item.block.transfers.keys()) {
        if (this.#transfers.get(key) === item) this.#transfers.delete(key);
      }
    }
    this.#indexed = Math.max(0, this.#indexed - count);
  }

  transfer(key: string): Transfer | undefined {
    return this.#holding(key)?.block.transfers.get(key);
  }

  transferSeqno(key: string): number | undefined {
    return this.#holding(key)?.seqno;
  }

  /** Oldest first. */
  list(label: string): readonly TailBlock[] {
    return this.#lists.get(label) ?? [];
  }

  #holding(key: string): TailBlock | undefined {
    for (; this.#indexed < this.#blocks.length; this.#indexed += 1) {
      const item = this.#blocks[this.#indexed];
      if (item) for (const own of item.block.transfers.keys()) this.#transfers.set(own, item);
    }
    return this.#transfers.get(key);
  }
}
