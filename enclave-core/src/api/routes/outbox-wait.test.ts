/** Requests for instructions that wait for some. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { WORLD } from '../testing/fake-core.ts';
import { type InjectedApi, injectedApi } from '../testing/inject-api.ts';

const WAITS = 2;

let api: InjectedApi;
beforeEach(async () => {
  api = await injectedApi({ outboxWaits: WAITS });
});
afterEach(() => api.app.close());

const ask = (query: string) => api.as('relay', { method: 'GET', url: `/v1/relay/outbox?network=quorum-a${query}` });

async function waiting(count: number): Promise<void> {
  while (api.core.outboxWaits.length < count) await new Promise(setImmediate);
}

test('where there are some none is waited for', async () => {
  expect((await ask('&waitMs=30000')).json()).toMatchObject({ items: [{ cursor: 1 }] });
});

test('where there are none the answer comes when the core has it', async () => {
  const answer = ask('&after=1&waitMs=30000');
  await waiting(1);
  api.core.outbox = [1, 2];
  api.core.endOutboxWaits();
  expect((await answer).json()).toMatchObject({ items: [{ cursor: 2 }], next: 2 });
});

test('who is no hub any more when it comes gets nothing', async () => {
  const answer = ask('&after=1&waitMs=30000');
  await waiting(1);
  api.core.outbox = [1, 2];
  const hub = api.core.registered.findIndex(({ id }) => id === WORLD.relay);
  api.core.registered.splice(hub, 1);
  api.core.endOutboxWaits();
  expect((await answer).json()).toEqual({ items: [], next: 1 });
});

test('nor who has another role by then', async () => {
  const answer = ask('&after=1&waitMs=30000');
  await waiting(1);
  api.core.outbox = [1, 2];
  const at = api.core.registered.findIndex(({ id }) => id === WORLD.relay);
  const hub = api.core.registered[at];
  if (hub) api.core.registered.splice(at, 1, { ...hub, role: 'operator' });
  api.core.endOutboxWaits();
  expect((await answer).json()).toEqual({ items: [], next: 1 });
});

test('one participant does not take the places of all', async () => {
  await api.app.close();
  api = await injectedApi({ outboxWaits: 5, outboxWaitsPerParticipant: 1 });
  const first = ask('&after=1&waitMs=30000');
  await waiting(1);
  expect((await ask('&after=1&waitMs=30000')).json()).toEqual({ items: [], next: 1 });
  api.core.endOutboxWaits();
  await first;
});

test('more than a bounded number do not wait; who ends makes room', async () => {
  const waits = [ask('&after=1&waitMs=30000'), ask('&after=1&waitMs=30000')];
  await waiting(WAITS);
  expect((await ask('&after=1&waitMs=30000')).statusCode).toBe(200);
  api.core.endOutboxWaits();
  await Promise.all(waits);
  const another = ask('&after=1&waitMs=30000');
  await waiting(1);
  api.core.endOutboxWaits();
  await another;
});

test('nobody keeps a node from stopping', async () => {
  const answer = ask('&after=1&waitMs=30000');
  await waiting(1);
  await api.app.close();
  expect((await answer).statusCode).toBe(200);
});

test.each(['-1', '30001', 'long', '1.5'])('a wait of %s ms is no wait', async (waitMs) => {
  expect((await ask(`&waitMs=${waitMs}`)).statusCode).toBe(400);
});
