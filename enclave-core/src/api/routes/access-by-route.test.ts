/** The rules of `access.ts` as they show over HTTP: every route for every role, and others' data for each route. */

import { type TransferId, vaultKey } from '@drawbridge/protocol/ids';
import type { Receipt } from '@drawbridge/protocol/ledger/receipt';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { deliveryId, refundId, voidId } from '../../settlement/ids.ts';
import type { Transfer } from '../../settlement/record.ts';
import { buildApi } from '../build-api.ts';
import { EUR, QUORUM_A, testWord, WORLD } from '../testing/fake-core.ts';
import { type InjectedApi, injectedApi } from '../testing/inject-api.ts';
import { testCertificate } from '../testing/test-certificates.ts';

const ID_AB = 'aaaaaaaa-0000-4000-8000-000000000001' as TransferId;
const ID_BC = 'aaaaaaaa-0000-4000-8000-000000000002' as TransferId;
const ID_NONE = 'aaaaaaaa-0000-4000-8000-00000000000f' as TransferId;
const LOCK_A = testWord('lock of alpha');
const LOCK_NONE = testWord('lock of nobody');

const transfer = (id: TransferId, debtor: Transfer['terms']['debtor'], creditor: typeof debtor): Transfer => ({
  terms: {
    id,
    asset: EUR,
    amountMinor: 100n,
    debtor,
    creditor,
    source: { network: QUORUM_A, depositor: testWord('depositor') },
    fundByMs: 1_900_000_600_000,
    onVoid: 'return',
  },
  state: 'AWAITING_FUNDS',
  createdMs: 1,
  updatedMs: 1,
  reference: testWord(`reference ${id}`),
  instructions: [],
});

let api: InjectedApi;
beforeAll(async () => {
  api = await injectedApi();
  api.core.put(transfer(ID_AB, WORLD.alpha, WORLD.beta));
  api.core.put(transfer(ID_BC, WORLD.beta, WORLD.gamma));
  for (const participant of [WORLD.alpha, WORLD.gamma]) {
    api.core.balances.set(participant, { participant, asset: EUR, postedMinor: 10n, pendingMinor: 0n, lines: 0 });
  }
  for (const [lockId, bank] of [
    [LOCK_A, WORLD.alpha],
    [testWord('lock of gamma'), WORLD.gamma],
  ] as const) {
    api.core.locks.push({
      network: QUORUM_A,
      asset: EUR,
      lockId,
      depositor: testWord('depositor'),
      amountMinor: 5n,
      transfer: { bank, id: ID_AB },
      why: 'late',
      state: 'UNMATCHED',
      refundsVoided: 0,
    });
  }
});
afterAll(() => api.app.close());

type Who = keyof typeof WORLD;
const ALL: readonly Who[] = ['alpha', 'beta', 'auditor', 'connector', 'observer', 'relay', 'operator'];
const get = (url: string): InjectOptions => ({ method: 'GET', url });
const post = (url: string, payload?: object): InjectOptions => ({ method: 'POST', url, ...(payload && { payload }) });
const BODY = { id: ID_NONE, asset: 'EUR', amountMinor: '1', creditor: 'BETA' };
const EVIDENCE = { network: 'quorum-a', items: [{ jobId: 'j', sealed: 'c2VhbGVk' }] };

/** Which of `ALL` may use a route at all; every other gets 403. */
const ROUTES: readonly (readonly [string, InjectOptions, readonly Who[]])[] = [
  ['me', get('/v1/participant'), ALL],
  ['assets', get('/v1/assets'), ALL],
  ['networks', get('/v1/networks'), ALL],
  ['accounts', get('/v1/accounts'), ['alpha', 'beta', 'auditor']],
  ['account', get('/v1/accounts/EUR'), ['alpha', 'beta', 'auditor']],
  ['statement', get('/v1/accounts/EUR/statement'), ['alpha', 'beta', 'auditor']],
  ['batch', post('/v1/transfers:batch', { transfers: [{}] }), ['alpha', 'beta']],
  ['submit', post('/v1/transfers', { ...BODY, amountMinor: '0' }), ['alpha', 'beta']],
  ['transfer', get(`/v1/transfers/${ID_AB}`), ['alpha', 'beta', 'auditor']],
  ['transfers', get('/v1/transfers'), ['alpha', 'beta', 'auditor']],
  ['cancel', post(`/v1/transfers/${ID_NONE}:cancel`), ['alpha', 'beta']],
  ['events', get('/v1/events'), ['alpha', 'beta', 'auditor']],
  ['receipt of an event', get('/v1/events/1/receipt'), ['alpha', 'beta', 'auditor']],
  ['receipts of events', get('/v1/events/receipts'), ['alpha', 'beta', 'auditor']],
  ['receipt of a transfer', get(`/v1/transfers/${ID_AB}/receipt`), ['alpha', 'beta', 'auditor']],
  ['locks', get('/v1/locks'), ['alpha', 'beta', 'auditor', 'operator']],
  ['refund', post(`/v1/locks/quorum-a/EUR/${LOCK_NONE}:refund`), ['alpha', 'beta', 'operator']],
  ['cancel of a refund', post(`/v1/locks/quorum-a/EUR/${LOCK_NONE}:cancel-refund`), ['alpha', 'beta', 'operator']],
  ['claim', post(`/v1/locks/quorum-a/EUR/${LOCK_NONE}:claim`), ['alpha', 'beta']],
  ['outbox', get('/v1/relay/outbox?network=quorum-a'), ['relay']],
  ['evidence', post('/v1/relay/evidence', EVIDENCE), ['relay']],
  ['cursor', get('/v1/relay/cursor?network=quorum-a'), ['relay', 'connector']],
  ['states', get('/v1/relay/states?network=quorum-a&asset=EUR'), ['connector']],
  ['sealing key', get('/v1/relay/sealing-key'), ['relay', 'connector']],
];

describe.each(ROUTES)('%s', (_name, request, allowed) => {
  test.each(ALL.map((who) => [who, allowed.includes(who)] as const))('%s: %s', async (who, may) => {
    const { statusCode } = await api.as(who, request);
    if (may) expect([200, 400, 404]).toContain(statusCode);
    else expect(statusCode).toBe(403);
  });

  test('nobody without a registered certificate', async () => {
    for (const who of [undefined, 'stranger'] as const) expect((await api.as(who, request)).statusCode).toBe(401);
  });
});

test('the table above has every route that is not public', () => {
  const document = api.app.swagger() as { paths: Record<string, Record<string, { security?: unknown[] }>> };
  const guarded = Object.values(document.paths).flatMap((path) =>
    Object.values(path).filter((operation) => operation.security === undefined),
  );
  expect(guarded).toHaveLength(ROUTES.length);
});

/** All but the time, which is of the answer and not of the thing. */
function bytesOf(response: LightMyRequestResponse): unknown {
  const { date: _date, ...headers } = response.headers;
  return { status: response.statusCode, headers, raw: response.rawPayload.toString('hex') };
}

const NOWHERE = 'NOWHERE';
/** A question about another's data, and the same about nothing. */
const OTHERS: readonly (readonly [string, Who, InjectOptions, InjectOptions])[] = [
  [
    'accounts of another bank',
    'alpha',
    get('/v1/accounts?participant=GAMMA'),
    get(`/v1/accounts?participant=${NOWHERE}`),
  ],
  [
    'accounts of an unsupervised bank',
    'auditor',
    get('/v1/accounts?participant=GAMMA'),
    get(`/v1/accounts?participant=${NOWHERE}`),
  ],
  ['an account of another bank', 'alpha', get('/v1/accounts/EUR?participant=GAMMA'), get('/v1/accounts/XXX')],
  [
    'an account of an unsupervised bank',
    'auditor',
    get('/v1/accounts/EUR?participant=GAMMA'),
    get('/v1/accounts/XXX?participant=ALPHA'),
  ],
  [
    'a statement of another bank',
    'alpha',
    get('/v1/accounts/EUR/statement?participant=GAMMA'),
    get('/v1/accounts/XXX/statement'),
  ],
  [
    'a statement of an unsupervised bank',
    'auditor',
    get('/v1/accounts/EUR/statement?participant=GAMMA'),
    get(`/v1/accounts/EUR/statement?participant=${NOWHERE}`),
  ],
  [
    'a transfer between others',
    'alpha',
    get(`/v1/transfers/${ID_BC}?bank=BETA`),
    get(`/v1/transfers/${ID_NONE}?bank=BETA`),
  ],
  [
    'a transfer between unsupervised banks',
    'auditor',
    get(`/v1/transfers/${ID_BC}?bank=BETA`),
    get(`/v1/transfers/${ID_NONE}`),
  ],
  [
    'transfers of another bank',
    'alpha',
    get('/v1/transfers?participant=GAMMA'),
    get(`/v1/transfers?participant=${NOWHERE}`),
  ],
  [
    'transfers of an unsupervised bank',
    'auditor',
    get('/v1/transfers?participant=GAMMA'),
    get(`/v1/transfers?participant=${NOWHERE}`),
  ],
  [
    'cancelling the transfer of another bank',
    'beta',
    post(`/v1/transfers/${ID_AB}:cancel`),
    post(`/v1/transfers/${ID_NONE}:cancel`),
  ],
  ['events of another bank', 'alpha', get('/v1/events?participant=BETA'), get(`/v1/events?participant=${NOWHERE}`)],
  [
    'events of an unsupervised bank',
    'auditor',
    get('/v1/events?participant=BETA'),
    get(`/v1/events?participant=${NOWHERE}`),
  ],
  [
    'the receipt of an event of another bank',
    'alpha',
    get('/v1/events/1/receipt?participant=BETA'),
    get('/v1/events/99/receipt'),
  ],
  [
    'the receipt of an event of an unsupervised bank',
    'auditor',
    get('/v1/events/1/receipt?participant=BETA'),
    get('/v1/events/99/receipt?participant=ALPHA'),
  ],
  [
    'receipts of events of an unsupervised bank',
    'auditor',
    get('/v1/events/receipts?participant=BETA'),
    get(`/v1/events/receipts?participant=${NOWHERE}`),
  ],
  [
    'the receipt of a transfer between others',
    'alpha',
    get(`/v1/transfers/${ID_BC}/receipt?bank=BETA`),
    get(`/v1/transfers/${ID_NONE}/receipt?bank=BETA`),
  ],
  [
    'the receipt of a transfer between unsupervised banks',
    'auditor',
    get(`/v1/transfers/${ID_BC}/receipt?bank=BETA`),
    get(`/v1/transfers/${ID_NONE}/receipt`),
  ],
  [
    'refunding the lock of another bank',
    'beta',
    post(`/v1/locks/quorum-a/EUR/${LOCK_A}:refund`),
    post(`/v1/locks/quorum-a/EUR/${LOCK_NONE}:refund`),
  ],
  [
    'cancelling the refund of the lock of another bank',
    'beta',
    post(`/v1/locks/quorum-a/EUR/${LOCK_A}:cancel-refund`),
    post(`/v1/locks/quorum-a/EUR/${LOCK_NONE}:cancel-refund`),
  ],
  [
    'claiming the lock of another bank',
    'beta',
    post(`/v1/locks/quorum-a/EUR/${LOCK_A}:claim`),
    post(`/v1/locks/quorum-a/EUR/${LOCK_NONE}:claim`),
  ],
  [
    'the cursor of a network of others',
    'connector',
    get('/v1/relay/cursor?network=quorum-b'),
    get('/v1/relay/cursor?network=quorum-z'),
  ],
  [
    'the states of a vault of others',
    'connector',
    get('/v1/relay/states?network=quorum-b&asset=EUR'),
    get('/v1/relay/states?network=quorum-z&asset=EUR'),
  ],
];

test.each(OTHERS)('%s answers as nothing does, byte for byte', async (_name, who, others, nothing) => {
  const [forOthers, forNothing] = [await api.as(who, others), await api.as(who, nothing)];
  expect(forOthers.statusCode).toBe(404);
  expect(bytesOf(forOthers)).toEqual(bytesOf(forNothing));
});

test('what others asked for changed nothing', () => {
  expect(api.core.live.size).toBe(2);
  expect(api.core.locks.map(({ state }) => state)).toEqual(['UNMATCHED', 'UNMATCHED']);
});

describe('whose receipt a caller gets', () => {
  const claimOf = async (who: Who, query: string): Promise<object> => {
    const { claims_proof } = (await api.as(who, get(`/v1/transfers/${ID_AB}/receipt${query}`))).json() as Receipt;
    return JSON.parse(claims_proof?.claim ?? '{}') as object;
  };

  test('each bank that of what itself was told, the auditor that of the bank that it supervises', async () => {
    expect(await claimOf('alpha', '')).toMatchObject({ participant: 'ALPHA', id: ID_AB });
    expect(await claimOf('beta', '?bank=ALPHA')).toMatchObject({ participant: 'BETA', id: ID_AB });
    expect(await claimOf('auditor', '')).toMatchObject({ participant: 'ALPHA', id: ID_AB });
    expect((await api.as('beta', get(`/v1/transfers/${ID_AB}/receipt`))).statusCode).toBe(404);
  });
});

describe('what a party sees', () => {
  const read = async (who: Who, query: string): Promise<Record<string, unknown>> =>
    (await api.as(who, get(`/v1/transfers/${query}`))).json();

  test('the debtor and its auditor see the lock to make', async () => {
    for (const body of [
      await read('alpha', ID_AB),
      await read('auditor', ID_AB),
      await read('auditor', `${ID_AB}?bank=ALPHA`),
    ]) {
      expect(body).toMatchObject({
        id: ID_AB,
        source: { network: 'quorum-a' },
        lock: { network: 'quorum-a', amountMinor: '100', reference: testWord(`reference ${ID_AB}`) },
      });
    }
  });

  test('the creditor names the bank, and sees nothing that links the deposit', async () => {
    expect((await api.as('beta', get(`/v1/transfers/${ID_AB}`))).statusCode).toBe(404);
    const body = await read('beta', `${ID_AB}?bank=ALPHA`);
    expect(body).toMatchObject({ id: ID_AB, debtor: 'ALPHA', amountMinor: '100' });
    for (const hidden of ['lock', 'source', 'lockId', 'reference']) expect(body).not.toHaveProperty(hidden);
    const { transfers } = (await api.as('beta', get('/v1/transfers'))).json() as { transfers: { id: string }[] };
    expect(transfers.find(({ id }) => id === ID_AB)).not.toHaveProperty('lock');
    expect(transfers.find(({ id }) => id === ID_BC)).toHaveProperty('lock');
  });

  test('the creditor sees the instructions at the destination, and no refund, which its chain links to the lock', async () => {
    const id = 'aaaaaaaa-0000-4000-8000-000000000003' as TransferId;
    const { idKey } = api.core.view.secrets;
    const delivery = deliveryId(idKey, WORLD.alpha, id);
    const back = refundId(idKey, vaultKey(QUORUM_A, EUR), testWord('the lock'));
    const instructions = [delivery, voidId(idKey, delivery), back, voidId(idKey, back)];
    api.core.put({ ...transfer(id, WORLD.alpha, WORLD.beta), state: 'REFUNDING', instructions });
    expect(await read('alpha', id)).toMatchObject({ instructions });
    expect(await read('beta', `${id}?bank=ALPHA`)).toMatchObject({ instructions: instructions.slice(0, 2) });
  });

  test('auditors get the accounts of their banks and no others', async () => {
    const { accounts } = (await api.as('auditor', get('/v1/accounts'))).json() as {
      accounts: { participant: string }[];
    };
    expect(accounts.map(({ participant }) => participant)).toEqual(['ALPHA']);
  });

  test('locks: the bank its own in full, the auditor those of its banks, operators all and bare', async () => {
    const list = async (who: Who): Promise<Record<string, unknown>[]> =>
      ((await api.as(who, get('/v1/locks'))).json() as { locks: Record<string, unknown>[] }).locks;
    expect(await list('alpha')).toEqual([expect.objectContaining({ lockId: LOCK_A, amountMinor: '5', why: 'late' })]);
    expect(await list('auditor')).toEqual(await list('alpha'));
    expect(await list('beta')).toEqual([]);
    const bare = await list('operator');
    expect(bare).toHaveLength(2);
    for (const lock of bare) expect(Object.keys(lock).sort()).toEqual(['asset', 'lockId', 'network', 'state']);
  });
});

test('a change of the registration counts for the next request', async () => {
  const bank = api.core.registered.find(({ id }) => id === WORLD.gamma);
  expect((await api.as('gamma', get('/v1/accounts'))).statusCode).toBe(200);
  api.core.registered.splice(
    api.core.registered.findIndex(({ id }) => id === WORLD.gamma),
    1,
  );
  expect((await api.as('gamma', get('/v1/accounts'))).statusCode).toBe(401);
  if (bank) api.core.registered.push(bank);
});

test('a route without an access rule does not start', async () => {
  const app = buildApi(api.core, {
    tls: await testCertificate('node'),
    logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  expect(() => app.get('/v1/new', async () => 'secret')).toThrow('no access rule');
  await app.close();
});
