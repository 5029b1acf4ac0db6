/**
 * How fast one connector worker relays, and how much of a relay is ours. On anvil with a block for each transaction and
 * depth 1, so that as little as can be is the chain's; a real Redis; journal on the disk.
 */
import { startRelayRig } from '@drawbridge/connector-quorum/testing/relay-rig';

const WARM_UP = 16;
const BURST = 200;
const SINGLES = 40;

export type RelayBench = Readonly<
  { name: 'relay.worker'; value: number; unit: '1/s' } | { name: 'relay.ours'; value: number; unit: 'ms' }
>;

/**
 * `relay.worker`: relays per second of one worker with 200 waiting. `relay.ours`: median, over relays one after another,
 * of the time from the queue taking the job to it being completed, without the time in which the node was waited for;
 * our own polling counts as ours.
 */
export async function benchRelay(): Promise<RelayBench[]> {
  const rig = await startRelayRig(process.env.REDIS_URL);
  try {
    await rig.relay(WARM_UP);
    const burstMs = await rig.relay(BURST);
    const ours: number[] = [];
    for (let n = 0; n < SINGLES; n += 1) {
      const before = rig.nodeWaitedMs();
      const totalMs = await rig.relay(1);
      ours.push(totalMs - (rig.nodeWaitedMs() - before));
    }
    ours.sort((a, b) => a - b);
    return [
      { name: 'relay.worker', value: Math.round((BURST * 10_000) / burstMs) / 10, unit: '1/s' },
      { name: 'relay.ours', value: Math.round((ours[SINGLES / 2] ?? 0) * 10) / 10, unit: 'ms' },
    ];
  } finally {
    await rig.stop();
  }
}
