/** The state that a service begins with, and what its ledger says of it at seqno 1. */
import { toBytes32 } from '@drawbridge/protocol/bytes32';
import { MerkleFrontier } from '@drawbridge/protocol/ledger/merkle-tree';
import type { NodeRow } from '@drawbridge/protocol/ledger/service-entry';
import type { LedgerKeys } from '../keys/ledger-keys.ts';
import { initialMembership } from '../membership/membership-state.ts';
import type { Genesis } from '../node/core-node.ts';
import { sealGenesis } from '../node/state-image.ts';
import { initialState } from '../settlement/genesis-state.ts';
import { DEFAULT_LIMITS } from '../settlement/limits.ts';
import { sha256 } from '../sha256.ts';
import type { CheckedGenesis } from './genesis-file.ts';
import type { Founding } from './node-folder.ts';

const FIRST_SEQNO = 1;
const FIRST_VIEW = 1;

export type DrawGenesis = Readonly<{
  checked: CheckedGenesis;
  founding: Founding;
  /** The node that begins the service. */
  node: NodeRow;
  ledgerKeys: LedgerKeys;
  /** Unix ms. */
  nowMs: number;
}>;

/** @throws GenesisError where a vault obeys a key that the service does not have */
export async function drawGenesis({ checked, founding, node, ledgerKeys, nowMs }: DrawGenesis): Promise<Genesis> {
  const { genesis, text, digest } = checked;
  const { serviceId, secrets, serviceCertificate } = founding;
  const { content, digest: stateDigest } = await sealGenesis(ledgerKeys, {
    genesisDigest: digest,
    index: FIRST_SEQNO,
    settlement: initialState(genesis, secrets, nowMs, DEFAULT_LIMITS, node.nodeId),
    membership: initialMembership(node),
    views: [{ view: FIRST_VIEW, seqno: FIRST_SEQNO }],
    frontier: MerkleFrontier.start(sha256),
  });
  return {
    content,
    record: {
      genesisDigest: digest,
      genesis: text,
      serviceId,
      stateDigest: toBytes32(stateDigest),
      serviceCertificate,
      node,
    },
  };
}
