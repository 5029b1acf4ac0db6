/** Which of the applied entries are the last so many bytes, in steps of a 64th. */
import type { Entry } from './raft-types.ts';

const STEPS = 64;

export class RecentBytes {
  readonly #maxBytes: number;
  /** Bytes up to an index, oldest first; at most one per step. */
  readonly #marks: { index: number; total: number }[] = [];
  #total = 0;
  #marked = 0;
  #beyond = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Entries up to this index are older; 0 while all fit. */
  get beyond(): number {
    return this.#beyond;
  }

  applied(entries: readonly Entry[]): void {
    for (const { data } of entries) this.#total += data.length;
    const last = entries.at(-1);
    if (!last || this.#total - this.#marked < this.#maxBytes / STEPS) return;
    this.#marked = this.#total;
    this.#marks.push({ index: last.index, total: this.#total });
    for (let oldest = this.#marks[0]; oldest && this.#total - oldest.total > this.#maxBytes; oldest = this.#marks[0]) {
      this.#beyond = oldest.index;
      this.#marks.shift();
    }
  }
}
