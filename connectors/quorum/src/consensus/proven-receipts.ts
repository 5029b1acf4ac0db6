/**
 * The receipts of a block with their trie, kept for the few blocks that are worked on: many events often share a block,
 * and its receipts are fetched and hashed once.
 */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { BlockReceipt } from './receipt-rlp.ts';
import { ReceiptTrie } from './receipt-trie.ts';
import type { SealedBlock, SealedBlocks } from './sealed-blocks.ts';

export type ProvenReceipts = Readonly<{
  block: SealedBlock;
  receipts: readonly BlockReceipt[];
  /** Positions of transactions whose logs the public chain does not have. */
  privateAt: ReadonlySet<number>;
  /** Its root is the header's. */
  trie: ReceiptTrie;
}>;

const NONE: ReadonlySet<number> = new Set();

export class ProvenReceiptsOfBlocks {
  readonly #node: SealedBlocks;
  readonly #maxBlocks: number;
  readonly #blocks = new Map<Bytes32, Promise<ProvenReceipts | undefined>>();

  constructor(options: { maxBlocks: number }, dependencies: { node: SealedBlocks }) {
    this.#maxBlocks = options.maxBlocks;
    this.#node = dependencies.node;
  }

  /** `undefined`: what the node says of the receipts does not hash to what the header says. */
  async of(block: SealedBlock): Promise<ProvenReceipts | undefined> {
    const known = this.#blocks.get(block.hash);
    if (known) return known;
    const proving = prove(this.#node, block);
    this.#blocks.set(block.hash, proving);
    for (const oldest of [...this.#blocks.keys()].slice(0, -this.#maxBlocks)) this.#blocks.delete(oldest);
    const forget = (): void => {
      if (this.#blocks.get(block.hash) === proving) this.#blocks.delete(block.hash);
    };
    // What failed is asked for again next time.
    proving.then((proven) => {
      if (!proven) forget();
    }, forget);
    return proving;
  }
}

async function prove(node: SealedBlocks, block: SealedBlock): Promise<ProvenReceipts | undefined> {
  const receipts = await node.blockReceipts(block);
  const trie = await ReceiptTrie.of(receipts.map(({ encoded }) => encoded));
  if (trie.root === block.receiptsRoot) return { block, receipts, privateAt: NONE, trie };
  // A participant's node shows a private transaction's receipt with logs that no header vouches for.
  const privateAt = await node.privateTransactions(block);
  if (privateAt.size === 0) return undefined;
  const asPublic = receipts.map((receipt, index) =>
    privateAt.has(index) ? receipt.encodedAsPrivate : receipt.encoded,
  );
  const publicTrie = await ReceiptTrie.of(asPublic);
  return publicTrie.root === block.receiptsRoot ? { block, receipts, privateAt, trie: publicTrie } : undefined;
}
