/** Which networks have a tracked chain, and where each begins: what genesis and amendments do to the table of chains. */
import { chainFrom, type TrackedChain } from '@drawbridge/evidence/tracked-chain';
import { isConsensus, type Network } from '@drawbridge/governance/registration';
import type { Registry } from '@drawbridge/governance/registry';
import type { NetworkId } from '@drawbridge/protocol/ids';

/** Chains at their checkpoints, of every network that is believed by consensus. */
export function* chainsAtCheckpoints(registry: Registry): Generator<readonly [NetworkId, TrackedChain]> {
  for (const [id, { finality }] of registry.networks) if (isConsensus(finality)) yield [id, chainFrom(finality)];
}

/**
 * What an amendment changes: `undefined` ends a chain, a value begins it at the checkpoint. A network whose trust roots
 * stay keeps the chain that it has.
 */
export function* movedChains(
  before: Registry,
  after: Registry,
): Generator<readonly [NetworkId, TrackedChain | undefined]> {
  for (const [id, network] of after.networks) {
    const previous = before.networks.get(id);
    if (previous?.trustVersion === network.trustVersion) continue;
    if (isConsensus(network.finality)) yield [id, chainFrom(network.finality)];
    else if (wasTracked(previous)) yield [id, undefined];
  }
}

const wasTracked = (network: Network | undefined): boolean => network !== undefined && isConsensus(network.finality);
