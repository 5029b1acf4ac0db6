/** What happened, as lines: the last ones for a report, all of them for a hash that two runs of one seed must share. */
import { createHash, type Hash } from 'node:crypto';

export class Trace {
  readonly #hash: Hash = createHash('sha256');
  readonly #last: string[] = [];
  readonly #kept: number;
  readonly #listener: ((line: string) => void) | undefined;

  constructor(kept: number, listener?: (line: string) => void) {
    this.#kept = kept;
    this.#listener = listener;
  }

  add(line: string): void {
    this.#hash.update(line).update('\n');
    this.#last.push(line);
    if (this.#last.length > 2 * this.#kept) this.#last.splice(0, this.#kept);
    this.#listener?.(line);
  }

  /** Of everything so far, in hex. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  last(): readonly string[] {
    return this.#last.slice(-this.#kept);
  }
}
