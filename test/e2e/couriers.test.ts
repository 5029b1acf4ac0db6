/**
 * Couriers that lie, repeat, mix up and pry: one of three observers, a hub, and whoever holds somebody else's
 * certificate. Observer 3 is a liar from the start to the end; where the hub is stopped the test carries in its place.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readBooks } from '@drawbridge/demo/books';
import { BOREAL_AUDITOR, HUB } from '@drawbridge/demo/cast';
import type { TransferResource } from '@drawbridge/protocol/api/transfer';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { parseNetworkId } from '@drawbridge/protocol/ids';
import type { ObserverEvidence } from '@drawbridge/protocol/observer-evidence';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { computeAddress } from 'ethers';
import { executedIds } from './chain-facts.ts';
import { Courier, executedAs, lockedWith } from './courier.ts';
import { falseInstructions } from './false-instructions.ts';
import { forgedEvidence } from './forged-evidence.ts';
import { LIES, LyingObserver } from './lying-observer.ts';
import { ask, atOnePosition } from './raw-request.ts';
import { eventually, lei, startWorld, type World } from './world.ts';

/** Deadlines beyond the length of a story: none of them is about time. */
const UNHURRIED = { fundBySeconds: 300, deliverBySeconds: 330 } as const;
const EUR_A_TO_B = {
  ...UNHURRIED,
  from: 'aurora',
  to: 'boreal',
  asset: 'EUR',
  source: 'quorum-a',
  destination: 'quorum-b',
} as const;
const STORY_MS = 240_000;

const liar = new LyingObserver();
let world: World;
let courier: Courier;

beforeAll(async () => {
  world = await startWorld({ standIns: { 'observer-3': liar.standIn } });
  courier = await Courier.of(world.system);
}, STORY_MS);
afterAll(async () => {
  await courier?.close();
  await world?.stop();
  await world?.remove();
}, 60_000);

const chain = (network: string) => world.system.chain(network);
const referenceOf = ({ lock }: TransferResource): Bytes32 => {
  if (!lock) throw new Error('expected a lock call');
  return lock.reference;
};
/** All that evidence can change. */
async function everything(): Promise<unknown> {
  const cursors = await Promise.all([courier.cursor('quorum-a'), courier.cursor('quorum-b')]);
  return { books: await readBooks(world.system), cursors };
}
const provenLock = (network: string, transfer: TransferResource): Promise<ObserverEvidence> =>
  courier.proven(chain(network), 'EUR', lockedWith(referenceOf(transfer)));
/** Carries the transfer's open instruction to its network, and gives the evidence of its execution. */
async function executed(network: string, { id, debtor }: TransferResource): Promise<ObserverEvidence> {
  const bank = debtor === lei('aurora') ? 'aurora' : 'boreal';
  const [instruction] = (await world.desk(bank).transfer(id)).instructions;
  if (!instruction) throw new Error('expected an instruction');
  await courier.carryInstructions(network);
  return courier.proven(chain(network), 'EUR', executedAs(instruction));
}
const changingNothing = async (verb: () => Promise<void>): Promise<void> => {
  const before = await everything();
  await verb();
  expect(await everything()).toEqual(before);
};

/** One honest observer and the liar are left. */
async function withoutObserver2<T>(verb: () => Promise<T>): Promise<T> {
  const second = world.system.observer('observer-2');
  await second.stop();
  try {
    return await verb();
  } finally {
    await second.start();
  }
}
/** The connector has left each of them out, and kept none. */
async function everyLieNoticed(): Promise<void> {
  const [connector] = world.system.connectors('quorum-a');
  const metrics = async (): Promise<string> => (await fetch(`${connector?.url}/metrics`)).text();
  const answered = (result: string): string => `{network="quorum-a",observer="observer-3",result="${result}"}`;
  await eventually('every lie told and noticed', async () => {
    const text = await metrics();
    const noticed = ['OTHER_VIEW', 'BAD_SIGNATURE', 'ANSWER_INVALID'].every((code) => text.includes(answered(code)));
    return noticed && liar.told.size === LIES.length ? true : undefined;
  });
  expect(await metrics()).not.toContain(answered('attested'));
}

describe('one of three observers that lies', () => {
  it(
    'cannot replace an honest one, and does not keep two of them from being enough',
    async () => {
      const transfers = await withoutObserver2(async () => {
        const funded = await Promise.all(
          LIES.map((_, i) => world.fund({ ...EUR_A_TO_B, amountMinor: BigInt(1_001 + i) })),
        );
        await everyLieNoticed();
        for (const { id } of funded) expect((await world.desk('aurora').transfer(id)).state).toBe('AWAITING_FUNDS');
        return funded;
      });
      for (const { id } of transfers) await world.until('aurora', id, 'SETTLED');
      await world.expectConserved();
    },
    STORY_MS,
  );
});

describe('with the hub stopped and the test as courier', () => {
  beforeAll(async () => {
    await world.system.hubs[0]?.stop();
  }, 60_000);

  it(
    'evidence with anything wrong in it changes nothing, and the true one still counts, once',
    async () => {
      const transfer = await world.fund({ ...EUR_A_TO_B, amountMinor: 2_001n });
      const truth = await provenLock('quorum-a', transfer);
      const forged = await forgedEvidence(truth, { courier, liar, system: world.system });
      await changingNothing(async () => {
        for (const { what, item, network, code } of forged) {
          const [result] = await courier.post(network, [item]);
          expect({ what, result: result?.result, code: result?.code }).toEqual({ what, result: 'refused', code });
        }
      });
      expect(await courier.hand(truth)).toMatchObject({ result: 'accepted' });
      await world.until('aurora', transfer.id, 'RELAYING');
      await changingNothing(async () => {
        expect(await courier.hand(truth)).toMatchObject({ result: 'duplicate' });
      });
      expect(await courier.hand(await executed('quorum-b', transfer))).toMatchObject({ result: 'accepted' });
      await world.until('aurora', transfer.id, 'SETTLED');
    },
    STORY_MS,
  );

  it(
    'a burn that comes before its mint waits for it, and both again are duplicates',
    async () => {
      const minting = await world.fund({ ...EUR_A_TO_B, amountMinor: 3_001n });
      expect(await courier.hand(await provenLock('quorum-a', minting))).toMatchObject({ result: 'accepted' });
      const mint = await executed('quorum-b', minting);
      const burning = await world.fund({
        from: 'boreal',
        to: 'corvid',
        asset: 'EUR',
        amountMinor: 3_000n,
        source: 'quorum-b',
        destination: 'quorum-a',
        ...UNHURRIED,
      });
      const burn = await provenLock('quorum-b', burning);
      const next = (await courier.cursor('quorum-b')).vaults.find(({ asset }) => asset === 'EUR')?.nextEventSeq;
      await changingNothing(async () => {
        expect(await courier.hand(burn)).toMatchObject({ result: 'early', code: 'EVENT_EARLY', expectedSeq: next });
      });
      expect(await courier.hand(mint)).toMatchObject({ result: 'accepted' });
      await world.until('aurora', minting.id, 'SETTLED');
      expect(await courier.hand(burn)).toMatchObject({ result: 'accepted' });
      await world.until('boreal', burning.id, 'RELAYING');
      await changingNothing(async () => {
        for (const evidence of [burn, mint]) {
          expect(await courier.hand(evidence)).toMatchObject({ result: 'duplicate', code: 'EVENT_SEEN' });
        }
      });
      expect(await courier.hand(await executed('quorum-a', burning))).toMatchObject({ result: 'accepted' });
      await world.until('boreal', burning.id, 'SETTLED');
    },
    STORY_MS,
  );

  it(
    'a connector refuses what the core did not sign, in words without content, before it spends a fee',
    async () => {
      const transfer = await world.fund({ ...EUR_A_TO_B, amountMinor: 4_001n });
      expect(await courier.hand(await provenLock('quorum-a', transfer))).toMatchObject({ result: 'accepted' });
      const target = chain('quorum-b');
      const fees = () => target.provider.getTransactionCount(computeAddress(target.feeKey), 'pending');
      const spent = await fees();
      const [genuine, ...others] = await courier.outbox('quorum-b');
      if (!genuine || others.length > 0) throw new Error('expected one open instruction');
      const keyFile = join(world.system.dir, 'keys/quorum-b.sealing.key');
      const lies = falseInstructions(genuine, parseNetworkId('quorum-b'), await readFile(keyFile, 'utf8'));
      for (const { jobId, sealed } of lies) await courier.enqueue('quorum-b', jobId, sealed);
      for (const { what, jobId, words } of lies) {
        const { failedReason, attemptsMade } = await courier.failed('quorum-b', jobId);
        expect({ what, failedReason, attemptsMade }).toEqual({ what, failedReason: words, attemptsMade: 1 });
      }
      expect(await fees()).toBe(spent);
      expect((await world.desk('aurora').transfer(transfer.id)).state).toBe('RELAYING');

      expect(await courier.hand(await executed('quorum-b', transfer))).toMatchObject({ result: 'accepted' });
      await world.until('aurora', transfer.id, 'SETTLED');
      expect(await fees()).toBe(spent + 1);
    },
    STORY_MS,
  );

  it(
    'the hub, back again, finds nothing left to do and does no harm',
    async () => {
      await world.system.hubs[0]?.start();
      const { id } = await world.fund({ ...EUR_A_TO_B, amountMinor: 5_001n });
      await world.until('aurora', id, 'SETTLED');
      await world.expectConserved();
      for (const each of world.system.chains) {
        const ids = await executedIds(each);
        expect(new Set(ids).size).toBe(ids.length);
      }
    },
    STORY_MS,
  );
});

describe('a certificate reaches no further than its role:', () => {
  const UNKNOWN = randomUUID();
  let toBoreal: TransferResource;
  let toCorvid: TransferResource;

  beforeAll(async () => {
    const submit = (to: string) =>
      world.submit({ from: 'aurora', to, asset: 'EUR', source: 'quorum-a', amountMinor: 71n });
    [toBoreal, toCorvid] = await Promise.all([submit('boreal'), submit('corvid')]);
  }, 60_000);

  it("another bank's transfers, accounts, statements and events are byte for byte what does not exist", async () => {
    const nobody = '984500NOBODY00BANK00';
    const corvidAsks = (method: string, one: string, other: string) =>
      atOnePosition(
        () => ask(world.system, 'corvid', one, method),
        () => ask(world.system, 'corvid', other, method),
      );
    const [mine, bank] = [lei('corvid'), lei('aurora')];
    const pairs = [
      [`/v1/transfers/${toBoreal.id}`, `/v1/transfers/${UNKNOWN}`],
      [`/v1/transfers/${toBoreal.id}?bank=${bank}`, `/v1/transfers/${UNKNOWN}?bank=${bank}`],
      [`/v1/transfers/${toBoreal.id}?bank=${bank}`, `/v1/transfers/${UNKNOWN}?bank=${nobody}`],
      [`/v1/transfers?participant=${bank}`, `/v1/transfers?participant=${nobody}`],
      [`/v1/accounts?participant=${bank}`, `/v1/accounts?participant=${nobody}`],
      [`/v1/accounts/EUR?participant=${bank}`, `/v1/accounts/XXX?participant=${mine}`],
      [`/v1/accounts/EUR/statement?participant=${bank}`, `/v1/accounts/EUR/statement?participant=${nobody}`],
      [`/v1/events?participant=${bank}`, `/v1/events?participant=${nobody}`],
    ];
    for (const [others = '', nothing = ''] of pairs) {
      const [hidden, absent] = await corvidAsks('GET', others, nothing);
      expect({ path: others, status: hidden.status }).toEqual({ path: others, status: 404 });
      expect(hidden).toEqual(absent);
    }
    const cancels = [`/v1/transfers/${toBoreal.id}:cancel`, `/v1/transfers/${UNKNOWN}:cancel`] as const;
    const [cancel, ofNothing] = await corvidAsks('POST', ...cancels);
    expect(cancel.status).toBe(404);
    expect(cancel).toEqual(ofNothing);
    expect((await ask(world.system, 'aurora', `/v1/transfers/${toBoreal.id}`)).status).toBe(200);
  });

  it("a relay's carries, and reads nothing of banks", async () => {
    const paths = [
      '/v1/accounts',
      `/v1/accounts?participant=${lei('aurora')}`,
      '/v1/transfers',
      '/v1/events',
      '/v1/locks',
    ];
    for (const path of [...paths, `/v1/transfers/${toBoreal.id}?bank=${lei('aurora')}`]) {
      expect({ path, status: (await ask(world.system, HUB, path)).status }).toEqual({ path, status: 403 });
    }
    expect((await ask(world.system, HUB, '/v1/relay/outbox?network=quorum-a')).status).toBe(200);
  });

  it("an auditor's sees the banks that it supervises, and of others what does not exist", async () => {
    const { body } = await ask(world.system, BOREAL_AUDITOR, '/v1/accounts');
    expect(body).toMatch(/^\{"accounts":/);
    expect(body).not.toContain(lei('aurora'));
    const own = await ask(world.system, BOREAL_AUDITOR, `/v1/accounts/EUR?participant=${lei('boreal')}`);
    expect(own.status).toBe(200);
    const seen = (id: string) => ask(world.system, BOREAL_AUDITOR, `/v1/transfers/${id}?bank=${lei('aurora')}`);
    expect((await seen(toBoreal.id)).status).toBe(200);
    const [hidden, absent] = await atOnePosition(
      () => seen(toCorvid.id),
      () => seen(UNKNOWN),
    );
    expect(hidden.status).toBe(404);
    expect(hidden).toEqual(absent);
    const others = await ask(world.system, BOREAL_AUDITOR, `/v1/accounts?participant=${lei('aurora')}`);
    expect(others.status).toBe(404);
    expect(others.body).toBe(hidden.body);
  });
});
