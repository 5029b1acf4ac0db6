import type { TrackedHead } from '@drawbridge/connector-sdk/vault-event-source';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { FeedRig } from '../testing/feed-rig.ts';
import type { HeaderFeed } from './header-feed.ts';

let rig: FeedRig;

beforeEach(() => {
  rig = new FeedRig();
});

describe('a node that disagrees with the core', () => {
  let feed: HeaderFeed;
  let coreHead: TrackedHead;
  beforeEach(async () => {
    rig.chain.tip = 200;
    feed = rig.feeder();
    coreHead = rig.head(100);
    feed.coreAt(coreHead);
    await feed.turn();
    rig.outbox.offered = [];
    rig.chain.fork(80);
  });

  test('is shown to the core once, with its headers around the head, and feeds nothing else', async () => {
    expect(await feed.upTo(201)).toBe('NODE_DISAGREES');
    expect(rig.outbox.offered).toEqual([[37, 164]]);
    rig.chain.tip = 300;
    await feed.turn();
    expect(await feed.upTo(90)).toBe('NODE_DISAGREES');
    expect(rig.outbox.offered).toHaveLength(1);
    expect([rig.disputed, feed.disputed]).toEqual([true, true]);
    expect(rig.counted).toContain('disputed 1');
  });

  test('is shown again at a cursor, and read anew after a while', async () => {
    await feed.turn();
    feed.coreAt(coreHead);
    await feed.turn();
    expect(rig.outbox.reoffered).toEqual([[37, 164]]);
    rig.nowMs = 60_000;
    await feed.turn();
    expect(rig.outbox.offered).toHaveLength(2);
  });

  test('goes on when they agree', async () => {
    await feed.turn();
    feed.coreAt(rig.head(100));
    expect(await feed.upTo(200)).toBe('offered');
    expect(rig.outbox.offered.at(-1)).toEqual([101, 200]);
    expect([rig.disputed, feed.disputed]).toEqual([false, false]);
  });

  test('near the first block, or near its own head, is shown as far as there are headers', async () => {
    rig.chain.fork(0);
    rig.chain.tip = 110;
    await feed.turn();
    expect(rig.outbox.offered).toEqual([[37, 110]]);
    const young = rig.feeder();
    young.coreAt({ number: 3, hash: coreHead.hash });
    await young.turn();
    expect(rig.outbox.offered.at(-1)).toEqual([0, 67]);
  });

  test('with large headers shows those from the head on', async () => {
    rig.chain.headerBytes = 20_000;
    await feed.turn();
    expect(rig.outbox.offered).toEqual([[100, 112]]);
  });
});
