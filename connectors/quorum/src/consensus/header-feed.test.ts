import { MAX_HEADER_BATCH_BYTES, MAX_HEADERS } from '@drawbridge/protocol/consensus-evidence';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { FeedRig } from '../testing/feed-rig.ts';

let rig: FeedRig;

beforeEach(() => {
  rig = new FeedRig();
});

describe('headers', () => {
  test('are offered from the head of the core to that of the node, without gaps', async () => {
    rig.chain.tip = 600;
    const feed = rig.feeder();
    feed.coreAt(rig.head(10));
    await feed.turn();
    expect(rig.outbox.offered).toEqual([
      [11, 266],
      [267, 522],
      [523, 600],
    ]);
    expect(new Set(rig.outbox.jobIds).size).toBe(3);
    expect([rig.lag, rig.disputed]).toEqual([590, false]);
    rig.chain.tip = 601;
    await feed.turn();
    expect(rig.outbox.offered.at(-1)).toEqual([601, 601]);
    expect(MAX_HEADERS).toBe(256);
  });

  test('are offered at once when an event needs them, once for all events', async () => {
    rig.chain.tip = 5;
    const feed = rig.feeder();
    expect(await feed.upTo(5)).toBe('HEAD_UNKNOWN');
    feed.coreAt(rig.head(0));
    expect(await Promise.all([feed.upTo(5), feed.upTo(4), feed.upTo(5)])).toEqual(['offered', 'offered', 'offered']);
    expect(rig.outbox.offered).toEqual([[1, 5]]);
    expect(await feed.upTo(6)).toBe('HEADERS_HELD_BACK');
    rig.chain.tip = 6;
    expect(await feed.upTo(6)).toBe('offered');
    expect(rig.outbox.offered.at(-1)).toEqual([6, 6]);
  });

  test('that are large make smaller batches', async () => {
    rig.chain.tip = 100;
    rig.chain.headerBytes = 20_000;
    const feed = rig.feeder({ maxBatches: 100 });
    feed.coreAt(rig.head(0));
    await feed.turn();
    expect(rig.outbox.offered.map(([first]) => first)).toEqual([1, 14, 27, 40, 53, 66, 79, 92]);
    for (const bytes of rig.outbox.bytes) expect(bytes.length).toBeLessThanOrEqual(MAX_HEADER_BATCH_BYTES);
  });

  test('larger than any may be are no answer of the node', async () => {
    rig.chain.tip = 1;
    rig.chain.headerBytes = 40_000;
    const feed = rig.feeder();
    feed.coreAt(rig.head(0));
    await expect(feed.turn()).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
  });

  test('where blocks vouch for those below, overlap by so many', async () => {
    rig.chain.tip = 520;
    const feed = rig.feeder({ rule: 'clique', vouchingBlocks: 2 });
    feed.coreAt(rig.head(0));
    await feed.turn();
    // Of the first batch the core tracks 254 at least, of the second 508.
    expect(rig.outbox.offered).toEqual([
      [1, 256],
      [255, 510],
      [509, 520],
    ]);
    expect(await feed.upTo(518)).toBe('offered');
    expect(await feed.upTo(519)).toBe('HEADERS_HELD_BACK');
    rig.chain.tip = 521;
    expect(await feed.upTo(519)).toBe('offered');
    expect(rig.outbox.offered.at(-1)).toEqual([519, 521]);
  });

  test('wait while the core has not taken what was offered', async () => {
    rig.chain.tip = 2_000;
    const feed = rig.feeder({ maxBatches: 2 });
    feed.coreAt(rig.head(0));
    await feed.turn();
    expect(rig.outbox.offered).toHaveLength(2);
    expect(await feed.upTo(600)).toBe('HEADERS_HELD_BACK');
    feed.coreAt(rig.head(256));
    expect(await feed.upTo(600)).toBe('offered');
    expect(rig.outbox.offered.at(-1)).toEqual([513, 768]);
  });
});

describe('events that the core has not taken', () => {
  test('hold the feed back by half of what the core remembers', async () => {
    rig.chain.tip = 500;
    rig.open = 20;
    const feed = rig.feeder({ maxGapBlocks: 100 });
    feed.coreAt(rig.head(0));
    await feed.turn();
    expect(rig.outbox.offered).toEqual([[1, 70]]);
    expect(await feed.upTo(71)).toBe('HEADERS_HELD_BACK');
    rig.open = 21;
    expect(await feed.upTo(71)).toBe('offered');
    expect(rig.outbox.offered.at(-1)).toEqual([71, 71]);
  });

  test('are always fed up to, however little the core remembers', async () => {
    rig.chain.tip = 50;
    rig.open = 20;
    const feed = rig.feeder({ maxGapBlocks: 1 });
    feed.coreAt(rig.head(0));
    expect(await feed.upTo(20)).toBe('offered');
    expect(rig.outbox.offered).toEqual([[1, 20]]);
  });

  test('that may be there, while nobody has read the blocks, hold it back at all', async () => {
    rig.chain.tip = 50;
    rig.open = undefined;
    const feed = rig.feeder();
    feed.coreAt(rig.head(10));
    await feed.turn();
    expect(rig.outbox.offered).toEqual([]);
    expect(await feed.upTo(10)).toBe('offered');
  });
});

describe('at each cursor', () => {
  test('what the core took is forgotten, and the rest is offered again', async () => {
    rig.chain.tip = 600;
    const feed = rig.feeder();
    feed.coreAt(rig.head(0));
    await feed.turn();
    feed.coreAt(rig.head(256));
    await feed.turn();
    expect(rig.outbox.reoffered).toEqual([
      [257, 512],
      [513, 600],
    ]);
    await feed.turn();
    expect(rig.outbox.reoffered).toHaveLength(2);
    expect(rig.outbox.offered).toHaveLength(3);
    expect(rig.counted).toContain('reoffered 2');
  });

  test('a core that took a part gets the batch with that part again', async () => {
    rig.chain.tip = 100;
    const feed = rig.feeder();
    feed.coreAt(rig.head(0));
    await feed.turn();
    feed.coreAt(rig.head(40));
    await feed.turn();
    expect(rig.outbox.reoffered).toEqual([[1, 100]]);
  });

  test('a core that stands still for long gets the headers anew, read again', async () => {
    rig.chain.tip = 100;
    const feed = rig.feeder();
    feed.coreAt(rig.head(0));
    await feed.turn();
    rig.nowMs = 59_000;
    rig.chain.tip = 150;
    feed.coreAt(rig.head(0));
    await feed.turn();
    expect(rig.outbox.offered).toEqual([
      [1, 100],
      [101, 150],
    ]);
    rig.nowMs = 60_000;
    feed.coreAt(rig.head(0));
    await feed.turn();
    expect(rig.outbox.offered.at(-1)).toEqual([1, 150]);
    expect(rig.counted).toContain('rebuilt 2');
    rig.nowMs = 119_000;
    feed.coreAt(rig.head(0));
    await feed.turn();
    expect(rig.outbox.offered).toHaveLength(3);
  });

  test('a core that went on is given its time again', async () => {
    rig.chain.tip = 600;
    const feed = rig.feeder();
    feed.coreAt(rig.head(0));
    await feed.turn();
    rig.nowMs = 50_000;
    feed.coreAt(rig.head(256));
    rig.nowMs = 100_000;
    feed.coreAt(rig.head(256));
    await feed.turn();
    expect(rig.outbox.offered).toHaveLength(3);
  });

  test('a core that went back, as after a recovery, gets everything from there on', async () => {
    rig.chain.tip = 100;
    const feed = rig.feeder();
    feed.coreAt(rig.head(90));
    await feed.turn();
    feed.coreAt(rig.head(50));
    await feed.turn();
    expect(rig.outbox.offered).toEqual([
      [91, 100],
      [51, 100],
    ]);
  });

  test('a core that another feed has fed further is followed from there', async () => {
    rig.chain.tip = 100;
    const feed = rig.feeder();
    feed.coreAt(rig.head(0));
    await feed.turn();
    rig.chain.tip = 300;
    feed.coreAt(rig.head(250));
    await feed.turn();
    expect(rig.outbox.offered.at(-1)).toEqual([251, 300]);
  });

  test('a core that does not track the network is offered nothing', async () => {
    rig.chain.tip = 100;
    const feed = rig.feeder();
    feed.coreAt(undefined);
    await feed.turn();
    expect(await feed.upTo(1)).toBe('HEAD_UNKNOWN');
    expect(rig.outbox.offered).toEqual([]);
  });

  test('a cursor that comes while headers are read does not make a gap', async () => {
    rig.chain.tip = 40;
    const feed = rig.feeder();
    feed.coreAt(rig.head(20));
    rig.chain.onAsk = (number) => {
      if (number === 30) feed.coreAt(rig.head(5));
    };
    await feed.turn();
    expect(rig.outbox.offered).toEqual([[6, 40]]);
    expect(await feed.upTo(40)).toBe('offered');
  });
});

describe('a node', () => {
  test('that has not come as far as the core is waited for', async () => {
    rig.chain.tip = 5;
    const feed = rig.feeder();
    feed.coreAt(rig.head(9));
    expect(await feed.upTo(10)).toBe('NODE_BEHIND');
    rig.chain.tip = 12;
    expect(await feed.upTo(10)).toBe('offered');
    expect(rig.outbox.offered).toEqual([[10, 12]]);
  });

  test('that lacks a block below its height is asked again', async () => {
    rig.chain.tip = 12;
    rig.chain.missing.add(7);
    const feed = rig.feeder();
    feed.coreAt(rig.head(0));
    await expect(feed.upTo(10)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    rig.chain.missing.clear();
    expect(await feed.upTo(10)).toBe('offered');
  });

  test('whose blocks change while they are read is asked again', async () => {
    rig.chain.tip = 100;
    const feed = rig.feeder();
    feed.coreAt(rig.head(0));
    rig.chain.onAsk = (number) => {
      if (number === 50) rig.chain.fork(45);
    };
    await expect(feed.turn()).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    rig.chain.onAsk = () => undefined;
    await feed.turn();
    expect(rig.outbox.offered).toEqual([[1, 100]]);
  });

  test('whose blocks no longer build on what was offered is read anew from the head of the core', async () => {
    rig.chain.tip = 50;
    const feed = rig.feeder();
    feed.coreAt(rig.head(10));
    await feed.turn();
    rig.chain.fork(40);
    rig.chain.tip = 60;
    await expect(feed.turn()).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    await feed.turn();
    expect(rig.outbox.offered).toEqual([
      [11, 50],
      [11, 60],
    ]);
    expect(new Set(rig.outbox.jobIds).size).toBe(2);
  });

  test('or a queue that is away loses nothing', async () => {
    rig.chain.tip = 5;
    const feed = rig.feeder();
    feed.coreAt(rig.head(0));
    rig.outbox.away = true;
    await expect(feed.upTo(5)).rejects.toThrow('redis is away');
    rig.outbox.away = false;
    rig.chain.down = true;
    await expect(feed.upTo(5)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    rig.chain.down = false;
    expect(await feed.upTo(5)).toBe('offered');
    expect(rig.outbox.offered).toEqual([[1, 5]]);
    expect(rig.counted).toEqual(['failed 1', 'offered 1']);
  });
});

test('runs by itself, at every cursor and until it is stopped', async () => {
  rig.chain.tip = 5;
  const feed = rig.feeder({ headerMs: 5 });
  feed.start();
  feed.coreAt(rig.head(0));
  await until(() => rig.outbox.offered.length === 1);
  rig.chain.tip = 6;
  await until(() => rig.outbox.offered.length === 2);
  rig.chain.down = true;
  await until(() => feed.failures > 1);
  rig.chain.down = false;
  rig.chain.tip = 7;
  await until(() => rig.outbox.offered.length === 3 && feed.failures === 0);
  await feed.stop();
  rig.chain.asked = [];
  feed.coreAt(rig.head(1));
  await new Promise((resolve) => setImmediate(resolve));
  expect(rig.chain.asked).toEqual([]);
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('it did not come about');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
