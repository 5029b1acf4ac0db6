import { parseBytes32, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import { parseEvmAddress, parseNetworkId } from '@drawbridge/protocol/ids';
import { decodeObserverEvidence, type EvmLog } from '@drawbridge/protocol/observer-evidence';
import { beforeEach, describe, expect, test } from '@jest/globals';
import axios from 'axios';
import { ObserverClient } from './observer-client.ts';
import { ObserverEvidenceBuilder } from './observer-evidence-builder.ts';
import { type Behaviour, ObserverStandIn } from './testing/observer-stand-in.ts';

const context = {
  serviceId: parseBytes32(`0x${'11'.repeat(32)}`),
  network: parseNetworkId('alpha'),
  genesisHash: parseBytes32(`0x${'22'.repeat(32)}`),
  depthBlocks: 3,
};
const log: EvmLog = {
  blockNumber: 7,
  blockHash: parseBytes32(`0x${'33'.repeat(32)}`),
  transactionHash: parseBytes32(`0x${'44'.repeat(32)}`),
  logIndex: 2,
  address: parseEvmAddress(`0x${'ab'.repeat(20)}`),
  topics: [ZERO_BYTES32],
  data: '0x01',
};
const event = { vault: log.address, seq: 1, blockNumber: 7, blockHash: log.blockHash, raw: log };
const signal = new AbortController().signal;

let observers: ObserverStandIn[];
let counted: string[];

beforeEach(() => {
  observers = ['one', 'two', 'three'].map((id) => new ObserverStandIn(id, context));
  counted = [];
});

/** The real client, over an axios that asks the stand-in instead of a network. */
function client(observer: ObserverStandIn, withKey = true): ObserverClient {
  const http = axios.create({
    validateStatus: () => true,
    adapter: async (config) => ({ ...observer.answer(log), statusText: '', headers: {}, config }),
  });
  const key = withKey ? { publicKey: observer.publicKey } : {};
  return new ObserverClient({ id: observer.id, context, ...key }, { http });
}

function builder(threshold = 2): ObserverEvidenceBuilder {
  return new ObserverEvidenceBuilder(
    { context, threshold },
    {
      observers: observers.map((observer) => client(observer)),
      metrics: { attestation: (observer, result) => counted.push(`${observer} ${result}`) },
    },
  );
}

test('evidence holds as many attestations as must be, in the order of names', async () => {
  const built = await builder().build(event, signal);
  if (built.type !== 'built') throw new Error('expected evidence');
  const evidence = decodeObserverEvidence(built.bytes);
  expect(evidence).toMatchObject({ network: 'alpha', genesisHash: context.genesisHash, log });
  const names = evidence.attestations.map(({ observer }) => observer);
  expect(names).toHaveLength(2);
  expect(names).toEqual([...names].sort());
});

describe('one of three misbehaves', () => {
  test.each<[Behaviour, string]>([
    ['shallow', 'shallow'],
    ['silent', 'ECONNREFUSED'],
    ['other-log', 'OTHER_VIEW'],
    ['bad-signature', 'BAD_SIGNATURE'],
    ['other-name', 'ANSWER_OF_ANOTHER'],
    ['garbage', 'ANSWER_INVALID'],
    ['too-little-depth', 'shallow'],
  ])('%s: it is left out and counted, and the others suffice', async (behaviour, counter) => {
    const [liar] = observers;
    if (!liar) throw new Error('there is one');
    liar.behaviour = behaviour;
    const built = await builder().build(event, signal);
    if (built.type !== 'built') throw new Error('expected evidence');
    expect(decodeObserverEvidence(built.bytes).attestations.map(({ observer }) => observer)).toEqual(['three', 'two']);
    await builder(3).build(event, signal);
    expect(counted).toContain(`one ${counter}`);
  });
});

test.each<[Behaviour, string]>([
  ['shallow', 'OBSERVERS_SHALLOW'],
  ['silent', 'OBSERVERS_DISAGREE'],
  ['bad-signature', 'OBSERVERS_DISAGREE'],
])('two of three %s: no evidence yet', async (behaviour, code) => {
  for (const observer of observers.slice(1)) observer.behaviour = behaviour;
  expect(await builder().build(event, signal)).toEqual({ type: 'pending', code });
});

test('a code that no observer has is counted by its status, so that a liar cannot make counters without end', async () => {
  const answers = [
    { status: 503, data: { code: 'NODE_UNAVAILABLE' } },
    { status: 503, data: { code: 'MADE_UP_A' } },
    { status: 503, data: { code: 'MADE_UP_B' } },
    { status: 200_003, data: { code: 'toString' } },
  ];
  const codes: unknown[] = [];
  for (const answer of answers) {
    const http = axios.create({
      validateStatus: () => true,
      adapter: async (config) => ({ ...answer, statusText: '', headers: {}, config }),
    });
    const [observer] = observers;
    if (!observer) throw new Error('there is one');
    codes.push(await new ObserverClient({ id: observer.id, context }, { http }).attest(log, signal));
  }
  expect(codes).toEqual(
    ['NODE_UNAVAILABLE', 'STATUS_503', 'STATUS_503', 'STATUS_OTHER'].map((code) => ({ type: 'refused', code })),
  );
});

test('a key that is not known here leaves the check to the core', async () => {
  const [observer] = observers;
  if (!observer) throw new Error('there is one');
  observer.behaviour = 'bad-signature';
  expect(await client(observer, false).attest(log, signal)).toMatchObject({ type: 'attested' });
  expect(await client(observer).attest(log, signal)).toEqual({ type: 'refused', code: 'BAD_SIGNATURE' });
});
