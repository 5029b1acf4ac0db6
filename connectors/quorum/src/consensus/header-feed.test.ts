import type { EvidenceOffer } from '@drawbridge/connector-sdk/vault-event-source';
import { decodeHeaderBatch, MAX_HEADER_BATCH_BYTES, MAX_HEADERS } from '@drawbridge/protocol/consensus-evidence';
import { parseNetworkId } from '@drawbridge/protocol/ids';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { FakeSealedChain, numberIn } from '../testing/fake-sealed-chain.ts';
import { HeaderFeed, type HeaderFeedOptions } from './header-feed.ts';

const network = parseNetworkId('alpha');
type Range = readonly [number, number];

class RecordingOutbox {
  offered: Range[] = [];
  reoffered: Range[] = [];
  jobIds: string[] = [];
  bytes: Uint8Array[] = [];
  away = false;

  async offer(items: readonly EvidenceOffer[]) {
    if (this.away) throw new Error('redis is away');
    this.offered.push(...items.map(({ bytes }) => rangeOf(bytes)));
    this.jobIds.push(...items.map(({ jobId }) => jobId));
    this.bytes.push(...items.map(({ bytes }) => bytes));
  }
  async reoffer(items: readonly EvidenceOffer[]) {
    this.reoffered.push(...items.map(({ bytes }) => rangeOf(bytes)));
  }
}

/** First and last block of a batch without gaps. */
function rangeOf(bytes: Uint8Array): Range {
  const numbers = decodeHeaderBatch(bytes).headers.map(numberIn);
  const [first = -1] = numbers;
  expect(numbers).toEqual(numbers.map((_, offset) => first + offset));
  return [first, first + numbers.length - 1];
}

let chain: FakeSealedChain;
let outbox: RecordingOutbox;
let open: number | undefined;
let nowMs: number;
let lag: number;
let disputed: boolean;
let counted: string[];

beforeEach(() => {
  chain = new FakeSealedChain();
  outbox = new RecordingOutbox();
  open = Number.POSITIVE_INFINITY;
  nowMs = 0;
  counted = [];
});

function feeder(overrides: Partial<HeaderFeedOptions> = {}): HeaderFeed {
  return new HeaderFeed(
    {
      network,
      rule: 'qbft',
      idKey: new Uint8Array(32),
      vouchingBlocks: 0,
      maxGapBlocks: 100,
      headerMs: 10_000,
      rebuildMs: 60_000,
      maxBatches: 4,
      ...overrides,
    },
    {
      node: chain,
      outbox,
      openFromBlock: () => open,
      metrics: {
        headers: (result, batches) => counted.push(`${result} ${batches}`),
        headerLag: (blocks) => {
          lag = blocks;
        },
        headersDisputed: (value) => {
          disputed = value;
        },
      },
      log: pino({ level: 'silent' }),
      now: () => nowMs,
    },
  );
}
const head = (number: number) => ({ number, hash: chain.hashOf(number) });

describe('headers', () => {
  test('are offered from the head of the core to that of the node, without gaps', async () => {
    chain.tip = 600;
    const feed = feeder();
    feed.coreAt(head(10));
    await feed.turn();
    expect(outbox.offered).toEqual([
      [11, 266],
      [267, 522],
      [523, 600],
    ]);
    expect(new Set(outbox.jobIds).size).toBe(3);
    expect([lag, disputed]).toEqual([590, false]);
    chain.tip = 601;
    await feed.turn();
    expect(outbox.offered.at(-1)).toEqual([601, 601]);
    expect(MAX_HEADERS).toBe(256);
  });

  test('are offered at once when an event needs them, once for all events', async () => {
    chain.tip = 5;
    const feed = feeder();
    expect(await feed.upTo(5)).toBe('HEAD_UNKNOWN');
    feed.coreAt(head(0));
    expect(await Promise.all([feed.upTo(5), feed.upTo(4), feed.upTo(5)])).toEqual(['offered', 'offered', 'offered']);
    expect(outbox.offered).toEqual([[1, 5]]);
    expect(await feed.upTo(6)).toBe('HEADERS_HELD_BACK');
    chain.tip = 6;
    expect(await feed.upTo(6)).toBe('offered');
    expect(outbox.offered.at(-1)).toEqual([6, 6]);
  });

  test('that are large make smaller batches', async () => {
    chain.tip = 100;
    chain.headerBytes = 20_000;
    const feed = feeder({ maxBatches: 100 });
    feed.coreAt(head(0));
    await feed.turn();
    expect(outbox.offered.map(([first]) => first)).toEqual([1, 14, 27, 40, 53, 66, 79, 92]);
    for (const bytes of outbox.bytes) expect(bytes.length).toBeLessThanOrEqual(MAX_HEADER_BATCH_BYTES);
  });

  test('larger than any may be are no answer of the node', async () => {
    chain.tip = 1;
    chain.headerBytes = 40_000;
    const feed = feeder();
    feed.coreAt(head(0));
    await expect(feed.turn()).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
  });

  test('where blocks vouch for those below, overlap by so many', async () => {
    chain.tip = 520;
    const feed = feeder({ rule: 'clique', vouchingBlocks: 2 });
    feed.coreAt(head(0));
    await feed.turn();
    // Of the first batch the core tracks 254 at least, of the second 508.
    expect(outbox.offered).toEqual([
      [1, 256],
      [255, 510],
      [509, 520],
    ]);
    expect(await feed.upTo(518)).toBe('offered');
    expect(await feed.upTo(519)).toBe('HEADERS_HELD_BACK');
    chain.tip = 521;
    expect(await feed.upTo(519)).toBe('offered');
    expect(outbox.offered.at(-1)).toEqual([519, 521]);
  });

  test('wait while the core has not taken what was offered', async () => {
    chain.tip = 2_000;
    const feed = feeder({ maxBatches: 2 });
    feed.coreAt(head(0));
    await feed.turn();
    expect(outbox.offered).toHaveLength(2);
    expect(await feed.upTo(600)).toBe('HEADERS_HELD_BACK');
    feed.coreAt(head(256));
    expect(await feed.upTo(600)).toBe('offered');
    expect(outbox.offered.at(-1)).toEqual([513, 768]);
  });
});

describe('events that the core has not taken', () => {
  test('hold the feed back by half of what the core remembers', async () => {
    chain.tip = 500;
    open = 20;
    const feed = feeder({ maxGapBlocks: 100 });
    feed.coreAt(head(0));
    await feed.turn();
    expect(outbox.offered).toEqual([[1, 70]]);
    expect(await feed.upTo(71)).toBe('HEADERS_HELD_BACK');
    open = 21;
    expect(await feed.upTo(71)).toBe('offered');
    expect(outbox.offered.at(-1)).toEqual([71, 71]);
  });

  test('are always fed up to, however little the core remembers', async () => {
    chain.tip = 50;
    open = 20;
    const feed = feeder({ maxGapBlocks: 1 });
    feed.coreAt(head(0));
    expect(await feed.upTo(20)).toBe('offered');
    expect(outbox.offered).toEqual([[1, 20]]);
  });

  test('that may be there, while nobody has read the blocks, hold it back at all', async () => {
    chain.tip = 50;
    open = undefined;
    const feed = feeder();
    feed.coreAt(head(10));
    await feed.turn();
    expect(outbox.offered).toEqual([]);
    expect(await feed.upTo(10)).toBe('offered');
  });
});

describe('at each cursor', () => {
  test('what the core took is forgotten, and the rest is offered again', async () => {
    chain.tip = 600;
    const feed = feeder();
    feed.coreAt(head(0));
    await feed.turn();
    feed.coreAt(head(256));
    await feed.turn();
    expect(outbox.reoffered).toEqual([
      [257, 512],
      [513, 600],
    ]);
    await feed.turn();
    expect(outbox.reoffered).toHaveLength(2);
    expect(outbox.offered).toHaveLength(3);
    expect(counted).toContain('reoffered 2');
  });

  test('a core that took a part gets the batch with that part again', async () => {
    chain.tip = 100;
    const feed = feeder();
    feed.coreAt(head(0));
    await feed.turn();
    feed.coreAt(head(40));
    await feed.turn();
    expect(outbox.reoffered).toEqual([[1, 100]]);
  });

  test('a core that stands still for long gets the headers anew, read again', async () => {
    chain.tip = 100;
    const feed = feeder();
    feed.coreAt(head(0));
    await feed.turn();
    nowMs = 59_000;
    chain.tip = 150;
    feed.coreAt(head(0));
    await feed.turn();
    expect(outbox.offered).toEqual([
      [1, 100],
      [101, 150],
    ]);
    nowMs = 60_000;
    feed.coreAt(head(0));
    await feed.turn();
    expect(outbox.offered.at(-1)).toEqual([1, 150]);
    expect(counted).toContain('rebuilt 2');
    nowMs = 119_000;
    feed.coreAt(head(0));
    await feed.turn();
    expect(outbox.offered).toHaveLength(3);
  });

  test('a core that went on is given its time again', async () => {
    chain.tip = 600;
    const feed = feeder();
    feed.coreAt(head(0));
    await feed.turn();
    nowMs = 50_000;
    feed.coreAt(head(256));
    nowMs = 100_000;
    feed.coreAt(head(256));
    await feed.turn();
    expect(outbox.offered).toHaveLength(3);
  });

  test('a core that went back, as after a recovery, gets everything from there on', async () => {
    chain.tip = 100;
    const feed = feeder();
    feed.coreAt(head(90));
    await feed.turn();
    feed.coreAt(head(50));
    await feed.turn();
    expect(outbox.offered).toEqual([
      [91, 100],
      [51, 100],
    ]);
  });

  test('a core that another feed has fed further is followed from there', async () => {
    chain.tip = 100;
    const feed = feeder();
    feed.coreAt(head(0));
    await feed.turn();
    chain.tip = 300;
    feed.coreAt(head(250));
    await feed.turn();
    expect(outbox.offered.at(-1)).toEqual([251, 300]);
  });

  test('a core that does not track the network is offered nothing', async () => {
    chain.tip = 100;
    const feed = feeder();
    feed.coreAt(undefined);
    await feed.turn();
    expect(await feed.upTo(1)).toBe('HEAD_UNKNOWN');
    expect(outbox.offered).toEqual([]);
  });

  test('a cursor that comes while headers are read does not make a gap', async () => {
    chain.tip = 40;
    const feed = feeder();
    feed.coreAt(head(20));
    chain.onAsk = (number) => {
      if (number === 30) feed.coreAt(head(5));
    };
    await feed.turn();
    expect(outbox.offered.at(-1)).toEqual([6, 40]);
    expect(await feed.upTo(40)).toBe('offered');
  });
});

describe('a node', () => {
  test('that has not come as far as the core is waited for', async () => {
    chain.tip = 5;
    const feed = feeder();
    feed.coreAt(head(9));
    expect(await feed.upTo(10)).toBe('NODE_BEHIND');
    chain.tip = 12;
    expect(await feed.upTo(10)).toBe('offered');
    expect(outbox.offered).toEqual([[10, 12]]);
  });

  test('that lacks a block below its height is asked again', async () => {
    chain.tip = 12;
    chain.missing.add(7);
    const feed = feeder();
    feed.coreAt(head(0));
    await expect(feed.upTo(10)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    chain.missing.clear();
    expect(await feed.upTo(10)).toBe('offered');
  });

  test('whose blocks change while they are read is asked again', async () => {
    chain.tip = 100;
    const feed = feeder();
    feed.coreAt(head(0));
    chain.onAsk = (number) => {
      if (number === 50) chain.fork(45);
    };
    await expect(feed.turn()).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    chain.onAsk = () => undefined;
    await feed.turn();
    expect(outbox.offered).toEqual([[1, 100]]);
  });

  test('whose blocks no longer build on what was offered is read anew from the head of the core', async () => {
    chain.tip = 50;
    const feed = feeder();
    feed.coreAt(head(10));
    await feed.turn();
    chain.fork(40);
    chain.tip = 60;
    await expect(feed.turn()).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    await feed.turn();
    expect(outbox.offered).toEqual([
      [11, 50],
      [11, 60],
    ]);
    expect(new Set(outbox.jobIds).size).toBe(2);
  });

  test('or a queue that is away loses nothing', async () => {
    chain.tip = 5;
    const feed = feeder();
    feed.coreAt(head(0));
    outbox.away = true;
    await expect(feed.upTo(5)).rejects.toThrow('redis is away');
    outbox.away = false;
    chain.down = true;
    await expect(feed.upTo(5)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    chain.down = false;
    expect(await feed.upTo(5)).toBe('offered');
    expect(outbox.offered).toEqual([[1, 5]]);
    expect(counted).toEqual(['failed 1', 'offered 1']);
  });
});

describe('a node that disagrees with the core', () => {
  let feed: HeaderFeed;
  beforeEach(async () => {
    chain.tip = 200;
    feed = feeder();
    feed.coreAt(head(100));
    await feed.turn();
    outbox.offered = [];
    chain.fork(80);
  });

  test('is shown to the core once, with its headers around the head, and feeds nothing else', async () => {
    expect(await feed.upTo(201)).toBe('NODE_DISAGREES');
    expect(outbox.offered).toEqual([[37, 164]]);
    chain.tip = 300;
    await feed.turn();
    expect(await feed.upTo(90)).toBe('NODE_DISAGREES');
    expect(outbox.offered).toHaveLength(1);
    expect([disputed, feed.disputed]).toEqual([true, true]);
    expect(counted).toContain('disputed 1');
  });

  test('is shown again at a cursor, and read anew after a while', async () => {
    await feed.turn();
    feed.coreAt({ ...head(100), hash: chain.hashOf(100).replace('0x01', '0x00') as typeof hash });
    await feed.turn();
    expect(outbox.reoffered).toEqual([[37, 164]]);
    nowMs = 60_000;
    await feed.turn();
    expect(outbox.offered).toHaveLength(2);
  });
  const hash = new FakeSealedChain().hashOf(0);

  test('goes on when they agree', async () => {
    await feed.turn();
    feed.coreAt(head(100));
    expect(await feed.upTo(200)).toBe('offered');
    expect(outbox.offered.at(-1)).toEqual([101, 200]);
    expect([disputed, feed.disputed]).toEqual([false, false]);
  });

  test('near the first block, or near its own head, is shown as far as there are headers', async () => {
    chain.fork(0);
    chain.tip = 110;
    await feed.turn();
    expect(outbox.offered).toEqual([[37, 110]]);
    const young = feeder();
    young.coreAt({ number: 3, hash });
    await young.turn();
    expect(outbox.offered.at(-1)).toEqual([0, 67]);
  });

  test('with large headers shows those from the head on', async () => {
    chain.headerBytes = 20_000;
    await feed.turn();
    expect(outbox.offered).toEqual([[100, 112]]);
  });
});

test('runs by itself, at every cursor and until it is stopped', async () => {
  chain.tip = 5;
  const feed = feeder({ headerMs: 5 });
  feed.start();
  feed.coreAt(head(0));
  await until(() => outbox.offered.length === 1);
  chain.tip = 6;
  await until(() => outbox.offered.length === 2);
  chain.down = true;
  await until(() => feed.failures > 1);
  chain.down = false;
  chain.tip = 7;
  await until(() => outbox.offered.length === 3 && feed.failures === 0);
  await feed.stop();
  chain.asked = [];
  feed.coreAt(head(1));
  await new Promise((resolve) => setImmediate(resolve));
  expect(chain.asked).toEqual([]);
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('it did not come about');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
