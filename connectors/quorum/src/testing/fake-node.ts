/** `EvmNode` in memory: one account's nonces, a pool and blocks, under the rules that nodes have in common. */
import { LedgerUnavailableError } from '@drawbridge/connector-sdk/ledger-connector';
import type { Bytes32, Hex } from '@drawbridge/protocol/bytes32';
import type { EvmLog } from '@drawbridge/protocol/observer-evidence';
import type {
  BlockTag,
  CallRequest,
  EvmBlock,
  EvmNode,
  EvmReceipt,
  Refused,
  Reverted,
  SendRefusal,
} from '../evm-node.ts';
import { parseSigned, type SignedTransaction } from '../fee-key.ts';

type Mined = { transaction: SignedTransaction; block: number; success: boolean };

export class FakeNode implements EvmNode {
  head = 1;
  baseFeeWei: bigint | undefined = 10n;
  tipWei: bigint | undefined = 2n;
  gasPrice = 5n;
  pool = new Map<number, SignedTransaction>();
  mined: Mined[] = [];
  /** Every raw transaction that was handed in, refused ones too. */
  sent: Hex[] = [];
  /** Answers to the next sends, before the rules are looked at. */
  answers: (SendRefusal | 'lost' | 'taken')[] = [];
  /** How often a count of transactions was asked for. */
  counts = 0;
  /** No answer to anything. */
  down = false;
  /** Mined transactions revert. */
  reverts = false;
  chainLogs: EvmLog[] = [];
  /** Largest range that it answers logs of. */
  maxLogRange = Number.POSITIVE_INFINITY;
  forks = new Map<number, number>();

  async chainId() {
    return 1;
  }
  async blockNumber() {
    this.#up();
    return this.head;
  }
  async block(tag: number | 'latest'): Promise<EvmBlock | undefined> {
    const number = tag === 'latest' ? this.head : tag;
    if (number > this.head) return undefined;
    const { baseFeeWei } = this;
    const base = { number, hash: this.hashOf(number), timestampSeconds: number };
    return baseFeeWei === undefined ? base : { ...base, baseFeeWei };
  }
  async transactionCount(_address: string, tag: 'latest' | 'pending') {
    this.counts += 1;
    this.#up();
    let next = this.mined.length;
    while (tag === 'pending' && this.pool.has(next)) next += 1;
    return next;
  }
  async receipt(hash: Bytes32): Promise<EvmReceipt | undefined> {
    const found = this.mined.find(({ transaction }) => transaction.hash === hash);
    return found && { blockNumber: found.block, blockHash: this.hashOf(found.block), success: found.success };
  }
  async knowsTransaction(hash: Bytes32) {
    return [...this.pool.values(), ...this.mined.map(({ transaction }) => transaction)].some(
      (known) => known.hash === hash,
    );
  }
  async sendRaw(raw: Hex): Promise<SendRefusal | undefined> {
    this.#up();
    this.sent.push(raw);
    const answer = this.answers.shift();
    if (answer !== undefined && answer !== 'lost' && answer !== 'taken') return answer;
    const refusal = this.#take(parseSigned(raw));
    if (answer === 'lost') throw new LedgerUnavailableError('the answer was lost');
    return refusal;
  }
  async estimateGas(_request: CallRequest, _tag: BlockTag): Promise<{ type: 'gas'; gas: bigint } | Reverted | Refused> {
    return { type: 'gas', gas: 100_000n };
  }
  async call(_request: CallRequest, _tag: BlockTag): Promise<{ type: 'returned'; data: Hex } | Reverted | Refused> {
    return { type: 'returned', data: '0x' };
  }
  async logs({ fromBlock, toBlock }: { fromBlock: number; toBlock: number }) {
    if (this.down || toBlock - fromBlock + 1 > this.maxLogRange) throw new LedgerUnavailableError('range too large');
    return this.chainLogs.filter(({ blockNumber }) => blockNumber >= fromBlock && blockNumber <= toBlock);
  }
  async gasPriceWei() {
    return this.gasPrice;
  }
  async priorityFeeWei() {
    return this.tipWei;
  }

  hashOf(block: number): Bytes32 {
    const fork = (this.forks.get(block) ?? 0).toString(16).padStart(2, '0');
    return `0x${fork}${block.toString(16).padStart(62, '0')}` as Bytes32;
  }
  /** Blocks with whatever in the pool can go. */
  mine(blocks = 1): void {
    for (let n = 0; n < blocks; n += 1) {
      this.head += 1;
      for (let next = this.pool.get(this.mined.length); next; next = this.pool.get(this.mined.length)) {
        this.pool.delete(next.nonce);
        this.mined.push({ transaction: next, block: this.head, success: !this.reverts });
      }
    }
  }
  /** The last blocks are replaced by empty ones; what they held is in no pool. */
  reorganise(blocks: number): void {
    this.mined = this.mined.filter(({ block }) => block <= this.head - blocks);
    for (let block = this.head - blocks + 1; block <= this.head; block += 1) {
      this.forks.set(block, (this.forks.get(block) ?? 0) + 1);
    }
  }

  #up(): void {
    if (this.down) throw new LedgerUnavailableError('down');
  }

  #take(transaction: SignedTransaction): SendRefusal | undefined {
    if (transaction.nonce < this.mined.length) return 'nonce-too-low';
    const known = this.pool.get(transaction.nonce);
    if (known?.hash === transaction.hash) return 'already-known';
    if (known && offer(transaction) * 10n < offer(known) * 11n) return 'replacement-underpriced';
    if (this.baseFeeWei !== undefined && offer(transaction) < this.baseFeeWei) return 'underpriced';
    this.pool.set(transaction.nonce, transaction);
    return undefined;
  }
}

const offer = ({ fees }: SignedTransaction): bigint => (fees.kind === 'legacy' ? fees.gasPriceWei : fees.maxFeeWei);
