import { MAX_SEALED_CHARS } from '@drawbridge/protocol/api/relay';
import type { TransferId } from '@drawbridge/protocol/ids';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { LightMyRequestResponse } from 'fastify';
import type { UnmatchedLock } from '../../settlement/view.ts';
import { EUR, QUORUM_A, testWord, WORLD } from '../testing/fake-core.ts';
import { type InjectedApi, injectedApi } from '../testing/inject-api.ts';

let api: InjectedApi;
beforeAll(async () => {
  api = await injectedApi();
});
beforeEach(() => {
  api.core.reset();
  api.log.length = 0;
});
afterAll(() => api.app.close());

const lockOf = (n: number, why: UnmatchedLock['why']): UnmatchedLock => ({
  network: QUORUM_A,
  asset: EUR,
  lockId: testWord(`lock ${n}`),
  depositor: `0x${'00'.repeat(12)}${'1b'.repeat(20)}` as UnmatchedLock['depositor'],
  amountMinor: 5n,
  transfer: { bank: WORLD.alpha, id: 'aaaaaaaa-0000-4000-8000-000000000001' as TransferId },
  why,
  state: 'UNMATCHED',
  refundsVoided: 0,
});
const act = (who: 'alpha' | 'operator', n: number, verb: string): Promise<LightMyRequestResponse> =>
  api.as(who, { method: 'POST', url: `/v1/locks/quorum-a/EUR/${testWord(`lock ${n}`)}:${verb}` });

test('a refund is asked for once; again it gets the same answer', async () => {
  api.core.locks.push(lockOf(1, 'amount'));
  const [first, again] = [await act('alpha', 1, 'refund'), await act('alpha', 1, 'refund')];
  expect([first.statusCode, first.json()]).toEqual([
    200,
    expect.objectContaining({ state: 'REFUNDING', depositor: `0x${'1b'.repeat(20)}`, amountMinor: '5' }),
  ]);
  expect(first.headers['x-ms-ccf-transaction-id']).toBe('2.11');
  expect([again.statusCode, again.body]).toEqual([200, first.body]);
});

test('an operator may refund, and sees nothing of it', async () => {
  api.core.locks.push(lockOf(1, 'amount'));
  expect((await act('operator', 1, 'refund')).json()).toEqual({
    network: 'quorum-a',
    asset: 'EUR',
    lockId: testWord('lock 1'),
    state: 'REFUNDING',
  });
});

test('a refund under way is cancelled once; again it gets the same answer, and a lock without refund is refused', async () => {
  api.core.locks.push(lockOf(1, 'amount'));
  expect((await act('alpha', 1, 'cancel-refund')).json()).toMatchObject({ status: 409, code: 'LOCK_NOT_CANCELLABLE' });
  await act('alpha', 1, 'refund');
  const [first, again] = [await act('operator', 1, 'cancel-refund'), await act('operator', 1, 'cancel-refund')];
  expect([first.statusCode, first.json()]).toEqual([200, expect.objectContaining({ state: 'VOIDING' })]);
  expect([again.statusCode, again.body]).toEqual([200, first.body]);
  expect((await act('alpha', 1, 'refund')).json()).toMatchObject({ status: 409, code: 'LOCK_NOT_REFUNDABLE' });
});

test('only what came late can be claimed', async () => {
  api.core.locks.push(lockOf(1, 'amount'), lockOf(2, 'late'));
  expect((await act('alpha', 1, 'claim')).json()).toMatchObject({ status: 409, code: 'LOCK_NOT_CLAIMABLE' });
  expect((await act('alpha', 2, 'claim')).json()).toMatchObject({ state: 'CLAIMED' });
  expect((await act('alpha', 2, 'claim')).statusCode).toBe(200);
  expect((await act('alpha', 2, 'refund')).json()).toMatchObject({ status: 409, code: 'LOCK_NOT_REFUNDABLE' });
});

test('pages of locks have each once, though the one at the border ends meanwhile', async () => {
  for (let n = 0; n < 25; n++) api.core.locks.push(lockOf(n, 'reference'));
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const url = `/v1/locks?limit=10${after === undefined ? '' : `&after=${encodeURIComponent(after)}`}`;
    const page = (await api.as('alpha', { method: 'GET', url })).json() as {
      locks: { lockId: string }[];
      next?: string;
    };
    seen.push(...page.locks.map(({ lockId }) => lockId));
    after = page.next;
    const border = api.core.locks.findIndex(({ lockId }) => lockId === page.locks.at(-1)?.lockId);
    api.core.locks.splice(border, 1);
  } while (after !== undefined);
  expect(new Set(seen).size).toBe(25);
  expect(seen).toHaveLength(25);
});

test('evidence is taken in the order given, at most 64 items', async () => {
  const items = Array.from({ length: 65 }, (_, n) => ({ jobId: `job-${n}`, sealed: 'c2VhbGVk' }));
  const send = (count: number): Promise<LightMyRequestResponse> =>
    api.as('relay', {
      method: 'POST',
      url: '/v1/relay/evidence',
      payload: { network: 'quorum-a', items: items.slice(0, count) },
    });
  expect((await send(65)).statusCode).toBe(400);
  const { results } = (await send(64)).json() as { results: { jobId: string; result: string }[] };
  expect(results.map(({ jobId }) => jobId)).toEqual(items.slice(0, 64).map(({ jobId }) => jobId));
  expect(api.core.evidence).toEqual(items.slice(0, 64));
});

test.each(['', 'not base64!', 'A'.repeat(MAX_SEALED_CHARS + 1)])(
  'a sealed body that is none is refused (%#)',
  async (sealed) => {
    const answer = await api.as('relay', {
      method: 'POST',
      url: '/v1/relay/evidence',
      payload: { network: 'quorum-a', items: [{ jobId: 'j', sealed }] },
    });
    expect(answer.statusCode).toBe(400);
  },
);

test('the outbox is read by cursor', async () => {
  const read = async (query: string): Promise<unknown> =>
    (await api.as('relay', { method: 'GET', url: `/v1/relay/outbox?network=quorum-a${query}` })).json();
  expect(await read('')).toEqual({
    items: [{ cursor: 1, jobId: 'job-quorum-a', sealed: 'c2VhbGVk', supersedes: [] }],
    next: 1,
  });
  expect(await read('&after=1')).toEqual({ items: [], next: 1 });
});

test('a cursor may be any whole number that JSON carries exactly, and no more', async () => {
  const status = async (after: number | bigint): Promise<number> =>
    (await api.as('relay', { method: 'GET', url: `/v1/relay/outbox?network=quorum-a&after=${after}` })).statusCode;
  expect(await status(Number.MAX_SAFE_INTEGER)).toBe(200);
  expect(await status(BigInt(Number.MAX_SAFE_INTEGER) + 1n)).toBe(400);
  expect(await status(9_999_999_999_999_999n)).toBe(400);
  expect(await status(10n ** 17n)).toBe(400);
});

test('a network that is not registered has no outbox and takes no evidence', async () => {
  expect((await api.as('relay', { method: 'GET', url: '/v1/relay/outbox?network=nowhere' })).statusCode).toBe(404);
  const payload = { network: 'nowhere', items: [{ jobId: 'j', sealed: 'c2VhbGVk' }] };
  expect((await api.as('relay', { method: 'POST', url: '/v1/relay/evidence', payload })).statusCode).toBe(404);
  expect(api.core.evidence).toEqual([]);
});
