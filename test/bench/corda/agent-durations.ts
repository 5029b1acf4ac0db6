/**
 * What the agent's log says of times: how long a flow took that it waited for, how long after the node's recording the node told
 * of it, and how long after that recording the event was with the broker. One JSON line each, durations only.
 */

/** Unix ms. */
export type Took = Readonly<{ event: (typeof EVENTS)[number]; fromMs: number; toMs: number }>;

const EVENTS = ['flow-ended', 'event-heard', 'event-handed-over'] as const;
const LINE = /"time":"([^"]+)","event":"([a-z-]+)","ms":(\d+)\}/;

/** Lines that say something else, or are cut, are left out. In the order of the log. */
export function durationsIn(log: string): Took[] {
  return log.split('\n').flatMap((line) => {
    const took = readLine(line);
    return took === undefined ? [] : [took];
  });
}

function readLine(line: string): Took | undefined {
  const [, time = '', name, ms] = LINE.exec(line) ?? [];
  const event = EVENTS.find((known) => known === name);
  if (event === undefined) return undefined;
  const toMs = Date.parse(time);
  return Number.isNaN(toMs) ? undefined : { event, fromMs: toMs - Number(ms), toMs };
}
