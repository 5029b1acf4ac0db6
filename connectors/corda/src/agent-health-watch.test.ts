import { BodyOpener, BodySealer } from '@drawbridge/connector-sdk/sealed-body';
import { parseNetworkId } from '@drawbridge/protocol/ids';
import { beforeEach, expect, test } from '@jest/globals';
import { encodeAgentBody } from './agent-cbor.ts';
import { HealthWatch } from './agent-health-watch.ts';
import type { Consumer } from './broker-link.ts';
import { rsaKeys } from './testing/broker-place.ts';

const network = parseNetworkId('corda-1');
const keys = rsaKeys();
const sealer = new BodySealer(keys.publicKey);
const messageId = 'ab'.repeat(16);

let nowMs: number;
let watch: HealthWatch;
let consume: Consumer;
let fates: string[];

beforeEach(() => {
  nowMs = 0;
  fates = [];
  watch = new HealthWatch(
    { network, silenceMs: 60_000, maxAgents: 2 },
    {
      link: { consume: (_queue, consumer) => (consume = consumer) },
      opener: new BodyOpener(keys.privateKey),
      metrics: { agents: () => undefined },
      now: () => nowMs,
    },
  );
});

function hear(agent: number, sequence: number, { nodeUp = true, sealedFor = messageId } = {}): void {
  const plain = encodeAgentBody([1, new Uint8Array(16).fill(agent), sequence, 1, nodeUp, 1, 0, 12, '']);
  const body = sealer.seal(plain, { purpose: 'agent-health', network, jobId: sealedFor });
  const settle = (fate: string) => () => fates.push(fate);
  const fate = {
    acknowledge: settle('acknowledged'),
    reject: (why: string) => fates.push(why),
    requeue: settle('back'),
  };
  consume({ messageId, correlationId: undefined, body, ...fate });
}

test('at the start nobody counts as silent, until somebody should have been heard', () => {
  expect(watch.isSilent()).toBe(false);
  nowMs = 60_001;
  expect(watch.isSilent()).toBe(true);
  hear(1, 1);
  expect(watch.isSilent()).toBe(false);
  nowMs = 120_002;
  expect(watch.isSilent()).toBe(true);
  expect(fates).toEqual(['acknowledged']);
});

test('what comes again is no sign of life', () => {
  hear(1, 5);
  nowMs = 60_001;
  hear(1, 5);
  hear(1, 4);
  expect(watch.isSilent()).toBe(true);
  hear(1, 6);
  expect(watch.isSilent()).toBe(false);
});

test('two agents, and one whose node is down', () => {
  hear(1, 1);
  hear(2, 1, { nodeUp: false });
  expect(watch.agents().map(({ nodeUp }) => nodeUp)).toEqual([true, false]);
});

test('no more agents are remembered than allowed', () => {
  for (const agent of [1, 2, 1, 3]) hear(agent, 10 + agent + fates.length);
  expect(watch.agents().map(({ instance }) => instance)).toEqual(['01'.repeat(16), '03'.repeat(16)]);
});

test('health that was sealed for another message is none', () => {
  hear(1, 1, { sealedFor: 'cd'.repeat(16) });
  expect(fates).toEqual(['SEALED_NOT_OPENED']);
  expect(watch.agents()).toEqual([]);
});
