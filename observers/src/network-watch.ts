/**
 * Whether each network's node is there and on the chain that was configured. Requests check that for themselves; this is
 * for health, metrics and the alarm of a node that was moved to another chain while nobody asked.
 */
import type { NetworkId } from '@drawbridge/protocol/ids';
import { sameChain, type WatchedNetwork } from './attestor.ts';

export type NetworkHealth = 'unchecked' | 'ok' | 'unavailable' | 'wrong-network';

export type NetworkWatch = Readonly<{
  health: () => ReadonlyMap<NetworkId, NetworkHealth>;
  /** Checks all networks now. */
  check: () => Promise<void>;
  stop: () => Promise<void>;
}>;

export type NetworkWatchOptions = Readonly<{
  everyMs: number;
  /** Called when the health of a network changes. */
  onChange: (network: NetworkId, health: NetworkHealth) => void;
}>;

/** Checks at once and then every `everyMs`; one round ends before the next begins. */
export function watchNetworks(networks: Iterable<WatchedNetwork>, options: NetworkWatchOptions): NetworkWatch {
  const watched = [...networks];
  const health = new Map<NetworkId, NetworkHealth>(watched.map(({ id }) => [id, 'unchecked']));
  let round: Promise<void> | undefined;
  const checkOne = async (network: WatchedNetwork): Promise<void> => {
    const now = await network.node.identity().then(
      (identity): NetworkHealth => (sameChain(identity, network.identity) ? 'ok' : 'wrong-network'),
      (): NetworkHealth => 'unavailable',
    );
    const before = health.get(network.id);
    health.set(network.id, now);
    if (now !== before) options.onChange(network.id, now);
  };
  const check = (): Promise<void> => {
    round ??= Promise.all(watched.map(checkOne)).then(() => {
      round = undefined;
    });
    return round;
  };
  const timer = setInterval(() => void check(), options.everyMs);
  return {
    health: () => health,
    check,
    stop: async () => {
      clearInterval(timer);
      await round;
    },
  };
}
