/**
 * What of a payment is ours. A payment between two networks goes through seven moments; two stretches between them belong to the
 * networks, one to the bank that locks, and the rest is ours: core, hub, queues, connectors, observers, agent, and their waiting
 * for each other. Parts add up to the whole; nothing is estimated.
 */
import { type Figure, figure, quantile } from '../cluster/measured.ts';

/** A stretch in which we wait for a network. */
export type Stretch = Readonly<{ fromMs: number; toMs: number }>;

/** Moments of one payment, Unix ms by one clock. */
export type LaneTimes = Readonly<{
  /** The bank sends its terms to the core. */
  submittedMs: number;
  /** The bank has the core's answer, with the lock to make. */
  answeredMs: number;
  /** Corda: the lock's flow is asked for, to the vault's node recording it. EVM: the lock is in the pool, to its depth. */
  funding: Stretch;
  /** The bank's event stream says that the payment is credited and goes on. */
  relayingMs: number;
  /** Corda: the payment's flow is asked for, to the vault's node recording it. EVM: it is in the pool, to its depth. */
  delivery: Stretch;
  /** The bank's event stream says so. */
  settledMs: number;
  /** From the vault's node stamping its record until it told of it; 0 where it was not told but asked. */
  tailMs: number;
  /** From there until the evidence was with the broker. */
  agentMs: number;
}>;

/** All in ms. */
export type LaneShares = Readonly<{
  whole: number;
  funding: number;
  delivery: number;
  ours: number;
  /** Of `ours`: the node's own, between its stamp and its word. */
  tail: number;
  /** `ours` without that. */
  tailless: number;
  /** Of `ours`: the agent's, from the node's word to the evidence that it made. */
  agent: number;
  /** Parts of `ours`: terms to answer; value there to credited; credited to instruction there; paid to settled. */
  answer: number;
  credit: number;
  instruct: number;
  settle: number;
}>;

const lengthOf = ({ fromMs, toMs }: Stretch): number => toMs - fromMs;

export function sharesOf(times: LaneTimes): LaneShares {
  const { submittedMs, answeredMs, funding, relayingMs, delivery, settledMs, tailMs, agentMs } = times;
  const answer = answeredMs - submittedMs;
  const credit = relayingMs - funding.toMs;
  const instruct = delivery.fromMs - relayingMs;
  const settle = settledMs - delivery.toMs;
  const ours = answer + credit + instruct + settle;
  return {
    whole: settledMs - submittedMs,
    funding: lengthOf(funding),
    delivery: lengthOf(delivery),
    ours,
    tail: tailMs,
    tailless: ours - tailMs,
    agent: agentMs,
    ...{ answer, credit, instruct, settle },
  };
}

/** Of one route: `<route>.p50` and `.p99`, and the same of each share. @param shares at least one */
export function laneFigures(route: string, shares: readonly LaneShares[]): Figure[] {
  const of = (name: string, part: keyof LaneShares, q: number, mark: string): Figure =>
    figure(
      `${route}${name}.${mark}`,
      quantile(
        shares.map((share) => share[part]),
        q,
      ),
      'ms',
    );
  const both = (name: string, part: keyof LaneShares): Figure[] => [
    of(name, part, 0.5, 'p50'),
    of(name, part, 0.99, 'p99'),
  ];
  return [
    ...both('', 'whole'),
    ...both('.funding', 'funding'),
    ...both('.delivery', 'delivery'),
    ...both('.ours', 'ours'),
    of('.ours.tail', 'tail', 0.5, 'p50'),
    of('.ours.agent', 'agent', 0.5, 'p50'),
    ...both('.ours-but-tail', 'tailless'),
    ...(['answer', 'credit', 'instruct', 'settle'] as const).map((part) => of(`.ours.${part}`, part, 0.5, 'p50')),
  ];
}
