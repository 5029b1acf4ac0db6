/** What the relay must withstand, over real processes: each story ends with equal sums and nothing executed twice. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { executedIds } from './chain-facts.ts';
import { eventually, startWorld, type World } from './world.ts';

const EUR_A_TO_B = { from: 'aurora', to: 'boreal', asset: 'EUR', source: 'quorum-a', destination: 'quorum-b' } as const;
const STORY_MS = 240_000;

let world: World;

beforeAll(async () => {
  world = await startWorld();
}, STORY_MS);
afterAll(async () => {
  await world?.stop();
  await world?.remove();
}, 60_000);
afterEach(async () => {
  await world.expectConserved();
  for (const chain of world.system.chains) {
    const ids = await executedIds(chain);
    expect(new Set(ids).size).toBe(ids.length);
  }
}, 60_000);

describe('a payment survives', () => {
  it(
    'a connector killed between sending and recording',
    async () => {
      const [connector] = world.system.connectors('quorum-b');
      const chain = world.system.chain('quorum-b');
      await chain.anvil.pauseMining();
      const { id } = await world.fund({ ...EUR_A_TO_B, amountMinor: 1_001n });
      await world.until('aurora', id, 'RELAYING');
      // With mining paused the transaction stays in the pool: it was sent, and its receipt was never seen.
      await eventually('the transaction in the pool', async () => {
        const status = (await chain.anvil.rpc('txpool_status')) as { pending: string };
        return Number(status.pending) > 0 ? true : undefined;
      });
      await connector?.kill9();
      await chain.anvil.resumeMining();
      await connector?.start();
      await world.until('aurora', id, 'SETTLED');
    },
    STORY_MS,
  );

  it(
    'the hub killed in the middle of a batch',
    async () => {
      const transfers = await Promise.all(
        [2_001n, 2_002n, 2_003n, 2_004n].map((amountMinor) => world.submit({ ...EUR_A_TO_B, amountMinor })),
      );
      const locks = transfers.map(({ lock }) => {
        if (!lock) throw new Error('expected a lock call');
        return world.system.chain(lock.network).lock('aurora', 'EUR', lock.reference, BigInt(lock.amountMinor));
      });
      await Promise.all(locks);
      const [first] = transfers;
      if (!first) throw new Error('no transfer');
      await world.until('aurora', first.id, 'RELAYING', 'SETTLED');
      await world.system.hubs[0]?.kill9();
      await world.system.hubs[0]?.start();
      for (const { id } of transfers) await world.until('aurora', id, 'SETTLED');
    },
    STORY_MS,
  );

  it(
    'FLUSHALL on Redis',
    async () => {
      const redis = new Redis(world.system.redis.url);
      const { id } = await world.fund({ ...EUR_A_TO_B, amountMinor: 3_001n });
      await redis.flushall();
      await world.until('aurora', id, 'RELAYING', 'SETTLED');
      await redis.flushall();
      await world.until('aurora', id, 'SETTLED');
      redis.disconnect();
    },
    STORY_MS,
  );

  it(
    'the core killed and started again',
    async () => {
      const before = await world.fund({ ...EUR_A_TO_B, amountMinor: 4_001n });
      await world.system.core.kill9();
      await world.system.core.start();
      await world.until('aurora', before.id, 'RELAYING', 'SETTLED');
      await world.system.core.kill9();
      await world.system.core.start();
      await world.until('aurora', before.id, 'SETTLED');
    },
    STORY_MS,
  );

  it(
    'a reorganisation before the required depth',
    async () => {
      const chain = world.system.chain('quorum-a');
      const transfer = await world.submit({ ...EUR_A_TO_B, amountMinor: 5_001n });
      if (!transfer.lock) throw new Error('expected a lock call');
      await chain.lock('aurora', 'EUR', transfer.lock.reference, 5_001n);
      await chain.anvil.reorg(2);
      chain.forgetNonces();
      // Whether the lock was in the replaced blocks or just before them, only what is on the chain may be credited.
      const locked = await chain.hasLock('EUR', transfer.lock.reference);
      if (!locked) await chain.lock('aurora', 'EUR', transfer.lock.reference, 5_001n);
      await world.until('aurora', transfer.id, 'SETTLED');
    },
    STORY_MS,
  );

  it(
    'a destination that refuses for ever: void, then return',
    async () => {
      // A burn on quorum-b, so boreal needs the representation first.
      const first = await world.fund({ ...EUR_A_TO_B, amountMinor: 6_001n });
      await world.until('aurora', first.id, 'SETTLED');
      const { id } = await world.fund({
        from: 'boreal',
        to: 'corvid',
        asset: 'EUR',
        amountMinor: 500n,
        source: 'quorum-b',
        destination: 'quorum-a',
        refuses: true,
        fundBySeconds: 20,
        deliverBySeconds: 22,
      });
      const ended = await world.until('boreal', id, 'RETURNED');
      expect(ended.instructions).toHaveLength(2);
    },
    STORY_MS,
  );

  it(
    'the same, asked to refund on the source',
    async () => {
      const { id } = await world.fund({
        from: 'boreal',
        to: 'corvid',
        asset: 'EUR',
        amountMinor: 700n,
        source: 'quorum-b',
        destination: 'quorum-a',
        refuses: true,
        onVoid: 'refund',
        fundBySeconds: 20,
        deliverBySeconds: 22,
      });
      const ended = await world.until('boreal', id, 'REFUNDED');
      expect(ended.instructions).toHaveLength(3);
    },
    STORY_MS,
  );

  it(
    'its deadline passing while the network is down',
    async () => {
      const chain = world.system.chain('quorum-b');
      const { id } = await world.fund({ ...EUR_A_TO_B, amountMinor: 8_001n, fundBySeconds: 20, deliverBySeconds: 21 });
      await world.until('aurora', id, 'RELAYING', 'SETTLED');
      await chain.anvil.pauseMining();
      const midway = await world.until('aurora', id, 'VOIDING', 'SETTLED');
      await chain.anvil.resumeMining();
      if (midway.state === 'VOIDING') await world.until('aurora', id, 'RETURNED', 'SETTLED');
    },
    STORY_MS,
  );
});
