/** Reads on a node that is behind: what they wait for, what they see then, and what their answers name. */
import type { TransferId } from '@drawbridge/protocol/ids';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { EUR, testWord, WORLD } from '../testing/fake-core.ts';
import { type InjectedApi, injectedApi } from '../testing/inject-api.ts';

const TRANSACTION = 'x-ms-ccf-transaction-id';
const ID = '8a562c67-ca16-48ba-b074-65581be6f011' as TransferId;
const PAYMENT = { id: ID, asset: 'EUR', amountMinor: '125', creditor: 'BETA' };

let api: InjectedApi;
beforeAll(async () => {
  api = await injectedApi();
});
beforeEach(() => api.core.reset());
afterAll(() => api.app.close());

const read = (url: string, who: keyof typeof WORLD = 'alpha'): Promise<LightMyRequestResponse> =>
  api.as(who, { method: 'GET', url });
const settled = (): void =>
  api.core.put({
    terms: { id: ID, asset: EUR, amountMinor: 1n, debtor: WORLD.alpha, creditor: WORLD.beta, onVoid: 'return' },
    state: 'SETTLED',
    createdMs: 1,
    updatedMs: 1,
    instructions: [],
  });

/** Every route under /v1, with somebody who may use it. */
const READS: readonly (readonly [string, keyof typeof WORLD])[] = [
  ['/v1/participant', 'alpha'],
  ['/v1/assets', 'alpha'],
  ['/v1/networks', 'alpha'],
  ['/v1/accounts', 'alpha'],
  ['/v1/accounts/EUR', 'alpha'],
  ['/v1/accounts/EUR/statement', 'alpha'],
  ['/v1/transfers', 'alpha'],
  [`/v1/transfers/${ID}`, 'alpha'],
  [`/v1/transfers/${ID}/receipt`, 'alpha'],
  ['/v1/events', 'alpha'],
  ['/v1/events/receipts', 'alpha'],
  ['/v1/events/1/receipt', 'alpha'],
  ['/v1/locks', 'alpha'],
  ['/v1/relay/outbox?network=quorum-a', 'relay'],
  ['/v1/relay/cursor?network=quorum-a', 'relay'],
  ['/v1/relay/states?network=quorum-a&asset=EUR', 'connector'],
  ['/v1/relay/sealing-key', 'relay'],
];

describe.each(READS)('GET %s', (url, who) => {
  test('waits once for what others committed, and names what it can have seen', async () => {
    settled();
    const answer = await read(url, who);
    expect([answer.statusCode, api.core.barriers, answer.headers[TRANSACTION]]).toEqual([200, 1, '2.10']);
  });

  test.each(['NOT_LEADER', 'STOPPING'] as const)('cannot be answered by a node that says %s', async (code) => {
    api.core.cutOff = code;
    const answer = await read(url, who);
    expect([answer.statusCode, answer.json().code, answer.headers['retry-after']]).toEqual([503, code, '1']);
    expect(answer.headers).not.toHaveProperty(TRANSACTION);
  });
});

test('the list above has every GET that is not public', () => {
  const { paths } = api.app.swagger() as { paths: Record<string, { get?: { security?: unknown[] } }> };
  const guarded = Object.values(paths).filter(({ get }) => get && get.security === undefined);
  expect(guarded).toHaveLength(READS.length);
});

test('what another node committed meanwhile is read, and named', async () => {
  api.core.onBarrier = () => {
    void api.core.submit([]);
    settled();
  };
  const answer = await read(`/v1/transfers/${ID}`);
  expect([answer.statusCode, answer.json().state, answer.headers[TRANSACTION]]).toEqual([200, 'SETTLED', '2.11']);
});

test('what is not there is said as of a transaction too', async () => {
  const answer = await read(`/v1/transfers/${ID}`);
  expect([answer.statusCode, answer.headers[TRANSACTION]]).toEqual([404, '2.10']);
});

test('a registration that was taken away at another node does not read here', async () => {
  const place = api.core.registered.findIndex(({ id }) => id === WORLD.alpha);
  const removed = api.core.registered[place];
  api.core.onBarrier = () => api.core.registered.splice(place, 1);
  const answer = await read('/v1/accounts');
  expect([answer.statusCode, answer.json().code]).toEqual([401, 'CERTIFICATE_UNKNOWN']);
  if (removed) api.core.registered.splice(place, 0, { ...removed, role: 'operator' });
  expect((await read('/v1/accounts')).statusCode).toBe(403);
  if (removed) api.core.registered[place] = removed;
});

test('nobody waits who may not read or asks what has no form', async () => {
  expect((await api.as(undefined, { method: 'GET', url: '/v1/accounts' })).statusCode).toBe(401);
  expect((await read('/v1/accounts', 'operator')).statusCode).toBe(403);
  const malformed = await read('/v1/accounts/EUR/statement?limit=0');
  expect([malformed.statusCode, malformed.headers[TRANSACTION]]).toEqual([400, undefined]);
  expect(api.core.barriers).toBe(0);
});

describe('writes', () => {
  const post = (url: string, payload?: object, who: keyof typeof WORLD = 'alpha'): Promise<LightMyRequestResponse> =>
    api.as(who, { method: 'POST', url, ...(payload && { payload }) } as InjectOptions);

  test('are ordered by the leader and wait for nothing else', async () => {
    expect((await post('/v1/transfers', PAYMENT)).headers[TRANSACTION]).toBe('2.11');
    expect((await post('/v1/transfers:batch', { transfers: [PAYMENT] })).headers[TRANSACTION]).toBe('2.12');
    expect((await post(`/v1/transfers/${ID}:cancel`)).headers[TRANSACTION]).toBe('2.13');
    const evidence = { network: 'quorum-a', items: [{ jobId: 'j', sealed: 'c2VhbGVk' }] };
    expect((await post('/v1/relay/evidence', evidence, 'relay')).headers[TRANSACTION]).toBe('2.13');
    expect(api.core.barriers).toBe(0);
  });

  test('of locks look at the newest lock first', async () => {
    const lockId = testWord('a lock');
    api.core.onBarrier = () =>
      api.core.locks.push({
        network: api.core.networks[0]?.id ?? ('' as never),
        asset: EUR,
        lockId,
        depositor: testWord('depositor'),
        amountMinor: 5n,
        transfer: { bank: WORLD.alpha, id: ID },
        why: 'late',
        state: 'UNMATCHED',
        refundsVoided: 0,
      });
    const answer = await post(`/v1/locks/quorum-a/EUR/${lockId}:claim`);
    expect([answer.statusCode, answer.headers[TRANSACTION]]).toEqual([200, '2.11']);
    const unknown = await post(`/v1/locks/quorum-a/EUR/${testWord('none')}:claim`);
    expect([unknown.statusCode, unknown.headers[TRANSACTION], api.core.barriers]).toEqual([404, '2.11', 2]);
  });
});
