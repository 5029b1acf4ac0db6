/**
 * What the agent's log says of times: how long a flow took that it waited for, and how long after the node's recording an event
 * was with the broker. One JSON line each, durations only.
 */

/** Unix ms. */
export type Took = Readonly<{ event: 'flow-ended' | 'event-handed-over'; fromMs: number; toMs: number }>;

/** Lines that say something else, or are cut, are left out. In the order of the log. */
export function durationsIn(log: string): Took[] {
  return log.split('\n').flatMap((line) => {
    const took = readLine(line);
    return took === undefined ? [] : [took];
  });
}

function readLine(line: string): Took | undefined {
  const [, time = '', event, ms] =
    /"time":"([^"]+)","event":"(flow-ended|event-handed-over)","ms":(\d+)\}/.exec(line) ?? [];
  if (event !== 'flow-ended' && event !== 'event-handed-over') return undefined;
  const toMs = Date.parse(time);
  return Number.isNaN(toMs) ? undefined : { event, fromMs: toMs - Number(ms), toMs };
}
