/** Evidence by a network's own consensus, put together: the feed of its headers and the builder of its proofs, on one node. */
import type { EvidenceBuilder } from '@drawbridge/connector-sdk/vault-event-source';
import type { NetworkId } from '@drawbridge/protocol/ids';
import type { EvmLog } from '@drawbridge/protocol/observer-evidence';
import type { ConnectorLimits, ConsensusSetup } from '../config.ts';
import { ConsensusEvidenceBuilder } from './consensus-evidence-builder.ts';
import { HeaderFeed, type HeaderFeedDependencies } from './header-feed.ts';
import { type RpcCaller, RpcSealedBlocks } from './rpc-sealed-blocks.ts';

export type ConsensusProof = Readonly<{ builder: EvidenceBuilder<EvmLog>; feed: HeaderFeed }>;

export type ConsensusProofOptions = ConsensusSetup &
  Readonly<{
    network: NetworkId;
    /** Of the network as registered; under `clique` all but the first are headers that vouch for a block. */
    depthBlocks: number;
    idKey: Uint8Array;
    limits: Pick<ConnectorLimits, 'headerMs' | 'rebuildMs' | 'maxHeaderBatches' | 'receiptBlocks'>;
  }>;

export function proofByConsensus(
  { rule, maxGapBlocks, network, depthBlocks, idKey, limits }: ConsensusProofOptions,
  { rpc, ...deps }: Omit<HeaderFeedDependencies, 'node'> & Readonly<{ rpc: RpcCaller }>,
): ConsensusProof {
  const node = new RpcSealedBlocks({ rule }, { rpc });
  const feed = new HeaderFeed(
    {
      network,
      rule,
      idKey,
      vouchingBlocks: rule === 'clique' ? depthBlocks - 1 : 0,
      maxGapBlocks,
      headerMs: limits.headerMs,
      rebuildMs: limits.rebuildMs,
      maxBatches: limits.maxHeaderBatches,
    },
    { ...deps, node },
  );
  const builder = new ConsensusEvidenceBuilder({ network, rule, receiptBlocks: limits.receiptBlocks }, { node, feed });
  return { builder, feed };
}
