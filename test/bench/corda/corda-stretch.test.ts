import { describe, expect, it } from '@jest/globals';
import type { Took } from './agent-durations.ts';
import { cordaStretch, type Heard } from './corda-stretch.ts';

const HEARD: Heard = { answeredMs: 1_000.5, relayingMs: 1_500, settledMs: 4_000 };
const event = (stampMs: number, heardMs: number, atMs: number): Took[] => [
  { event: 'event-heard', fromMs: stampMs, toMs: heardMs },
  { event: 'event-handed-over', fromMs: stampMs, toMs: atMs },
];
const FLOW: Took = { event: 'flow-ended', fromMs: 1_520, toMs: 4_100 };
const LOG: readonly Took[] = [
  ...event(900, 910, 930),
  ...event(1_450, 1_465, 1_480),
  FLOW,
  ...event(3_950, 3_960, 3_975),
];

describe("Corda's stretch of a payment", () => {
  it('out of Corda: from the answer to the stamp', () => {
    expect(cordaStretch('corda.out', HEARD, LOG)).toEqual({ fromMs: 1_000.5, toMs: 1_450, tailMs: 15, agentMs: 15 });
  });

  it('into Corda: from the flow to the stamp', () => {
    expect(cordaStretch('corda.in', HEARD, LOG)).toEqual({ fromMs: 1_520, toMs: 3_950, tailMs: 10, agentMs: 15 });
  });

  it('is not known before the log says it', () => {
    expect(cordaStretch('corda.out', HEARD, event(900, 910, 930))).toBeUndefined();
    expect(cordaStretch('corda.in', HEARD, event(3_950, 3_960, 3_975))).toBeUndefined();
    expect(cordaStretch('corda.in', HEARD, [FLOW])).toBeUndefined();
  });

  it('has no tail where the node was asked', () => {
    const [, handedOver] = event(1_450, 1_465, 1_480);
    expect(handedOver && cordaStretch('corda.out', HEARD, [handedOver])).toMatchObject({ tailMs: 0, agentMs: 30 });
  });
});
