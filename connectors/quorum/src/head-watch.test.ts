import { describe, expect, test } from '@jest/globals';
import type { BlockNews } from './block-announcements.ts';
import { HeadWatch } from './head-watch.ts';

const NEVER_MS = 3_600_000;

/** A chain whose node announces its blocks. */
class AnnouncedChain implements BlockNews {
  readonly #listeners = new Set<() => void>();
  up = true;
  height = 1;
  reads = 0;
  /** Held back answers of the node. */
  holds: Promise<void> | undefined;

  onBlock(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  get listening(): number {
    return this.#listeners.size;
  }
  mine(): void {
    this.height += 1;
    for (const listener of [...this.#listeners]) listener();
  }
  async read(): Promise<number> {
    this.reads += 1;
    const { height } = this;
    await this.holds;
    return height;
  }
}

const limit = (signal = new AbortController().signal, untilMs = NEVER_MS) => ({ untilMs, now: () => 0, signal });

describe('the height above another', () => {
  test('is known with the announcement, without another look', async () => {
    const chain = new AnnouncedChain();
    const watch = new HeadWatch(() => chain.read(), { pollMs: NEVER_MS, quietPollMs: NEVER_MS }, chain);
    const above = watch.above(1, limit());
    await new Promise(setImmediate);
    expect(chain.reads).toBe(1);
    chain.mine();
    expect(await above).toBe(2);
    expect([chain.reads, chain.listening]).toEqual([2, 1]);
  });

  test('is not missed when the block comes while the node is asked', async () => {
    const chain = new AnnouncedChain();
    const watch = new HeadWatch(() => chain.read(), { pollMs: NEVER_MS, quietPollMs: NEVER_MS }, chain);
    let release: () => void = () => undefined;
    chain.holds = new Promise((resolve) => {
      release = resolve;
    });
    const above = watch.above(1, limit());
    chain.mine();
    // Who asks now must not get the answer to a question from before the block.
    chain.holds = undefined;
    expect(await watch.now()).toBe(2);
    release();
    expect(await above).toBe(2);
  });

  test.each([
    ['not announced', false, { pollMs: 1, quietPollMs: NEVER_MS }],
    ['announced, and an announcement is lost', true, { pollMs: NEVER_MS, quietPollMs: 1 }],
  ])('is looked for where blocks are %s', async (_, up, options) => {
    const chain = new AnnouncedChain();
    chain.up = up;
    const watch = new HeadWatch(() => chain.read(), options, chain);
    const above = watch.above(1, limit());
    chain.height = 2;
    expect(await above).toBe(2);
  });

  test('is waited for no longer than asked', async () => {
    const chain = new AnnouncedChain();
    const watch = new HeadWatch(() => chain.read(), { pollMs: NEVER_MS, quietPollMs: NEVER_MS }, chain);
    expect(await watch.above(1, limit(undefined, 0))).toBeUndefined();
    const end = new AbortController();
    const above = watch.above(1, limit(end.signal));
    await new Promise(setImmediate);
    end.abort();
    expect(await above).toBeUndefined();
    expect(chain.listening).toBe(1);
  });
});
