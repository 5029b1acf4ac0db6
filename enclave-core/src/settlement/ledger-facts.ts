/**
 * What the ledger says beside settlement and what commands may ask: who the nodes are. It follows from the entries before, so
 * it is the same on every node; whoever applies entries gives it anew for each, since the entry before may have changed it.
 */
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';

export type LedgerFacts = Readonly<{
  /** Protocol versions that every node has. */
  supportedVersions: readonly number[];
  /** Nodes that take part; empty where nothing is known of them. */
  members: ReadonlySet<NodeId>;
}>;

/** Where settlement runs alone. */
export const NO_FACTS: LedgerFacts = { supportedVersions: [1], members: new Set() };
