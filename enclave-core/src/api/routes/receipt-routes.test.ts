import { type EventReceiptPage, wholeReceipt } from '@drawbridge/protocol/api/receipt';
import type { BatchResponse } from '@drawbridge/protocol/api/transfer';
import type { TransferId } from '@drawbridge/protocol/ids';
import type { Receipt } from '@drawbridge/protocol/ledger/receipt';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { LightMyRequestResponse } from 'fastify';
import type { UnmatchedLock } from '../../settlement/view.ts';
import { EUR, QUORUM_A, testWord, WORLD } from '../testing/fake-core.ts';
import { type InjectedApi, injectedApi } from '../testing/inject-api.ts';

const idOf = (n: number): string => `8a562c67-ca16-48ba-b074-${n.toString(16).padStart(12, '0')}`;
const payment = (n: number) => ({ id: idOf(n), asset: 'EUR', amountMinor: '125', creditor: 'BETA' });
const funded = (n: number) => ({
  ...payment(n),
  source: { network: 'quorum-a', depositor: `0x${'ab'.repeat(20)}` },
  fundBy: '2030-03-18T00:00:00Z',
});

let api: InjectedApi;
beforeAll(async () => {
  api = await injectedApi({ receiptsAtOnce: 3 });
});
beforeEach(() => {
  api.core.reset();
  api.log.length = 0;
});
afterAll(() => api.app.close());

type Who = keyof typeof WORLD;
const post = (url: string, payload?: object, who: Who = 'alpha'): Promise<LightMyRequestResponse> =>
  api.as(who, { method: 'POST', url, ...(payload && { payload }) });
const get = (url: string, who: Who = 'alpha'): Promise<LightMyRequestResponse> => api.as(who, { method: 'GET', url });
const claimOf = ({ claims_proof }: Receipt): Record<string, unknown> =>
  JSON.parse(claims_proof?.claim ?? 'null') as Record<string, unknown>;

describe('the receipt in the answer to a write', () => {
  test('comes when it is asked for, of the own event in that entry', async () => {
    const { receipt } = (await post('/v1/transfers?receipt=true', payment(1))).json() as { receipt: Receipt };
    expect(receipt.transaction_id).toBe('2.11');
    expect(claimOf(receipt)).toMatchObject({ participant: 'ALPHA', id: idOf(1), state: 'SETTLED' });
    for (const url of ['/v1/transfers', '/v1/transfers?receipt=false']) {
      expect((await post(url, payment(2))).json()).not.toHaveProperty('receipt');
    }
  });

  test('of a repeated request is that of the entry that took effect', async () => {
    await post('/v1/transfers', payment(1));
    const again = await post('/v1/transfers?receipt=true', payment(1));
    expect([again.statusCode, again.headers['x-ms-ccf-transaction-id']]).toEqual([200, '2.12']);
    expect(again.json().receipt.transaction_id).toBe('2.11');
  });

  test('of a cancellation, first and asked again', async () => {
    await post('/v1/transfers', funded(1));
    const [first, again] = [
      await post(`/v1/transfers/${idOf(1)}:cancel?receipt=true`),
      await post(`/v1/transfers/${idOf(1)}:cancel?receipt=true`),
    ];
    expect(claimOf(first.json().receipt)).toMatchObject({ state: 'CANCELLED' });
    expect(first.json().receipt.transaction_id).toBe('2.12');
    expect(again.json()).toEqual(first.json());
  });

  test.each(['NOT_LEADER', 'STOPPING', 'absent'] as const)(
    'that cannot be had (%s): nothing says that the write did not happen, and asking again gets it',
    async (why) => {
      api.core.receipts.fail = why;
      const answer = await post('/v1/transfers?receipt=true', payment(1));
      expect([answer.statusCode, answer.json().code, answer.headers['retry-after']]).toEqual([
        503,
        'RECEIPT_PENDING',
        '1',
      ]);
      expect(answer.headers['x-ms-ccf-transaction-id']).toBe('2.11');
      api.core.receipts.fail = undefined;
      const again = await post('/v1/transfers?receipt=true', payment(1));
      expect([again.statusCode, again.json().receipt.transaction_id]).toEqual([200, '2.11']);
    },
  );

  test('a refused write has none', async () => {
    const answer = await post('/v1/transfers?receipt=true', { ...payment(1), creditor: 'NOBODY' });
    expect([answer.statusCode, answer.json().code]).toEqual([422, 'PARTICIPANT_UNKNOWN']);
    expect(api.core.receipts.mostWaiting).toBe(0);
  });

  test('anything but true and false is refused', async () => {
    for (const query of ['receipt=yes', 'reciept=true']) {
      expect((await post(`/v1/transfers?${query}`, payment(1))).statusCode).toBe(400);
    }
    expect(api.core.submits).toEqual([]);
  });

  test('a write that took effect does not look failed, whatever keeps its receipt from being made', async () => {
    class LedgerDamagedError extends Error {
      override readonly name = 'LedgerDamagedError';
      readonly code = 'LEDGER_DAMAGED';
    }
    api.core.receipts.transfer = (_to, _bank, id) =>
      id === idOf(1) ? Promise.reject(new LedgerDamagedError('amount 125 of ALPHA')) : Promise.resolve(undefined);
    const answer = await post('/v1/transfers?receipt=true', payment(1));
    expect([answer.statusCode, answer.json().code]).toEqual([503, 'RECEIPT_PENDING']);
    const batch = await post('/v1/transfers:batch?receipt=true', { transfers: [payment(1), payment(2)] });
    expect(batch.json().results).toMatchObject([{ status: 200 }, { status: 201 }]);
    Reflect.deleteProperty(api.core.receipts, 'transfer');
    const said = JSON.stringify(api.log);
    expect(said).toContain('{"name":"LedgerDamagedError","code":"LEDGER_DAMAGED"}');
    expect(said).not.toContain('125 of ALPHA');
  });
});

describe('receipts of a batch', () => {
  const send = async (transfers: unknown[]): Promise<BatchResponse> =>
    (await post('/v1/transfers:batch?receipt=true', { transfers })).json() as BatchResponse;

  test('each accepted item has its own proof, what they share stands once', async () => {
    await post('/v1/transfers', payment(9));
    const { results, receipts = [] } = await send([
      payment(1),
      { ...payment(2), creditor: 'NOBODY' },
      null,
      payment(9),
      ...Array.from({ length: 20 }, (_, n) => payment(20 + n)),
    ]);
    expect(results.map(({ proof }) => proof !== undefined)).toEqual(
      results.map(({ transfer }) => transfer !== undefined),
    );
    expect(receipts.map(({ transaction_id }) => transaction_id)).toEqual(['2.12', '2.11']);
    for (const receipt of receipts) expect(receipt).not.toHaveProperty('claims_proof');
    for (const { proof, transfer } of results) {
      if (!proof || !transfer) continue;
      const whole = wholeReceipt(receipts, proof);
      expect(claimOf(whole)).toMatchObject({ id: transfer.id, participant: 'ALPHA' });
      expect(whole).toEqual((await get(`/v1/transfers/${transfer.id}/receipt`)).json());
    }
    expect(api.core.receipts.mostWaiting).toBe(3);
  });

  test('items whose proof cannot be had are accepted all the same', async () => {
    api.core.receipts.fail = 'NOT_LEADER';
    const { results, receipts } = await send([payment(1), payment(2)]);
    expect(results.map(({ status, proof }) => [status, proof])).toEqual([
      [201, undefined],
      [201, undefined],
    ]);
    expect(receipts).toEqual([]);
  });

  test('without asking there are none', async () => {
    const answer = (await post('/v1/transfers:batch', { transfers: [payment(1)] })).json();
    expect(answer).not.toHaveProperty('receipts');
    expect(answer.results[0]).not.toHaveProperty('proof');
  });
});

describe('receipts of locks', () => {
  const lock = (seed: string): UnmatchedLock => ({
    network: QUORUM_A,
    asset: EUR,
    lockId: testWord(seed),
    depositor: testWord('depositor'),
    amountMinor: 5n,
    transfer: { bank: WORLD.alpha, id: idOf(1) as TransferId },
    why: 'late',
    state: 'UNMATCHED',
    refundsVoided: 0,
  });
  const claim = (seed: string, who: Who, verb: string): Promise<LightMyRequestResponse> =>
    post(`/v1/locks/quorum-a/EUR/${testWord(seed)}:${verb}?receipt=true`, undefined, who);

  test('for the bank that of its own event, also when it asks again', async () => {
    api.core.locks.push(lock('one'), lock('two'));
    const first = await claim('one', 'alpha', 'claim');
    expect(claimOf(first.json().receipt)).toMatchObject({ type: 'lock', lockId: testWord('one'), state: 'CLAIMED' });
    await claim('two', 'alpha', 'refund');
    expect((await claim('one', 'alpha', 'claim')).json()).toEqual(first.json());
  });

  test('for an operator, who has no events, that of the entry', async () => {
    api.core.locks.push(lock('one'));
    const { receipt } = (await claim('one', 'operator', 'refund')).json() as { receipt: Receipt };
    expect(receipt.transaction_id).toBe('2.11');
    expect(receipt).not.toHaveProperty('claims_proof');
  });

  test('that cannot be had', async () => {
    api.core.locks.push(lock('one'));
    api.core.receipts.fail = 'absent';
    expect((await claim('one', 'alpha', 'claim')).json().code).toBe('RECEIPT_PENDING');
  });
});

describe('receipts of what was told', () => {
  test('one event, of the caller or of a supervised bank', async () => {
    await post('/v1/transfers', payment(1));
    const receipt = (await get('/v1/events/1/receipt')).json() as Receipt;
    expect(claimOf(receipt)).toMatchObject({ participant: 'ALPHA', number: 1 });
    expect((await get('/v1/events/1/receipt?participant=ALPHA', 'auditor')).json()).toEqual(receipt);
    expect((await get('/v1/events/1/receipt', 'auditor')).json().errors).toEqual([
      { path: '/participant', message: expect.any(String) },
    ]);
    for (const number of ['2', '0', '01', 'x']) {
      expect([400, 404]).toContain((await get(`/v1/events/${number}/receipt`)).statusCode);
    }
  });

  test('all events, page by page, as many at once as is set', async () => {
    await post('/v1/transfers:batch', { transfers: Array.from({ length: 7 }, (_, n) => payment(n)) });
    await post('/v1/transfers', payment(8));
    const first = (await get('/v1/events/receipts?limit=5')).json() as EventReceiptPage;
    expect(first).toMatchObject({ participant: 'ALPHA', next: 5, last: 8 });
    expect(first.receipts).toHaveLength(1);
    const second = (await get('/v1/events/receipts?after=5')).json() as EventReceiptPage;
    expect(second.events.map(({ number }) => number)).toEqual([6, 7, 8]);
    expect(second.receipts.map(({ transaction_id }) => transaction_id)).toEqual(['2.11', '2.12']);
    expect(second).not.toHaveProperty('next');
    for (const event of second.events) {
      const whole = wholeReceipt(second.receipts, event);
      expect(whole).toEqual((await get(`/v1/events/${event.number}/receipt`)).json());
    }
    expect((await get('/v1/events/receipts?after=8')).json()).toMatchObject({ events: [], receipts: [], last: 8 });
    expect((await get('/v1/events/receipts?limit=101')).statusCode).toBe(400);
    expect(api.core.receipts.mostWaiting).toBe(3);
  });

  test.each(['absent', 'NOT_LEADER'] as const)('that this node cannot show now (%s)', async (fail) => {
    await post('/v1/transfers', payment(1));
    api.core.receipts.fail = fail;
    for (const url of ['/v1/events/1/receipt', '/v1/events/receipts', `/v1/transfers/${idOf(1)}/receipt`]) {
      const answer = await get(url);
      expect([answer.statusCode, answer.json().code]).toEqual([503, 'RECEIPT_PENDING']);
    }
  });
});
