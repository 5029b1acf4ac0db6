/** What a follower asks before an event is deep enough, and what it makes of the answers. */
import { parseBytes32 } from '@drawbridge/protocol/bytes32';
import { parseAssetCode, parseNetworkId } from '@drawbridge/protocol/ids';
import { beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { LedgerUnavailableError } from './ledger-connector.ts';
import type { EvidenceBuild, FollowedEvent } from './vault-event-source.ts';
import { VaultFollower } from './vault-follower.ts';

const network = parseNetworkId('alpha');
const asset = parseAssetCode('EUR');
const address = '0xaa';
const DEPTH = 3;
const hash = (block: number, fork = 0) =>
  parseBytes32(`0x${fork.toString(16).padStart(2, '0')}${block.toString(16).padStart(62, '0')}`);

let head: number;
/** Block and fork of each event, by counter. */
let ledger: Map<number, readonly [number, number]>;
/** Counter and head of each time that evidence was asked for, and what was made of it. */
let asked: string[];
let offered: string[];
let announced: boolean;
let gains: boolean;
let fails: boolean;
/** The next question has no answer. */
let silent: boolean;
/** Of the witnesses, who may see another head. */
let theirs: () => number;
let follower: VaultFollower<number>;

const between = (from: number, to: number): FollowedEvent<number>[] =>
  [...ledger]
    .filter(([, [block]]) => block >= from && block <= to)
    .map(([seq, [block, fork]]) => ({
      vault: address,
      seq,
      blockNumber: block,
      blockHash: hash(block, fork),
      raw: fork,
    }));

async function build({ seq, blockNumber, raw }: FollowedEvent<number>): Promise<EvidenceBuild> {
  const isDeep = theirs() - blockNumber + 1 >= DEPTH;
  asked.push(`${seq} at ${head}: ${isDeep ? 'built' : 'pending'}`);
  if (silent) {
    silent = false;
    await new Promise(() => undefined);
  }
  return isDeep ? { type: 'built', bytes: Buffer.from(`${seq}/${raw}`) } : { type: 'pending', code: 'SHALLOW' };
}

beforeEach(() => {
  head = 10;
  ledger = new Map();
  asked = [];
  offered = [];
  announced = true;
  gains = true;
  fails = false;
  silent = false;
  theirs = () => head;
  follower = new VaultFollower(
    {
      ...{ network, vaults: [{ asset, address }], idKey: new Uint8Array(32) },
      ...{ pollMs: 250, cursorMs: 3_600_000, rangeBlocks: 100, rangesPerTurn: 1 },
      ...{ rebuildMs: 3_600_000, maxPendingEvents: 10, buildConcurrency: 2 },
    },
    {
      source: {
        finalisedHead: async () => head - DEPTH + 1,
        finalisedEvents: async ({ fromBlock, toBlock }) => between(fromBlock, toBlock),
        comingEvents: async ({ afterBlock }) => {
          if (fails) throw new LedgerUnavailableError('away');
          return between(afterBlock + 1, head);
        },
        stillHolds: async () => true,
      },
      builder: {
        get gainsByAskingAhead() {
          return gains;
        },
        build,
      },
      cursors: {
        cursor: async () => ({ network, vaults: [{ asset, address, nextEventSeq: 1, fromBlock: 9 }] }),
        sealingKey: async () => 'key',
      },
      outbox: {
        offer: async (items) => void offered.push(...items.map(({ bytes }) => Buffer.from(bytes).toString())),
        reoffer: async () => undefined,
        sealTo: () => undefined,
      },
      metrics: { offers: () => undefined, eventGap: () => undefined, following: () => undefined },
      log: pino({ level: 'silent' }),
      now: () => 0,
      isAnnounced: () => announced,
    },
  );
});

/** A turn at each head up to this one. */
async function turnsTo(last: number): Promise<void> {
  for (; head < last; head += 1) await follower.turn();
  await follower.turn();
}

test('asks when an event is seen first, and when the next block makes it deep enough: once each', async () => {
  ledger.set(1, [11, 0]);
  await turnsTo(13);
  expect(asked).toEqual(['1 at 11: pending', '1 at 13: built']);
  expect(offered).toEqual(['1/0']);
});

test('asks again where the witnesses are behind', async () => {
  ledger.set(1, [11, 0]);
  let late = true;
  theirs = () => {
    if (head < 13 || !late) return head;
    late = false;
    return head - 1;
  };
  await turnsTo(13);
  expect(asked).toEqual(['1 at 11: pending', '1 at 13: pending', '1 at 13: built']);
  expect(offered).toEqual(['1/0']);
});

test('asks again where a witness never answers, and takes what is there first', async () => {
  ledger.set(1, [11, 0]);
  await turnsTo(12);
  head = 13;
  silent = true;
  await follower.turn();
  expect(asked).toEqual(['1 at 11: pending', '1 at 13: built', '1 at 13: built']);
  expect(offered).toEqual(['1/0']);
});

test('takes nothing that was made of a block that has gone', async () => {
  ledger.set(1, [11, 0]);
  await turnsTo(12);
  head = 13;
  theirs = () => {
    // Right after it was asked for ahead.
    if (asked.length === 1) ledger.set(1, [11, 7]);
    return head;
  };
  await follower.turn();
  expect(asked).toEqual(['1 at 11: pending', '1 at 13: built', '1 at 13: built']);
  expect(offered).toEqual(['1/7']);
});

test.each([
  ['blocks are not announced', [false, true, false]],
  ['nothing is gained', [true, false, false]],
  ['the ledger does not say what comes', [true, true, true]],
] as const)('asks in time and not ahead where %s', async (_, how) => {
  [announced, gains, fails] = how;
  ledger.set(1, [11, 0]);
  await turnsTo(13);
  expect(asked).toEqual(['1 at 13: built']);
  expect(offered).toEqual(['1/0']);
});

test('asks for no more at once than it may', async () => {
  for (const seq of [1, 2, 3]) ledger.set(seq, [11, 0]);
  await turnsTo(11);
  expect(asked).toHaveLength(2);
  await turnsTo(13);
  expect(offered).toEqual(['1/0', '2/0', '3/0']);
});
