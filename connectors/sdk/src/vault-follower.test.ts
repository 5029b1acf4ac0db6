import { generateKeyPairSync } from 'node:crypto';
import { parseBytes32 } from '@drawbridge/protocol/bytes32';
import { parseAssetCode, parseNetworkId } from '@drawbridge/protocol/ids';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { evidenceIdKey, evidenceJobId, headerBatchJobId } from './evidence-job-id.ts';
import type {
  CursorSource,
  EvidenceBuild,
  EvidenceBuilder,
  EvidenceOffer,
  EvidenceOutbox,
  FollowedEvent,
  FollowerCursor,
  VaultEventSource,
} from './vault-event-source.ts';
import { VaultFollower } from './vault-follower.ts';

const network = parseNetworkId('alpha');
const asset = parseAssetCode('EUR');
const VAULT = '0xaa';
const word = (n: number, fork = 0) =>
  parseBytes32(`0x${fork.toString(16).padStart(2, '0')}${n.toString(16).padStart(62, '0')}`);

/** A chain of blocks that hold events of one vault; `raw` is the counter. */
class ScriptedLedger implements VaultEventSource<number> {
  head = 0;
  events = new Map<number, { block: number; fork: number }>();
  hidden = new Set<number>();
  ranges: [number, number][] = [];

  add(seq: number, block: number, fork = 0): void {
    this.events.set(seq, { block, fork });
    this.head = Math.max(this.head, block);
  }
  async finalisedHead() {
    return this.head;
  }
  async finalisedEvents({ fromBlock, toBlock }: { fromBlock: number; toBlock: number }) {
    this.ranges.push([fromBlock, toBlock]);
    return [...this.events]
      .filter(([seq, { block }]) => block >= fromBlock && block <= toBlock && !this.hidden.has(seq))
      .sort(([a], [b]) => a - b)
      .map(([seq, { block, fork }]) => ({
        vault: VAULT,
        seq,
        blockNumber: block,
        blockHash: word(block, fork),
        raw: seq,
      }));
  }
  async stillHolds({ blockNumber, blockHash }: Pick<FollowedEvent<number>, 'blockNumber' | 'blockHash'>) {
    return [...this.events.values()].some(
      ({ block, fork }) => block === blockNumber && word(block, fork) === blockHash,
    );
  }
}

class ScriptedCore implements CursorSource {
  next = 1;
  fromBlock = 1;
  reads = 0;
  key = 'key-1';
  down = false;

  async cursor(): Promise<FollowerCursor> {
    if (this.down) throw new Error('down');
    this.reads += 1;
    return { network, vaults: [{ asset, address: VAULT, nextEventSeq: this.next, fromBlock: this.fromBlock }] };
  }
  async sealingKey() {
    return this.key;
  }
}

class RecordingOutbox implements EvidenceOutbox {
  offered: string[] = [];
  reoffered: string[][] = [];
  key = '';
  full = false;

  async offer(items: readonly EvidenceOffer[]) {
    if (this.full) throw new Error('redis is away');
    this.offered.push(...items.map(({ bytes }) => Buffer.from(bytes).toString()));
  }
  async reoffer(items: readonly EvidenceOffer[]) {
    this.reoffered.push(items.map(({ bytes }) => Buffer.from(bytes).toString()));
  }
  sealTo(key: string) {
    this.key = key;
  }
}

class ScriptedBuilder implements EvidenceBuilder<number> {
  refuse = new Set<number>();
  built: number[] = [];
  version = '';

  async build({ raw }: FollowedEvent<number>): Promise<EvidenceBuild> {
    if (this.refuse.has(raw)) return { type: 'pending', code: 'NOT_YET' };
    this.built.push(raw);
    return { type: 'built', bytes: Buffer.from(`${raw}${this.version}`) };
  }
}

let ledger: ScriptedLedger;
let core: ScriptedCore;
let outbox: RecordingOutbox;
let builder: ScriptedBuilder;
let nowMs: number;
let gaps: number;

function follow(overrides: { maxPendingEvents?: number; rangeBlocks?: number } = {}): VaultFollower<number> {
  return new VaultFollower(
    {
      network,
      vaults: [{ asset, address: VAULT }],
      idKey: new Uint8Array(32),
      pollMs: 10,
      cursorMs: 10_000,
      rangeBlocks: 100,
      rangesPerTurn: 10,
      rebuildMs: 30_000,
      maxPendingEvents: 100,
      buildConcurrency: 4,
      ...overrides,
    },
    {
      source: ledger,
      builder,
      cursors: core,
      outbox,
      metrics: {
        offers: () => undefined,
        eventGap: () => {
          gaps += 1;
        },
        following: () => undefined,
      },
      log: pino({ level: 'silent' }),
      now: () => nowMs,
    },
  );
}

beforeEach(() => {
  ledger = new ScriptedLedger();
  core = new ScriptedCore();
  outbox = new RecordingOutbox();
  builder = new ScriptedBuilder();
  nowMs = 0;
  gaps = 0;
});

test('events go out once, in the order of the counter, as they become deep enough', async () => {
  const follower = follow();
  ledger.add(1, 5);
  ledger.add(2, 5);
  await follower.turn();
  ledger.add(3, 9);
  await follower.turn();
  await follower.turn();
  expect(outbox.offered).toEqual(['1', '2', '3']);
  expect(core.reads).toBe(1);
});

test('blocks are read in bounded ranges, none twice', async () => {
  ledger.add(1, 250);
  await follow().turn();
  expect(ledger.ranges).toEqual([
    [1, 100],
    [101, 200],
    [201, 250],
  ]);
});

test('what the core knows is not offered; reading begins where the core says', async () => {
  for (const seq of [1, 2, 3]) ledger.add(seq, seq * 10);
  core.next = 3;
  core.fromBlock = 20;
  await follow().turn();
  expect(outbox.offered).toEqual(['3']);
  expect(ledger.ranges[0]?.[0]).toBe(20);
});

test('an event without evidence holds back those after it, and only them', async () => {
  const follower = follow();
  for (const seq of [1, 2, 3]) ledger.add(seq, seq);
  builder.refuse.add(2);
  await follower.turn();
  expect(outbox.offered).toEqual(['1']);
  builder.refuse.clear();
  await follower.turn();
  expect(outbox.offered).toEqual(['1', '2', '3']);
});

describe('at the cursor, every ten seconds', () => {
  test('what the core still does not know is offered again; what it took is forgotten', async () => {
    const follower = follow();
    for (const seq of [1, 2, 3]) ledger.add(seq, seq);
    await follower.turn();
    core.next = 2;
    core.fromBlock = 1;
    nowMs = 10_000;
    await follower.turn();
    expect(outbox.reoffered.at(-1)).toEqual(['2', '3']);
    expect(builder.built).toEqual([1, 2, 3]);
  });

  test('evidence that is not taken for long is made anew', async () => {
    const follower = follow();
    ledger.add(1, 1);
    await follower.turn();
    builder.version = '-again';
    nowMs = 10_000;
    await follower.turn();
    expect(outbox.reoffered.at(-1)).toEqual(['1']);
    nowMs = 30_000;
    await follower.turn();
    expect(outbox.reoffered.at(-1)).toEqual(['1-again']);
  });

  test('a core that went back, as after a recovery, gets everything from there on', async () => {
    const follower = follow();
    for (const seq of [1, 2, 3]) ledger.add(seq, seq);
    core.next = 3;
    await follower.turn();
    core.next = 1;
    nowMs = 10_000;
    await follower.turn();
    expect(outbox.offered).toEqual(['3', '1', '2', '3']);
  });

  test('its sealing key is taken anew each time', async () => {
    const follower = follow();
    await follower.turn();
    core.key = 'key-2';
    nowMs = 10_000;
    await follower.turn();
    expect(outbox.key).toBe('key-2');
  });
});

describe('a ledger that does not hold together', () => {
  test('a block that was final is gone: what was read is thrown away and read again', async () => {
    const follower = follow();
    ledger.add(1, 1);
    ledger.add(2, 2);
    await follower.turn();
    ledger.events.clear();
    ledger.add(1, 1);
    ledger.add(2, 2, 1);
    nowMs = 10_000;
    await expect(follower.turn()).rejects.toMatchObject({ code: 'BLOCK_GONE' });
    await follower.turn();
    expect(outbox.offered).toEqual(['1', '2', '1', '2']);
  });

  test('events that a node leaves out are noticed by the counter', async () => {
    const follower = follow();
    for (const seq of [1, 2, 3]) ledger.add(seq, seq);
    ledger.hidden.add(2);
    await expect(follower.turn()).rejects.toMatchObject({ code: 'EVENT_GAP' });
    expect([gaps, outbox.offered]).toEqual([1, []]);
    ledger.hidden.clear();
    await follower.turn();
    expect(outbox.offered).toEqual(['1', '2', '3']);
  });
});

test('more events than there is room for wait until the core has taken some', async () => {
  const follower = follow({ maxPendingEvents: 4 });
  for (let seq = 1; seq <= 10; seq += 1) ledger.add(seq, seq);
  await follower.turn();
  expect(outbox.offered).toEqual(['1', '2', '3', '4']);
  for (const next of [5, 9]) {
    core.next = next;
    core.fromBlock = next - 1;
    nowMs += 10_000;
    await follower.turn();
  }
  expect(outbox.offered).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']);
});

test('says below which block the core has every event', async () => {
  const follower = follow({ maxPendingEvents: 2 });
  expect(follower.openFromBlock).toBeUndefined();
  ledger.head = 4;
  await follower.turn();
  expect(follower.openFromBlock).toBe(5);
  for (const seq of [1, 2, 3]) ledger.add(seq, 5 + seq);
  ledger.head = 20;
  await follower.turn();
  expect(follower.openFromBlock).toBe(6);
  core.next = 2;
  nowMs = 10_000;
  await follower.turn();
  // Event 3 found no room and is read again: it is known of, so its block is no further than that.
  expect(follower.openFromBlock).toBe(7);
  core.next = 4;
  nowMs = 20_000;
  await follower.turn();
  expect(follower.openFromBlock).toBe(21);
});

test('nothing is said of blocks while what was read does not hold together', async () => {
  const follower = follow();
  for (const seq of [1, 2, 3]) ledger.add(seq, seq);
  ledger.hidden.add(2);
  await expect(follower.turn()).rejects.toMatchObject({ code: 'EVENT_GAP' });
  expect(follower.openFromBlock).toBeUndefined();
});

test('a queue that takes nothing loses nothing', async () => {
  const follower = follow();
  ledger.add(1, 1);
  outbox.full = true;
  await expect(follower.turn()).rejects.toThrow('redis is away');
  outbox.full = false;
  await follower.turn();
  expect(outbox.offered).toEqual(['1']);
});

test('a core that is away does not let the follower begin anywhere', async () => {
  core.down = true;
  ledger.add(1, 1);
  await expect(follow().turn()).rejects.toThrow('down');
  expect(ledger.ranges).toEqual([]);
});

describe('ids of evidence jobs', () => {
  const pem = () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const event = { vault: VAULT, seq: 1, blockHash: word(1) };

  test('are the same for every follower with the key, and say nothing without it', () => {
    const [ours, other] = [pem(), pem()];
    const id = evidenceJobId(evidenceIdKey(ours), network, event);
    expect(evidenceJobId(evidenceIdKey(ours), network, event)).toBe(id);
    expect(evidenceJobId(evidenceIdKey(other), network, event)).not.toBe(id);
    expect(id).toMatch(/^[0-9a-f]{64}$/);
  });

  test('of headers are by network, first and last block', () => {
    const key = new Uint8Array(32);
    const batch = { firstHash: word(1), lastHash: word(2) };
    const ids = [
      headerBatchJobId(key, network, batch),
      headerBatchJobId(key, parseNetworkId('beta'), batch),
      headerBatchJobId(key, network, { ...batch, firstHash: word(3) }),
      headerBatchJobId(key, network, { ...batch, lastHash: word(3) }),
      headerBatchJobId(new Uint8Array(32).fill(1), network, batch),
    ];
    expect(new Set(ids).size).toBe(ids.length);
    expect(headerBatchJobId(key, network, { ...batch })).toBe(ids[0]);
  });

  test.each([
    ['network', parseNetworkId('beta'), event],
    ['vault', network, { ...event, vault: '0xab' }],
    ['counter', network, { ...event, seq: 2 }],
    ['block', network, { ...event, blockHash: word(2) }],
  ])('differ by %s', (_what, where, changed) => {
    const key = new Uint8Array(32);
    expect(evidenceJobId(key, where, changed)).not.toBe(evidenceJobId(key, network, event));
  });
});
