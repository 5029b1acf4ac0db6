/** `SealedBlocks` in memory: a chain that grows and forks. A header's bytes say its hash, so that batches can be read. */
import { LedgerUnavailableError } from '@drawbridge/connector-sdk/ledger-connector';
import { type Bytes32, fromHex, parseBytes32, toHex, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import type { BlockReceipt } from '../consensus/receipt-rlp.ts';
import type { SealedBlock, SealedBlocks } from '../consensus/sealed-blocks.ts';

export class FakeSealedChain implements SealedBlocks {
  tip = 0;
  /** No answer to anything. */
  down = false;
  /** Blocks that the node says it does not have. */
  missing = new Set<number>();
  /** Blocks from here on are of another branch. */
  forkedFrom = Number.POSITIVE_INFINITY;
  branch = 0;
  headerBytes = 64;
  /** Numbers of the blocks that were asked for. */
  asked: number[] = [];
  /** Runs before a block is answered. */
  onAsk: (number: number) => void = () => undefined;

  hashOf(number: number): Bytes32 {
    if (number < 0) return ZERO_BYTES32;
    const branch = number >= this.forkedFrom ? this.branch : 0;
    return parseBytes32(`0x${branch.toString(16).padStart(2, '0')}${number.toString(16).padStart(62, '0')}`);
  }

  /** Blocks from `number` on are replaced. */
  fork(number: number): void {
    this.forkedFrom = number;
    this.branch += 1;
  }

  async blockNumber(): Promise<number> {
    this.#up();
    return this.tip;
  }

  async sealedBlock(number: number): Promise<SealedBlock | undefined> {
    this.#up();
    this.asked.push(number);
    this.onAsk(number);
    if (number > this.tip || this.missing.has(number)) return undefined;
    const hash = this.hashOf(number);
    const header = new Uint8Array(this.headerBytes);
    header.set(fromHex(hash));
    return { number, hash, parentHash: this.hashOf(number - 1), receiptsRoot: ZERO_BYTES32, header, transactions: [] };
  }

  async blockReceipts(): Promise<readonly BlockReceipt[]> {
    return [];
  }

  async privateTransactions(): Promise<ReadonlySet<number>> {
    return new Set();
  }

  #up(): void {
    if (this.down) throw new LedgerUnavailableError('down');
  }
}

/** The number of the block whose header this is, in a chain like the one above. */
export function numberIn(header: Uint8Array): number {
  return Number(`0x${toHex(header.subarray(1, 32)).slice(2)}`);
}
