/** Warnings that a stranger can provoke: of each code a few lines per interval, then their number. */
import type { NodeLog } from '../node-log.ts';

const LINES_PER_INTERVAL = 5;
/** Codes counted apart; further ones are not logged until the interval ends. */
const MAX_CODES = 64;

export class QuietLog {
  readonly #log: NodeLog;
  readonly #counts = new Map<string, number>();

  constructor(log: NodeLog) {
    this.#log = log;
  }

  warn(code: string, fields: object, message: string): void {
    const count = (this.#counts.get(code) ?? 0) + 1;
    if (count === 1 && this.#counts.size >= MAX_CODES) return;
    this.#counts.set(code, count);
    if (count <= LINES_PER_INTERVAL) this.#log.warn({ ...fields, code }, message);
  }

  /** Begins the next interval. */
  tick(): void {
    for (const [code, count] of this.#counts) {
      if (count > LINES_PER_INTERVAL) this.#log.warn({ code, more: count - LINES_PER_INTERVAL }, 'more of the same');
    }
    this.#counts.clear();
  }
}
