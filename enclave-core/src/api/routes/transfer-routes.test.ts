import type { BatchResponse } from '@drawbridge/protocol/api/transfer';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { LightMyRequestResponse } from 'fastify';
import { VAULT_A, WORLD } from '../testing/fake-core.ts';
import { type InjectedApi, injectedApi } from '../testing/inject-api.ts';

const ID = '8a562c67-ca16-48ba-b074-65581be6f011';
const idOf = (n: number): string => `8a562c67-ca16-48ba-b074-${n.toString(16).padStart(12, '0')}`;
const DEPOSITOR = `0x${'Ab'.repeat(20)}`;
const PAYMENT = { id: ID, asset: 'EUR', amountMinor: '125', creditor: 'BETA' };
const FUNDED = {
  ...PAYMENT,
  source: { network: 'quorum-a', depositor: DEPOSITOR },
  destination: { network: 'quorum-b', beneficiary: `0x${'0c'.repeat(20)}` },
  fundBy: '2030-03-18T00:00:00Z',
  deliverBy: '2030-03-18T02:00:00.500+01:00',
};
const TRANSACTION = 'x-ms-ccf-transaction-id';

let api: InjectedApi;
beforeAll(async () => {
  api = await injectedApi();
});
beforeEach(() => {
  api.core.reset();
  api.log.length = 0;
});
afterAll(() => api.app.close());

const submit = (payload: object): Promise<LightMyRequestResponse> =>
  api.as('alpha', { method: 'POST', url: '/v1/transfers', payload });

describe('POST /v1/transfers', () => {
  test('a payment is settled when it is answered', async () => {
    const answer = await submit(PAYMENT);
    expect(answer.statusCode).toBe(201);
    expect(answer.headers[TRANSACTION]).toBe('2.11');
    expect(answer.json()).toMatchObject({
      id: ID,
      debtor: 'ALPHA',
      creditor: 'BETA',
      amountMinor: '125',
      state: 'SETTLED',
    });
  });

  test('one with a source is answered with the lock call to make', async () => {
    const answer = await submit(FUNDED);
    expect(answer.statusCode).toBe(201);
    expect(answer.json()).toMatchObject({
      state: 'AWAITING_FUNDS',
      source: { network: 'quorum-a', depositor: DEPOSITOR.toLowerCase() },
      fundBy: '2030-03-18T00:00:00.000Z',
      deliverBy: '2030-03-18T01:00:00.500Z',
      onVoid: 'return',
      lock: { network: 'quorum-a', vault: VAULT_A, amountMinor: '125', fundBy: '2030-03-18T00:00:00.000Z' },
    });
  });

  test('the same id and content get the same answer, whatever the spelling', async () => {
    const first = await submit(FUNDED);
    const again = await submit({
      ...FUNDED,
      onVoid: 'return',
      fundBy: '2030-03-18T01:00:00+01:00',
      source: { network: 'quorum-a', depositor: DEPOSITOR.toLowerCase() },
    });
    expect(again.statusCode).toBe(200);
    expect(again.body).toBe(first.body);
    expect(again.headers[TRANSACTION]).toBeDefined();
  });

  test.each([
    ['amount', { amountMinor: '126' }],
    ['creditor', { creditor: 'GAMMA' }],
    ['asset', { asset: 'USD' }],
    ['depositor', { source: { network: 'quorum-a', depositor: `0x${'0d'.repeat(20)}` } }],
    ['source network', { source: { network: 'quorum-b', depositor: DEPOSITOR } }],
    ['beneficiary', { destination: { network: 'quorum-b', beneficiary: DEPOSITOR } }],
    ['destination network', { destination: { network: 'quorum-a', beneficiary: `0x${'0c'.repeat(20)}` } }],
    ['fundBy', { fundBy: '2030-03-18T00:00:01Z' }],
    ['deliverBy', { deliverBy: '2030-03-18T02:00:01Z' }],
    ['onVoid', { onVoid: 'refund' }],
    ['remittance', { remittance: 'x' }],
  ])('the same id with another %s is a conflict', async (_what, change) => {
    await submit(FUNDED);
    const answer = await submit({ ...FUNDED, ...change });
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'TRANSFER_ID_CONFLICT']);
  });

  test('ids are scoped to the bank', async () => {
    await submit(PAYMENT);
    const answer = await api.as('gamma', { method: 'POST', url: '/v1/transfers', payload: PAYMENT });
    expect(answer.statusCode).toBe(201);
    expect((await api.as('gamma', { method: 'GET', url: `/v1/transfers/${ID}` })).json()).toMatchObject({
      debtor: 'GAMMA',
    });
  });

  test.each([
    ['ASSET_UNKNOWN', 422, 'ASSET_UNKNOWN'],
    ['PARTICIPANT_UNKNOWN', 422, 'PARTICIPANT_UNKNOWN'],
    ['PARTICIPANT_NOT_A_BANK', 422, 'PARTICIPANT_UNKNOWN'],
    ['AMOUNT_TOO_LARGE', 422, 'AMOUNT_INVALID'],
    ['TERMS_INVALID', 422, 'TERMS_INVALID'],
    ['DEADLINE_INVALID', 422, 'DEADLINE_INVALID'],
    ['NETWORK_UNKNOWN', 422, 'NETWORK_UNKNOWN'],
    ['VAULT_UNKNOWN', 422, 'VAULT_UNKNOWN'],
    ['LANE_CLOSED', 409, 'LANE_CLOSED'],
    ['LANE_HALTED', 409, 'LANE_HALTED'],
    ['LIMIT_REACHED', 429, 'LIMIT_REACHED'],
    ['EVENT_SEEN', 500, 'INTERNAL'],
  ] as const)('refused with %s: %i %s', async (refusal, status, code) => {
    api.core.refuseWith = refusal;
    const answer = await submit(PAYMENT);
    expect([answer.statusCode, answer.json().code, answer.json().status]).toEqual([status, code, status]);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.headers[TRANSACTION]).toBe('2.11');
  });

  test('a creditor that is no bank and one that is nobody are not told apart', async () => {
    const [auditor, nobody] = [
      await submit({ ...PAYMENT, creditor: 'AUDITOR' }),
      await submit({ ...PAYMENT, creditor: 'NOBODY' }),
    ];
    expect(auditor.body).toBe(nobody.body);
  });

  test.each([
    ['NOT_LEADER', 503, '1'],
    ['OVERLOADED', 503, '1'],
    ['STOPPING', 503, '1'],
    ['UNCERTAIN', 504, undefined],
  ] as const)('a core that answers %s: %i', async (code, status, retryAfter) => {
    api.core.failNext = code;
    const answer = await submit(PAYMENT);
    expect([answer.statusCode, answer.json().code, answer.headers['retry-after']]).toEqual([status, code, retryAfter]);
    expect(api.log).toEqual([]);
  });

  test('a bug is answered as such, and its message stays out of answer and log', async () => {
    api.core.failNext = new Error('amount 125 of ALPHA');
    const answer = await submit(PAYMENT);
    expect([answer.statusCode, answer.json().code]).toEqual([500, 'INTERNAL']);
    expect(JSON.stringify([answer.body, api.log])).not.toContain('125 of ALPHA');
    expect(api.log).toEqual([expect.objectContaining({ message: 'request failed' })]);
  });
});

describe('POST /v1/transfers:batch', () => {
  const send = async (transfers: unknown[]): Promise<BatchResponse> =>
    (await api.as('alpha', { method: 'POST', url: '/v1/transfers:batch', payload: { transfers } })).json();

  test('each item is answered in order as if it came alone, in one submit', async () => {
    await submit(PAYMENT);
    api.core.submits.length = 0;
    const { results } = await send([
      { ...PAYMENT, id: idOf(1) },
      { ...PAYMENT, amountMinor: '-1' },
      PAYMENT,
      { ...PAYMENT, amountMinor: '999' },
      { ...PAYMENT, id: idOf(1) },
      null,
      { ...PAYMENT, id: idOf(2), creditor: 'NOBODY' },
    ]);
    expect(results.map(({ status }) => status)).toEqual([201, 400, 200, 409, 200, 400, 422]);
    expect(results[1]?.problem?.errors).toEqual([
      { path: '/amountMinor', message: expect.stringContaining('positive whole number') },
    ]);
    expect(results[0]).toMatchObject({ transfer: { id: idOf(1), state: 'SETTLED' }, transactionId: '2.12' });
    expect(api.core.submits).toEqual([5]);
  });

  test('1,000 fit, 1,001 do not', async () => {
    const many = Array.from({ length: 1_001 }, (_, n) => ({ ...FUNDED, id: idOf(n), remittance: 'x'.repeat(140) }));
    expect((await send(many.slice(1))).results.every(({ status }) => status === 201)).toBe(true);
    const answer = await api.as('alpha', { method: 'POST', url: '/v1/transfers:batch', payload: { transfers: many } });
    expect([answer.statusCode, answer.json().errors]).toEqual([
      400,
      [{ path: '/transfers', message: 'must be a list of 1 to 1000 transfers' }],
    ]);
  });

  test('an empty batch is refused, one of malformed items proposes nothing', async () => {
    expect(
      (await api.as('alpha', { method: 'POST', url: '/v1/transfers:batch', payload: { transfers: [] } })).statusCode,
    ).toBe(400);
    const answer = await api.as('alpha', { method: 'POST', url: '/v1/transfers:batch', payload: { transfers: [1] } });
    expect([answer.statusCode, answer.headers[TRANSACTION]]).toEqual([200, undefined]);
    expect(api.core.submits).toEqual([]);
  });
});

describe('cancel', () => {
  const cancel = (): Promise<LightMyRequestResponse> =>
    api.as('alpha', { method: 'POST', url: `/v1/transfers/${ID}:cancel` });

  test('a waiting transfer is cancelled; asking again gets the same answer', async () => {
    await submit(FUNDED);
    const [first, again] = [await cancel(), await cancel()];
    expect([first.statusCode, first.json().state, first.headers[TRANSACTION]]).toEqual([200, 'CANCELLED', '2.12']);
    expect([again.statusCode, again.body]).toEqual([200, first.body]);
  });

  test('a settled one is not', async () => {
    await submit(PAYMENT);
    const answer = await cancel();
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'TRANSFER_NOT_CANCELLABLE']);
  });
});

test('an auditor of two banks with one id must say which', async () => {
  await submit(PAYMENT);
  await api.as('gamma', { method: 'POST', url: '/v1/transfers', payload: PAYMENT });
  const auditor = api.core.registered.findIndex(({ id }) => id === WORLD.auditor);
  const known = api.core.registered[auditor];
  if (known) api.core.registered[auditor] = { ...known, supervises: [WORLD.alpha, WORLD.gamma] };
  const ask = async (query: string): Promise<LightMyRequestResponse> =>
    api.as('auditor', { method: 'GET', url: `/v1/transfers/${ID}${query}` });
  expect((await ask('')).json()).toMatchObject({ code: 'TRANSFER_ID_AMBIGUOUS', errors: [{ path: '/bank' }] });
  expect((await ask('?bank=GAMMA')).json()).toMatchObject({ debtor: 'GAMMA' });
});
