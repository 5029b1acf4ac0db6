/**
 * `SealedBlocks` over JSON-RPC, on nodes that lack raw and batched receipts too: GoQuorum 24.4.1 has neither
 * `debug_getRawHeader` nor `eth_getBlockReceipts`; then each receipt is asked for by itself, many in one HTTP request.
 */
import { LedgerUnavailableError } from '@drawbridge/connector-sdk/ledger-connector';
import { blockHashOf } from '@drawbridge/evidence/sealed-header';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { ConsensusRule } from '@drawbridge/protocol/consensus-evidence';
import type { RpcAnswer } from '../rpc-node.ts';
import { encodeHeader } from './header-rlp.ts';
import { withLowSeals } from './low-seals.ts';
import { type BlockReceipt, readReceipt } from './receipt-rlp.ts';
import { malformed, type RpcObject, rpcList, rpcNumber, rpcObject, rpcWord } from './rpc-value.ts';
import type { SealedBlock, SealedBlocks } from './sealed-blocks.ts';

/** JSON-RPC 2.0: method not found, invalid parameters. EIP-1474: method not supported. Besu: method not enabled. */
const UNSUPPORTED: ReadonlySet<number> = new Set([-32_601, -32_602, -32_004, -32_604]);
/** Receipts asked for at the same time. */
const RECEIPTS_AT_ONCE = 50;
/** `v` of a private transaction of GoQuorum. */
const PRIVATE_V: ReadonlySet<number> = new Set([37, 38]);

export interface RpcCaller {
  /** What the node answered, refusals too. @throws LedgerUnavailableError for no answer. */
  request(method: string, ...params: unknown[]): Promise<RpcAnswer>;
}

export class RpcSealedBlocks implements SealedBlocks {
  readonly #rpc: RpcCaller;
  readonly #rule: ConsensusRule;
  /** Found out once: a node does not learn methods while it runs. */
  #hasBlockReceipts = true;

  /** @param options the rule says where commit seals stand, which are given in the one form that the core takes */
  constructor(options: { rule: ConsensusRule }, dependencies: { rpc: RpcCaller }) {
    this.#rpc = dependencies.rpc;
    this.#rule = options.rule;
  }

  async blockNumber(): Promise<number> {
    return rpcNumber(await this.#ask('eth_blockNumber'), 'a height');
  }

  async sealedBlock(number: number): Promise<SealedBlock | undefined> {
    const answer = await this.#ask('eth_getBlockByNumber', quantity(number), false);
    if (answer === null || answer === undefined) return undefined;
    const block = rpcObject(answer, 'a block');
    if (rpcNumber(block.number, "a block's number") !== number) throw malformed(`block ${number}`);
    const hash = rpcWord(block.hash, "a block's hash");
    const header = withLowSeals(encodeHeader(block), this.#rule);
    // The core would refuse it, and its refusal would keep the block's true header waiting under the same name.
    if (blockHashOf(header, this.#rule) !== hash)
      throw malformed(`a header of block ${number} that hashes to its hash`);
    return {
      number,
      hash,
      parentHash: rpcWord(block.parentHash, "a header's parentHash"),
      receiptsRoot: rpcWord(block.receiptsRoot, "a header's receiptsRoot"),
      header,
      transactions: rpcList(block.transactions, "a block's transactions").map((hash) =>
        rpcWord(hash, "a transaction's hash"),
      ),
    };
  }

  async blockReceipts(block: SealedBlock): Promise<readonly BlockReceipt[]> {
    if (block.transactions.length === 0) return [];
    if (this.#hasBlockReceipts) {
      const answer = await this.#rpc.request('eth_getBlockReceipts', quantity(block.number));
      if ('result' in answer) return readReceipts(block, rpcList(answer.result, "a block's receipts"));
      if (!UNSUPPORTED.has(answer.refused.code)) throw refused('eth_getBlockReceipts', answer.refused.code);
      this.#hasBlockReceipts = false;
    }
    return this.#receiptsOneByOne(block);
  }

  async privateTransactions(block: SealedBlock): Promise<ReadonlySet<number>> {
    const answer = rpcObject(await this.#ask('eth_getBlockByNumber', quantity(block.number), true), 'a block');
    if (rpcWord(answer.hash, "a block's hash") !== block.hash) throw malformed('the same block as before');
    const transactions = rpcList(answer.transactions, "a block's transactions");
    if (transactions.length !== block.transactions.length) throw malformed('all transactions of the block');
    const isPrivate = (transaction: RpcObject): boolean =>
      PRIVATE_V.has(rpcNumber(transaction.v, "a transaction's signature"));
    return new Set(
      [...transactions.keys()].filter((index) => isPrivate(rpcObject(transactions[index], 'a transaction'))),
    );
  }

  async #receiptsOneByOne(block: SealedBlock): Promise<readonly BlockReceipt[]> {
    const receipts: BlockReceipt[] = [];
    for (let at = 0; at < block.transactions.length; at += RECEIPTS_AT_ONCE) {
      const group = block.transactions.slice(at, at + RECEIPTS_AT_ONCE);
      const answers = group.map((hash, offset) => this.#receipt(block, hash, at + offset));
      receipts.push(...(await Promise.all(answers)));
    }
    return receipts;
  }

  async #receipt(block: SealedBlock, transactionHash: Bytes32, transactionIndex: number): Promise<BlockReceipt> {
    const answer = await this.#ask('eth_getTransactionReceipt', transactionHash);
    return readReceipt(answer, { blockHash: block.hash, transactionHash, transactionIndex });
  }

  async #ask(method: string, ...params: unknown[]): Promise<unknown> {
    const answer = await this.#rpc.request(method, ...params);
    if ('refused' in answer) throw refused(method, answer.refused.code);
    return answer.result;
  }
}

function readReceipts(block: SealedBlock, answers: readonly unknown[]): readonly BlockReceipt[] {
  if (answers.length !== block.transactions.length) throw malformed('a receipt for each transaction of the block');
  return block.transactions.map((transactionHash, transactionIndex) =>
    readReceipt(answers[transactionIndex], { blockHash: block.hash, transactionHash, transactionIndex }),
  );
}

function refused(method: string, code: number): LedgerUnavailableError {
  return new LedgerUnavailableError(`the node was asked ${method}: it answered error ${code}`);
}

const quantity = (number: number): string => `0x${number.toString(16)}`;
