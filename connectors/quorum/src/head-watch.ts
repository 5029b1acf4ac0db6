/** The height of the chain, read while anybody waits for it: when the node announces a block, and at a set pace. */
import { type BlockNews, NO_BLOCK_NEWS } from './block-announcements.ts';
import { pauseUntilNews } from './pause-until-news.ts';

export type HeadWatchOptions = Readonly<{
  /** Pause between two looks. */
  pollMs: number;
  /** The same while the node announces its blocks. */
  quietPollMs: number;
}>;

export class HeadWatch {
  readonly #read: () => Promise<number>;
  readonly #options: HeadWatchOptions;
  readonly #news: BlockNews;
  #reading: Promise<number> | undefined;

  constructor(read: () => Promise<number>, options: HeadWatchOptions, news: BlockNews = NO_BLOCK_NEWS) {
    this.#read = read;
    this.#options = options;
    this.#news = news;
    // What was asked before a block came may not know of it.
    news.onBlock(() => {
      this.#reading = undefined;
    });
  }

  /** The height now. Questions of the same moment share one answer. */
  async now(): Promise<number> {
    if (this.#reading) return this.#reading;
    const reading = this.#read().finally(() => {
      if (this.#reading === reading) this.#reading = undefined;
    });
    this.#reading = reading;
    return reading;
  }

  /** The first height above `height`, or `undefined` at the time or the signal. */
  async above(
    height: number,
    limit: { untilMs: number; now: () => number; signal: AbortSignal },
  ): Promise<number | undefined> {
    for (;;) {
      // Before the look: a block that comes during it is announced to whoever listens already.
      const pause = pauseUntilNews(this.#news);
      try {
        const head = await this.now();
        if (head > height) return head;
        const leftMs = limit.untilMs - limit.now();
        if (limit.signal.aborted || leftMs <= 0) return undefined;
        const { pollMs, quietPollMs } = this.#options;
        await pause.over(Math.min(leftMs, this.#news.up ? quietPollMs : pollMs), limit.signal);
      } finally {
        pause.end();
      }
    }
  }
}
