/** When a follower looks: its pauses, and what shortens them. */
import { parseBytes32 } from '@drawbridge/protocol/bytes32';
import { parseAssetCode, parseNetworkId } from '@drawbridge/protocol/ids';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import type { EvidenceBuild, FollowedEvent } from './vault-event-source.ts';
import { VaultFollower } from './vault-follower.ts';

const network = parseNetworkId('alpha');
const asset = parseAssetCode('EUR');
const address = '0xaa';
const [POLL_MS, QUIET_MS] = [250, 2_000];

let looks: number;
let announced: boolean;
let down: boolean;
let build: EvidenceBuild;
let events: FollowedEvent<number>[];
let follower: VaultFollower<number>;

beforeEach(() => {
  jest.useFakeTimers();
  looks = 0;
  announced = true;
  down = false;
  build = { type: 'built', bytes: new Uint8Array(1) };
  events = [];
  follower = new VaultFollower(
    {
      ...{ network, vaults: [{ asset, address }], idKey: new Uint8Array(32) },
      ...{ pollMs: POLL_MS, quietPollMs: QUIET_MS, cursorMs: 3_600_000, rangeBlocks: 100, rangesPerTurn: 1 },
      ...{ rebuildMs: 3_600_000, maxPendingEvents: 10, buildConcurrency: 1 },
    },
    {
      source: {
        finalisedHead: async () => {
          looks += 1;
          if (down) throw new Error('the node is away');
          return looks;
        },
        finalisedEvents: async () => events.splice(0),
        stillHolds: async () => true,
      },
      builder: { build: async () => build },
      cursors: {
        cursor: async () => ({ network, vaults: [{ asset, address, nextEventSeq: 1, fromBlock: 1 }] }),
        sealingKey: async () => 'key',
      },
      outbox: { offer: async () => undefined, reoffer: async () => undefined, sealTo: () => undefined },
      metrics: { offers: () => undefined, eventGap: () => undefined, following: () => undefined },
      log: pino({ level: 'silent' }),
      now: () => 0,
      isAnnounced: () => announced,
    },
  );
});
afterEach(async () => {
  jest.useRealTimers();
  await follower.stop();
});

/** Looks within so many ms. */
async function within(ms: number): Promise<number> {
  const before = looks;
  await jest.advanceTimersByTimeAsync(ms);
  return looks - before;
}

test('where blocks are not announced it looks every pollMs', async () => {
  announced = false;
  follower.start();
  expect(await within(1)).toBe(1);
  expect(await within(POLL_MS - 2)).toBe(0);
  expect(await within(2)).toBe(1);
});

test('where they are it looks when one comes, and seldom without', async () => {
  follower.start();
  await within(1);
  expect(await within(QUIET_MS - 2)).toBe(0);
  follower.wake();
  expect(await within(1)).toBe(1);
  expect(await within(QUIET_MS - 2)).toBe(0);
  expect(await within(4)).toBe(1);
});

test('while evidence waits for its witnesses it looks every pollMs', async () => {
  build = { type: 'pending', code: 'OBSERVERS_SHALLOW' };
  events = [{ vault: address, seq: 1, blockNumber: 1, blockHash: parseBytes32(`0x${'01'.repeat(32)}`), raw: 1 }];
  follower.start();
  await within(1);
  expect(await within(POLL_MS)).toBe(1);
  build = { type: 'built', bytes: new Uint8Array(1) };
  expect(await within(POLL_MS)).toBe(1);
  expect(await within(POLL_MS)).toBe(0);
});

test('after failures blocks that come do not make it press the node', async () => {
  follower.start();
  await within(1);
  down = true;
  follower.wake();
  expect(await within(1)).toBe(1);
  for (let n = 0; n < 10; n += 1) follower.wake();
  expect(await within(POLL_MS)).toBe(0);
  down = false;
  expect(await within(POLL_MS)).toBe(1);
  follower.wake();
  expect(await within(1)).toBe(1);
});
