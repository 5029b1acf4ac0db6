/** Locks that fit nothing, refunds of them that are refused, locks that the vault refuses, two couriers at once. */

import { randomBytes } from 'node:crypto';
import type { DrawbridgeClient } from '@drawbridge/client/bank-client';
import { readLocks } from '@drawbridge/demo/books';
import { OPERATOR } from '@drawbridge/demo/cast';
import { clientFor } from '@drawbridge/demo/clients';
import type { LockResource } from '@drawbridge/protocol/api/lock';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Contract } from 'ethers';
import { executedIds } from './chain-facts.ts';
import { lockAboveReleaseCap, nativeToken, releaseCap, send, timesSaid } from './refusals.ts';
import { eventually, startWorld, type World } from './world.ts';

const EUR_A_TO_B = { from: 'aurora', to: 'boreal', asset: 'EUR', source: 'quorum-a', destination: 'quorum-b' } as const;
const STORY_MS = 240_000;

let world: World;

beforeAll(async () => {
  world = await startWorld({ connectorsPerNetwork: 2, hubs: 2 });
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

const quorumA = () => world.system.chain('quorum-a');
const submitted = async (amountMinor: bigint, extra: { fundBySeconds?: number; deliverBySeconds?: number } = {}) => {
  const transfer = await world.submit({ ...EUR_A_TO_B, amountMinor, ...extra });
  if (!transfer.lock) throw new Error('expected a lock call');
  return { ...transfer, lock: transfer.lock };
};
/** The next lock that fits nothing, beyond those already known. */
async function nextUnmatched(known: readonly LockResource[]): Promise<LockResource> {
  const before = new Set(known.map((lock) => lock.lockId));
  return eventually('an unmatched lock', async () =>
    (await readLocks(world.system)).find((lock) => !before.has(lock.lockId)),
  );
}

describe('with two connectors and two hubs at once', () => {
  it('the hub says that it reaches Redis and the core', async () => {
    const answer = await fetch(`${world.system.hubUrl}/healthz`);
    expect([answer.status, await answer.json()]).toEqual([200, { redis: true, core: true, ok: true }]);
  });

  it(
    'many payments are each executed once',
    async () => {
      const transfers = await Promise.all(
        Array.from({ length: 10 }, (_, i) => world.submit({ ...EUR_A_TO_B, amountMinor: BigInt(100 + i) })),
      );
      await Promise.all(
        transfers.flatMap(({ lock }) =>
          lock ? [quorumA().lock('aurora', 'EUR', lock.reference, BigInt(lock.amountMinor))] : [],
        ),
      );
      for (const { id } of transfers) await world.until('aurora', id, 'SETTLED');
      expect(await executedIds(world.system.chain('quorum-b'))).toHaveLength(10);
    },
    STORY_MS,
  );
});

describe('a lock goes to suspense when it', () => {
  it(
    'is of a wrong amount, and is refunded when its bank asks',
    async () => {
      const known = await readLocks(world.system);
      const { id, lock } = await submitted(1_100n, { fundBySeconds: 15, deliverBySeconds: 40 });
      const wallet = quorumA().wallet('aurora');
      const before = await quorumA().balanceOf('EUR', wallet);
      await quorumA().lock('aurora', 'EUR', lock.reference, 1_101n);
      const unmatched = await nextUnmatched(known);
      await world.until('aurora', id, 'EXPIRED');
      await world.desk('aurora').refundLock(unmatched);
      await eventually('the refund on the chain', async () =>
        (await quorumA().balanceOf('EUR', wallet)) === before ? true : undefined,
      );
      await eventually('the refund in the core', async () =>
        (await readLocks(world.system)).some((found) => found.lockId === unmatched.lockId && found.state !== 'REFUNDED')
          ? undefined
          : true,
      );
    },
    STORY_MS,
  );

  it(
    'comes late, and is credited when its bank claims it',
    async () => {
      const known = await readLocks(world.system);
      const { id, lock } = await submitted(1_200n, { fundBySeconds: 2, deliverBySeconds: 30 });
      await world.until('aurora', id, 'EXPIRED');
      await quorumA().lock('aurora', 'EUR', lock.reference, 1_200n);
      const unmatched = await nextUnmatched(known);
      await world.desk('aurora').claimLock(unmatched);
      await eventually('the credit', async () => {
        const accounts = await world.desk('aurora').accounts();
        return accounts.some(({ asset, postedMinor }) => asset === 'EUR' && BigInt(postedMinor) >= 1_200n)
          ? true
          : undefined;
      });
    },
    STORY_MS,
  );

  it(
    'is repeated',
    async () => {
      const known = await readLocks(world.system);
      const { id, lock } = await submitted(1_300n);
      await quorumA().lock('aurora', 'EUR', lock.reference, 1_300n);
      await quorumA().lock('aurora', 'EUR', lock.reference, 1_300n);
      await nextUnmatched(known);
      await world.until('aurora', id, 'SETTLED');
    },
    STORY_MS,
  );

  it(
    "uses another bank's reference first, and does not keep that bank from funding its transfer",
    async () => {
      const known = await readLocks(world.system);
      const { id, lock } = await submitted(1_400n);
      await quorumA().lock('corvid', 'EUR', lock.reference, 1_400n);
      await nextUnmatched(known);
      await quorumA().lock('aurora', 'EUR', lock.reference, 1_400n);
      await world.until('aurora', id, 'SETTLED');
    },
    STORY_MS,
  );

  it(
    'names a reference that nobody knows',
    async () => {
      const known = await readLocks(world.system);
      await quorumA().lock('corvid', 'EUR', `0x${randomBytes(32).toString('hex')}`, 1_500n);
      const unmatched = await nextUnmatched(known);
      expect(unmatched.state).toBe('UNMATCHED');
    },
    STORY_MS,
  );
});

describe('a refund that its network refuses is voided when asked, and the lock', () => {
  let operator: DrawbridgeClient;
  beforeAll(async () => {
    operator = await clientFor(world.system, OPERATOR);
  });
  afterAll(() => operator?.close());

  const token = (): Contract => nativeToken(quorumA(), 'EUR');
  /** A lock of Corvid's that names a reference that nobody knows. */
  const unknown = async (amountMinor: bigint): Promise<LockResource> => {
    const known = await readLocks(world.system);
    await quorumA().lock('corvid', 'EUR', `0x${randomBytes(32).toString('hex')}`, amountMinor);
    return nextUnmatched(known);
  };
  /** As the operator sees it; nothing once it is settled. */
  const stateOf = async ({ lockId }: LockResource): Promise<LockResource['state'] | undefined> =>
    (await readLocks(world.system)).find((lock) => lock.lockId === lockId)?.state;
  const refusedRefund = async (lock: LockResource, code: string): Promise<void> => {
    const before = await timesSaid(world.system, 'quorum-a', code);
    expect((await operator.refundLock(lock)).state).toBe('REFUNDING');
    await eventually(`a connector that says ${code}`, async () =>
      (await timesSaid(world.system, 'quorum-a', code)) > before ? true : undefined,
    );
    expect(await stateOf(lock)).toBe('REFUNDING');
  };
  const voidedRefund = async (lock: LockResource): Promise<void> => {
    expect((await operator.cancelLockRefund(lock)).state).toBe('VOIDING');
    await eventually('the void in the core', async () => ((await stateOf(lock)) === 'UNMATCHED' ? true : undefined));
  };

  it(
    'is refunded once the token pays its depositor again',
    async () => {
      const wallet = quorumA().wallet('corvid');
      const before = await quorumA().balanceOf('EUR', wallet);
      const lock = await unknown(1_600n);
      await send(token(), 'setBlocked', wallet, true);
      await refusedRefund(lock, 'DESTINATION_REVERTED');
      await voidedRefund(lock);
      await world.expectConserved();
      await send(token(), 'setBlocked', wallet, false);
      const executed = await executedIds(quorumA());
      await operator.refundLock(lock);
      await eventually('the refund in the core', async () => ((await stateOf(lock)) === undefined ? true : undefined));
      expect(await quorumA().balanceOf('EUR', wallet)).toBe(before);
      expect(await executedIds(quorumA())).toHaveLength(executed.length + 1);
    },
    STORY_MS,
  );
});

it(
  'a lock above the release cap is refused by the vault itself, and its depositor keeps the tokens',
  async () => {
    const known = await readLocks(world.system);
    const cap = await releaseCap(quorumA(), 'EUR');
    const wallet = quorumA().wallet('corvid');
    const unit = quorumA().vaults.find(({ asset }) => asset === 'EUR')?.unit ?? 1n;
    await send(nativeToken(quorumA(), 'EUR'), 'mint', wallet, (cap + 1n) * unit);
    const before = await quorumA().balanceOf('EUR', wallet);
    const held = await quorumA().vaultTotal('EUR');
    const reference = `0x${randomBytes(32).toString('hex')}`;
    await expect(quorumA().lock('corvid', 'EUR', reference, cap + 1n)).rejects.toMatchObject({
      code: 'CALL_EXCEPTION',
      data: lockAboveReleaseCap(cap, cap + 1n),
    });
    // The wallet counted a transaction that was never sent.
    quorumA().forgetNonces();
    expect(await quorumA().hasLock('EUR', reference)).toBe(false);
    expect(await quorumA().balanceOf('EUR', wallet)).toBe(before);
    expect(await quorumA().vaultTotal('EUR')).toBe(held);
    expect(await readLocks(world.system)).toEqual(known);
  },
  STORY_MS,
);
