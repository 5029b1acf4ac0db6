/** What the agent's log says of one payment among many, which went one after another. */
import type { Took } from './agent-durations.ts';
import type { Stretch } from './lane-times.ts';

/** What the bench itself heard of a payment, Unix ms. */
export type Heard = Readonly<{ answeredMs: number; relayingMs: number; settledMs: number }>;

/** Corda's stretch, and the tail and the agent's part after it (`LaneTimes`). */
export type CordaStretch = Stretch & Readonly<{ tailMs: number; agentMs: number }>;

/** Undefined while the log does not say all of it: it learns late of what the node stamped. The log has whole ms. */
export function cordaStretch(
  route: 'corda.out' | 'corda.in',
  { answeredMs, relayingMs, settledMs }: Heard,
  log: readonly Took[],
): CordaStretch | undefined {
  const [begin, end] = route === 'corda.out' ? [answeredMs, relayingMs] : [relayingMs, settledMs];
  const began = log.filter(({ fromMs }) => fromMs >= Math.floor(begin) && fromMs <= end);
  const of = (event: Took['event']): Took | undefined => began.find((took) => took.event === event);
  const recorded = of('event-handed-over');
  const fromMs = route === 'corda.out' ? answeredMs : of('flow-ended')?.fromMs;
  if (recorded === undefined || fromMs === undefined) return undefined;
  const heardMs = of('event-heard')?.toMs ?? recorded.fromMs;
  return {
    fromMs,
    toMs: recorded.fromMs,
    tailMs: heardMs - recorded.fromMs,
    agentMs: recorded.toMs - heardMs,
  };
}
