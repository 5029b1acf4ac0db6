/** The trie of a block's receipts, whole, and the path to one of them. Receipts are keyed by the RLP of their position. */
import { type Bytes32, toBytes32 } from '@drawbridge/protocol/bytes32';
import { createMerkleProof, createMPT, type MerklePatriciaTrie } from '@ethereumjs/mpt';
import { RLP } from '@ethereumjs/rlp';

export class ReceiptTrie {
  readonly #trie: MerklePatriciaTrie;

  private constructor(trie: MerklePatriciaTrie) {
    this.#trie = trie;
  }

  /** O(receipts · log receipts) hashes. @param encoded receipts as consensus encodes them, in order. */
  static async of(encoded: readonly Uint8Array[]): Promise<ReceiptTrie> {
    const trie = await createMPT();
    for (const [index, receipt] of encoded.entries()) await trie.put(RLP.encode(index), receipt);
    return new ReceiptTrie(trie);
  }

  get root(): Bytes32 {
    return toBytes32(this.#trie.root());
  }

  /** Nodes from the root to the receipt's leaf. */
  async prove(transactionIndex: number): Promise<readonly Uint8Array[]> {
    return createMerkleProof(this.#trie, RLP.encode(transactionIndex));
  }
}
