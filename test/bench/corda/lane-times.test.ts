import { describe, expect, it } from '@jest/globals';
import { type LaneTimes, laneFigures, sharesOf } from './lane-times.ts';

const TIMES: LaneTimes = {
  submittedMs: 1_000,
  answeredMs: 1_010,
  funding: { fromMs: 1_015, toMs: 1_515 },
  relayingMs: 1_555,
  delivery: { fromMs: 1_585, toMs: 3_585 },
  settledMs: 3_605,
  tailMs: 7,
  agentMs: 20,
};

describe('what of a payment is ours', () => {
  it('is what neither network nor the bank took', () => {
    expect(sharesOf(TIMES)).toEqual({
      whole: 2_605,
      funding: 500,
      delivery: 2_000,
      ours: 100,
      tail: 7,
      tailless: 93,
      agent: 20,
      answer: 10,
      credit: 40,
      instruct: 30,
      settle: 20,
    });
  });

  it('leaves out nothing but what the bank took to lock', () => {
    const { whole, funding, delivery, ours } = sharesOf(TIMES);
    expect(whole - funding - delivery - ours).toBe(TIMES.funding.fromMs - TIMES.answeredMs);
  });

  it('is told with its parts', () => {
    const slow = { ...TIMES, settledMs: 3_705 };
    const figures = laneFigures('corda.in', [TIMES, slow, TIMES].map(sharesOf));
    const value = (name: string) => figures.find((each) => each.name === name)?.value;
    expect(value('corda.in.p50')).toBe(2_605);
    expect(value('corda.in.ours.p50')).toBe(100);
    expect(value('corda.in.ours.p99')).toBe(200);
    expect(value('corda.in.ours.tail.p50')).toBe(7);
    expect(value('corda.in.ours.agent.p50')).toBe(20);
    expect(value('corda.in.ours-but-tail.p99')).toBe(193);
    expect(value('corda.in.delivery.p50')).toBe(2_000);
    expect(value('corda.in.ours.settle.p50')).toBe(20);
  });
});
