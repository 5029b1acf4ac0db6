/** Whatever goes wrong, the answer is a problem document, says what would be right and repeats nothing that was sent. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { InjectOptions } from 'fastify';
import { type InjectedApi, injectedApi } from '../testing/inject-api.ts';

const GOOD = { id: '8a562c67-ca16-48ba-b074-65581be6f011', asset: 'EUR', amountMinor: '1', creditor: 'BETA' };
const SECRET = 'SECRET-42';

let api: InjectedApi;
beforeAll(async () => {
  api = await injectedApi();
});
afterAll(() => api.app.close());

test.each([
  ['id', { id: SECRET }, 'a UUID in lower case'],
  ['id', { id: GOOD.id.toUpperCase() }, 'a UUID in lower case'],
  ['asset', { asset: `${SECRET}!` }, 'an asset code'],
  ['amountMinor', { amountMinor: 1 }, 'decimal string'],
  ['amountMinor', { amountMinor: '01' }, 'decimal string'],
  ['amountMinor', { amountMinor: '1.5' }, 'decimal string'],
  ['amountMinor', { amountMinor: '9223372036854775808' }, 'below 2^63'],
  ['creditor', { creditor: `${SECRET} ` }, 'a participant id'],
  ['source', { source: SECRET }, 'an object with network and depositor'],
  ['source/depositor', { source: { network: 'n', depositor: SECRET } }, 'an address on the network'],
  ['source/extra', { source: { network: 'n', depositor: `0x${'00'.repeat(20)}`, extra: SECRET } }, 'not a field'],
  ['fundBy', { fundBy: SECRET }, 'RFC 3339'],
  ['fundBy', { fundBy: '2031-05-06T07:08:09' }, 'RFC 3339'],
  ['fundBy', { fundBy: '2031-02-31T07:08:09Z' }, 'a day and an hour that exist'],
  ['deliverBy', { deliverBy: '2031-02-01T25:08:09Z' }, 'a day and an hour that exist'],
  ['onVoid', { onVoid: SECRET }, 'one of return, refund'],
  ['remittance', { remittance: SECRET.repeat(20) }, 'at most 140 characters'],
  ['remittance', { remittance: `${SECRET}\n` }, 'without control characters'],
  ['remittance', { remittance: '\ud800' }, 'well-formed Unicode'],
  ['remittance', { remittance: '\ufeffrent' }, 'byte order mark'],
  ['fundBy', { fundBy: '1969-12-31T23:59:59Z' }, 'a day and an hour that exist, from 1970 on'],
  ['debtor', { debtor: SECRET }, 'not a field'],
])('body field %s', async (path, change, message) => {
  const answer = await api.as('alpha', { method: 'POST', url: '/v1/transfers', payload: { ...GOOD, ...change } });
  expect([answer.statusCode, answer.json().code]).toEqual([400, 'REQUEST_INVALID']);
  expect(answer.json().errors).toContainEqual({ path: `/${path}`, message: expect.stringContaining(message) });
  expect(answer.body).not.toContain('SECRET-42');
});

test('a prototype in the body is refused', async () => {
  const payload = `${JSON.stringify(GOOD).slice(0, -1)},"__proto__":{"debtor":"X"}}`;
  const answer = await api.as('alpha', {
    method: 'POST',
    url: '/v1/transfers',
    payload,
    headers: { 'content-type': 'application/json' },
  });
  expect([answer.statusCode, answer.json().code]).toEqual([400, 'JSON_INVALID']);
});

test('many errors are named, bounded, with bounded and printable places', async () => {
  const extra = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`${'é'.repeat(120)}${n}`, 1]));
  const answer = await api.as('alpha', { method: 'POST', url: '/v1/transfers', payload: { ...extra } });
  const { errors } = answer.json() as { errors: { path: string }[] };
  expect(errors.length).toBeLessThanOrEqual(20);
  for (const { path } of errors) expect(path).toMatch(/^[\x20-\x7e]{1,80}$/);
});

const json = (payload: string): InjectOptions => ({
  method: 'POST',
  url: '/v1/transfers',
  payload,
  headers: { 'content-type': 'application/json' },
});
const get = (url: string): InjectOptions => ({ method: 'GET', url });

test.each<[string, InjectOptions, number, string]>([
  ['not JSON', json('{"a":'), 400, 'JSON_INVALID'],
  ['an empty body', json(''), 400, 'JSON_INVALID'],
  ['a body that is no object', json('7'), 400, 'REQUEST_INVALID'],
  ['a body too large', json(JSON.stringify({ a: 'x'.repeat(20_000) })), 413, 'BODY_TOO_LARGE'],
  ['another media type', { ...json('a=1'), headers: { 'content-type': 'text/plain' } }, 415, 'MEDIA_TYPE_UNSUPPORTED'],
  ['no such route', get('/v1/nothing'), 404, 'ROUTE_NOT_FOUND'],
  ['a path that does not decode', get('/v1/transfers/%zz'), 400, 'REQUEST_INVALID'],
  ['a path parameter too long', get(`/v1/transfers/${'a'.repeat(300)}`), 414, 'URI_TOO_LONG'],
  ['an id of another form', get('/v1/transfers/abc'), 400, 'REQUEST_INVALID'],
  ['a query field that is not known', get('/v1/accounts?x=1'), 400, 'REQUEST_INVALID'],
  ['a number that is none', get('/v1/events?after=-1'), 400, 'REQUEST_INVALID'],
  ['a number too large', get('/v1/events?after=99999999999999999999'), 400, 'REQUEST_INVALID'],
  ['a limit above the most', get('/v1/events?limit=1001'), 400, 'REQUEST_INVALID'],
  ['a field given twice', get('/v1/events?after=1&after=2'), 400, 'REQUEST_INVALID'],
  ['a state that is none', get('/v1/transfers?state=DONE'), 400, 'REQUEST_INVALID'],
  ['a cursor that is none', get('/v1/transfers?after=x'), 400, 'REQUEST_INVALID'],
  ['a cursor of another list', get('/v1/transfers?state=SETTLED&after=RETURNED~1'), 400, 'REQUEST_INVALID'],
])('%s', async (_what, request, status, code) => {
  const answer = await api.as('alpha', request);
  expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect(answer.json()).toMatchObject({
    type: `urn:drawbridge:problem:${code}`,
    status,
    code,
    title: expect.any(String),
  });
  expect(answer.statusCode).toBe(status);
});

test.each(['PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'] as const)(
  '%s gets 405 with the methods that it takes',
  async (method) => {
    const answer = await api.as('alpha', { method, url: '/v1/transfers' });
    expect([answer.statusCode, answer.headers.allow]).toEqual([405, 'GET, POST']);
    const cancel = await api.as('alpha', { method, url: `/v1/transfers/${GOOD.id}:cancel` });
    expect([cancel.statusCode, cancel.headers.allow]).toEqual([405, 'POST']);
  },
);

test('nothing of this reached the ledger or the log', () => {
  expect(api.core.submits).toEqual([]);
  expect(api.log).toEqual([]);
});

test('answers behind a certificate are not to be stored', async () => {
  for (const who of ['alpha', undefined] as const) {
    expect((await api.as(who, get('/v1/accounts'))).headers['cache-control']).toBe('no-store');
  }
  expect((await api.as(undefined, get('/v1/accounts'))).headers['www-authenticate']).toBeDefined();
});

test('readiness follows the status of the service and the role of the node', async () => {
  const ready = async (): Promise<number> => (await api.as(undefined, get('/node/ready'))).statusCode;
  expect(await ready()).toBe(200);
  api.core.nodeStatus = { ...api.core.nodeStatus, role: 'candidate' };
  expect(await ready()).toBe(503);
  api.core.nodeStatus = { ...api.core.nodeStatus, role: 'leader', serviceStatus: 'stopping' };
  expect(await ready()).toBe(503);
});
