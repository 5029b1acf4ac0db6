import { BodyOpener, BodySealer } from '@drawbridge/connector-sdk/sealed-body';
import { parseNetworkId } from '@drawbridge/protocol/ids';
import { beforeEach, expect, test } from '@jest/globals';
import { AgentClient } from './agent-client.ts';
import type { Consumer } from './broker-link.ts';
import { brokerNames } from './broker-topology.ts';
import { BrokerError, type Parcel } from './outgoing.ts';
import { rsaKeys } from './testing/broker-place.ts';

const network = parseNetworkId('corda-1');
const keys = rsaKeys();
const sealer = new BodySealer(keys.publicKey);
const opener = new BodyOpener(keys.privateKey);
const names = brokerNames(network, 'ab'.repeat(16));
const soon = { timeoutMs: 60_000, signal: new AbortController().signal };

let parcels: { parcel: Parcel; signal: AbortSignal }[];
let publishing: () => Promise<void>;
let consume: Consumer;
let results: string[];
let client: AgentClient;

beforeEach(() => {
  parcels = [];
  results = [];
  publishing = async () => undefined;
  client = new AgentClient(
    { network, names, maxCalls: 2, maxCommandBytes: 64 },
    {
      link: {
        consume: (_queue, consumer) => (consume = consumer),
        publish: (parcel, signal) => {
          parcels.push({ parcel, signal });
          return publishing();
        },
      },
      sealer,
      opener,
      isSilent: () => false,
      metrics: { called: (verb, result) => results.push(`${verb} ${result}`), strayReply: () => results.push('stray') },
      now: () => 0,
    },
  );
});

test('a command goes to the agents under an id of its own, and its parcel ends with the call', async () => {
  const giveUp = new AbortController();
  const calls = [1, 2].map(() => client.call('find', [], { ...soon, signal: giveUp.signal }));
  expect(new Set(parcels.map(({ parcel }) => parcel.messageId)).size).toBe(2);
  expect(parcels[0]?.parcel).toMatchObject({ exchange: names.toAgent, routingKey: 'command' });
  expect(parcels[0]?.parcel.messageId).toMatch(/^[0-9a-f]{32}$/);
  giveUp.abort();
  expect(await Promise.all(calls)).toMatchObject([{ code: 'ABORTED' }, { code: 'ABORTED' }]);
  expect(parcels.map(({ signal }) => signal.aborted)).toEqual([true, true]);
  expect(results).toEqual(['find ABORTED', 'find ABORTED']);
});

test('more calls than allowed, and more bytes, are not sent', async () => {
  const giveUp = new AbortController();
  const held = [1, 2].map(() => client.call('find', [], { ...soon, signal: giveUp.signal }));
  expect(await client.call('find', [], soon)).toMatchObject({ ok: false, code: 'TOO_MANY_CALLS' });
  giveUp.abort();
  await Promise.all(held);
  expect(await client.call('find', [new Uint8Array(64)], soon)).toMatchObject({ ok: false, code: 'COMMAND_TOO_LARGE' });
  expect(parcels).toHaveLength(2);
});

test('a broker that takes no more is an answer', async () => {
  publishing = () => Promise.reject(new BrokerError('BROKER_BUSY', 'busy'));
  expect(await client.call('find', [], soon)).toMatchObject({ code: 'TOO_MANY_CALLS' });
  publishing = () => Promise.reject(new BrokerError('BROKER_ABORTED', 'it ends'));
  expect(await client.call('find', [], soon)).toMatchObject({ code: 'ABORTED' });
});

test('a caller who has given up before it began sends nothing', async () => {
  expect(await client.call('find', [], { ...soon, signal: AbortSignal.abort() })).toMatchObject({ code: 'ABORTED' });
  expect(parcels).toEqual([]);
});

test('a reply to nobody is dropped unopened', () => {
  const fates: string[] = [];
  const acknowledge = () => fates.push('acknowledged');
  const reject = (why: string) => fates.push(why);
  const delivery = {
    messageId: 'cd'.repeat(16),
    body: new Uint8Array(3),
    acknowledge,
    reject,
    requeue: () => undefined,
  };
  consume({ ...delivery, correlationId: 'ef'.repeat(16) });
  expect([fates, results]).toEqual([['acknowledged'], ['stray']]);
});
