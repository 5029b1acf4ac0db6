/** The newest records in memory, encoded: receipts and peers mostly ask for these. Bounded, so the last may be missing, too. */
import { decodeRecord, type LedgerRecord } from '@drawbridge/protocol/ledger/ledger-record';

const MAX_RECORDS = 8_192;
const MAX_BYTES: number = 8 * 1024 * 1024;

export class RecentRecords {
  /** By seqno, oldest first; contiguous but for where a snapshot jumped ahead. */
  readonly #bytes = new Map<number, Uint8Array>();
  #total = 0;

  has(seqno: number): boolean {
    return this.#bytes.has(seqno);
  }

  get(seqno: number): Uint8Array | undefined {
    return this.#bytes.get(seqno);
  }

  record(seqno: number): LedgerRecord | undefined {
    const bytes = this.#bytes.get(seqno);
    if (!bytes) return undefined;
    const read = decodeRecord(bytes, 0);
    if (read === 'torn') throw new RangeError(`record ${seqno} in memory is not whole`);
    return read.record;
  }

  put(seqno: number, bytes: Uint8Array): void {
    this.#drop(seqno);
    this.#bytes.set(seqno, bytes);
    this.#total += bytes.length;
    while (this.#bytes.size > MAX_RECORDS || this.#total > MAX_BYTES) {
      const oldest = this.#bytes.keys().next();
      if (oldest.done) return;
      this.#drop(oldest.value);
    }
  }

  #drop(seqno: number): void {
    const held = this.#bytes.get(seqno);
    if (!held) return;
    this.#bytes.delete(seqno);
    this.#total -= held.length;
  }
}
