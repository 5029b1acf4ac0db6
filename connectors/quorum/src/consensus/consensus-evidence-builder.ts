/**
 * Evidence of rules `qbft`, `ibft`, `ibft2` and `clique`: the header of the event's block, and the path to its receipt.
 * Before that, the headers up to the block are on their way to the core: it takes evidence of blocks that it tracks.
 */
import { LedgerUnavailableError } from '@drawbridge/connector-sdk/ledger-connector';
import type { EvidenceBuild, EvidenceBuilder, FollowedEvent } from '@drawbridge/connector-sdk/vault-event-source';
import {
  type ConsensusEvidence,
  type ConsensusRule,
  encodeConsensusEvidence,
  MAX_HEADER_BYTES,
  MAX_POSITION,
  MAX_PROOF_BYTES,
  MAX_PROOF_NODES,
} from '@drawbridge/protocol/consensus-evidence';
import type { NetworkId } from '@drawbridge/protocol/ids';
import type { EvmLog } from '@drawbridge/protocol/observer-evidence';
import type { HeaderFeed } from './header-feed.ts';
import { type ProvenReceipts, ProvenReceiptsOfBlocks } from './proven-receipts.ts';
import type { SealedBlocks } from './sealed-blocks.ts';

export type ConsensusEvidenceOptions = Readonly<{
  network: NetworkId;
  rule: ConsensusRule;
  /** Blocks whose receipts are kept at the same time. */
  receiptBlocks: number;
}>;
export type ConsensusEvidenceDependencies = Readonly<{ node: SealedBlocks; feed: Pick<HeaderFeed, 'upTo'> }>;

export class ConsensusEvidenceBuilder implements EvidenceBuilder<EvmLog> {
  readonly #options: ConsensusEvidenceOptions;
  readonly #deps: ConsensusEvidenceDependencies;
  readonly #receipts: ProvenReceiptsOfBlocks;

  constructor(options: ConsensusEvidenceOptions, dependencies: ConsensusEvidenceDependencies) {
    this.#options = options;
    this.#deps = dependencies;
    this.#receipts = new ProvenReceiptsOfBlocks({ maxBlocks: options.receiptBlocks }, { node: dependencies.node });
  }

  async build(event: FollowedEvent<EvmLog>): Promise<EvidenceBuild> {
    const fed = await this.#deps.feed.upTo(event.blockNumber);
    if (fed !== 'offered') return pending(fed);
    const block = await this.#deps.node.sealedBlock(event.blockNumber);
    if (block?.hash !== event.blockHash) throw new LedgerUnavailableError('the block of an event was replaced');
    const proven = await this.#receipts.of(block);
    return proven ? this.#encode(event.raw, proven) : pending('RECEIPTS_MISMATCH');
  }

  async #encode(log: EvmLog, proven: ProvenReceipts): Promise<EvidenceBuild> {
    const { block, receipts, privateAt, trie } = proven;
    const transactionIndex = block.transactions.indexOf(log.transactionHash);
    if (privateAt.has(transactionIndex)) return pending('LOG_PRIVATE');
    const logIndexInReceipt = receipts[transactionIndex]?.logIndexes.indexOf(log.logIndex) ?? -1;
    if (logIndexInReceipt < 0) return pending('LOG_NOT_IN_RECEIPT');
    const proof = await trie.prove(transactionIndex);
    const proofBytes = proof.reduce((sum, node) => sum + node.length, 0);
    if (block.header.length > MAX_HEADER_BYTES) return pending('HEADER_TOO_LARGE');
    const tooLarge =
      proofBytes > MAX_PROOF_BYTES ||
      proof.length > MAX_PROOF_NODES ||
      Math.max(transactionIndex, logIndexInReceipt) >= MAX_POSITION;
    if (tooLarge) return pending('PROOF_TOO_LARGE');
    const { network, rule } = this.#options;
    const { header } = block;
    const evidence: ConsensusEvidence = {
      version: 1,
      rule,
      kind: 'event',
      network,
      header,
      transactionIndex,
      proof,
      logIndexInReceipt,
    };
    return { type: 'built', bytes: encodeConsensusEvidence(evidence) };
  }
}

const pending = (code: string): EvidenceBuild => ({ type: 'pending', code });
