/** `EvmNode` over JSON-RPC by ethers, which batches what is asked at the same moment. */
import { LedgerUnavailableError } from '@drawbridge/connector-sdk/ledger-connector';
import { type Bytes32, type Hex, parseBytes32, parseHex } from '@drawbridge/protocol/bytes32';
import { type EvmAddress, parseEvmAddress } from '@drawbridge/protocol/ids';
import type { EvmLog } from '@drawbridge/protocol/observer-evidence';
import { FetchRequest, JsonRpcProvider, Network } from 'ethers';
import { boundedTransport } from './bounded-transport.ts';
import type {
  BlockTag,
  CallRequest,
  EvmBlock,
  EvmNode,
  EvmReceipt,
  Refused,
  Reverted,
  SendRefusal,
} from './evm-node.ts';

export type RpcNodeOptions = Readonly<{
  url: string;
  chainId: number;
  timeoutMs: number;
  /** A longer answer is none. Without it, answers are as long as the node likes. */
  maxAnswerBytes?: number;
}>;

/** Calls sent in one HTTP request, and how long the first waits for company. */
const BATCH_CALLS = 50;
const BATCH_WAIT_MS = 1;

/** JSON-RPC 2.0, section 5.1. */
const INVALID_PARAMS = -32_602;

/** What a node answers instead of a result. */
export type RpcError = Readonly<{ code: number; message: string; data?: unknown }>;
export type RpcAnswer = Readonly<{ result: unknown } | { refused: RpcError }>;

export class RpcNode implements EvmNode {
  readonly #provider: JsonRpcProvider;

  constructor(options: RpcNodeOptions) {
    const request = new FetchRequest(options.url);
    request.timeout = options.timeoutMs;
    const { timeoutMs, maxAnswerBytes } = options;
    if (maxAnswerBytes !== undefined) request.getUrlFunc = boundedTransport({ timeoutMs, maxAnswerBytes });
    this.#provider = new JsonRpcProvider(request, undefined, {
      staticNetwork: Network.from(options.chainId),
      batchMaxCount: BATCH_CALLS,
      batchStallTime: BATCH_WAIT_MS,
      // A cached answer could be older than the transaction that it is asked about.
      cacheTimeout: -1,
    });
  }

  close(): void {
    this.#provider.destroy();
  }

  async chainId(): Promise<number> {
    return Number(await this.#ask('eth_chainId'));
  }

  async blockNumber(): Promise<number> {
    return Number(await this.#ask('eth_blockNumber'));
  }

  async block(tag: number | 'latest'): Promise<EvmBlock | undefined> {
    const block = fields(await this.#ask('eth_getBlockByNumber', tagText(tag), false));
    if (!block) return undefined;
    const baseFee = block.baseFeePerGas;
    return {
      number: number(block.number),
      hash: word(block.hash),
      timestampSeconds: number(block.timestamp),
      ...(typeof baseFee === 'string' ? { baseFeeWei: BigInt(baseFee) } : {}),
    };
  }

  async transactionCount(address: EvmAddress, tag: 'latest' | 'pending'): Promise<number> {
    return number(await this.#ask('eth_getTransactionCount', address, tag));
  }

  async receipt(hash: Bytes32): Promise<EvmReceipt | undefined> {
    const receipt = fields(await this.#ask('eth_getTransactionReceipt', hash));
    if (!receipt) return undefined;
    return {
      blockNumber: number(receipt.blockNumber),
      blockHash: word(receipt.blockHash),
      success: number(receipt.status) === 1,
    };
  }

  async knowsTransaction(hash: Bytes32): Promise<boolean> {
    return fields(await this.#ask('eth_getTransactionByHash', hash)) !== undefined;
  }

  async sendRaw(raw: Hex): Promise<SendRefusal | undefined> {
    const answer = await this.request('eth_sendRawTransaction', raw);
    return 'refused' in answer ? sendRefusal(answer.refused.message) : undefined;
  }

  async estimateGas(
    request: CallRequest,
    tag: BlockTag,
  ): Promise<Readonly<{ type: 'gas'; gas: bigint }> | Reverted | Refused> {
    let answer = await this.request('eth_estimateGas', request, tagText(tag));
    // Some nodes take no block here.
    if ('refused' in answer && answer.refused.code === INVALID_PARAMS)
      answer = await this.request('eth_estimateGas', request);
    return 'refused' in answer ? reverted(answer.refused) : { type: 'gas', gas: BigInt(text(answer.result)) };
  }

  async call(
    request: CallRequest,
    tag: BlockTag,
  ): Promise<Readonly<{ type: 'returned'; data: Hex }> | Reverted | Refused> {
    const answer = await this.request('eth_call', request, tagText(tag));
    return 'refused' in answer ? reverted(answer.refused) : { type: 'returned', data: parseHex(text(answer.result)) };
  }

  async logs(query: { addresses: readonly EvmAddress[]; fromBlock: number; toBlock: number }): Promise<EvmLog[]> {
    const { addresses, fromBlock, toBlock } = query;
    const filter = { address: addresses, fromBlock: tagText(fromBlock), toBlock: tagText(toBlock) };
    const logs = await this.#ask('eth_getLogs', filter);
    if (!Array.isArray(logs)) throw unavailable('eth_getLogs', 'it answered no list');
    return logs.map((log: unknown) => logOf(fields(log) ?? {}));
  }

  async gasPriceWei(): Promise<bigint> {
    return BigInt(text(await this.#ask('eth_gasPrice')));
  }

  async priorityFeeWei(): Promise<bigint | undefined> {
    const answer = await this.request('eth_maxPriorityFeePerGas');
    return 'refused' in answer ? undefined : BigInt(text(answer.result));
  }

  /** A result, or no answer: for methods that a healthy node does not refuse. */
  async #ask(method: string, ...params: unknown[]): Promise<unknown> {
    const answer = await this.request(method, ...params);
    if ('refused' in answer) throw unavailable(method, `it answered error ${answer.refused.code}`);
    return answer.result;
  }

  /** Any method; a refusal is an answer. @throws LedgerUnavailableError for none. */
  async request(method: string, ...params: unknown[]): Promise<RpcAnswer> {
    try {
      return { result: (await this.#provider.send(method, params)) as unknown };
    } catch (cause) {
      const refused = rpcError(cause);
      if (refused) return { refused };
      throw unavailable(method, 'it did not answer', cause);
    }
  }
}

function unavailable(method: string, why: string, cause?: unknown): LedgerUnavailableError {
  return new LedgerUnavailableError(`the node was asked ${method}: ${why}`, { cause });
}

/** ethers wraps a node's error; where it lies depends on what ethers made of it. */
function rpcError(error: unknown): RpcError | undefined {
  const outer = fields(error);
  for (const candidate of [fields(outer?.info)?.error, outer?.error]) {
    const inner = fields(candidate);
    if (inner && typeof inner.code === 'number' && typeof inner.message === 'string') {
      return { code: inner.code, message: inner.message, data: inner.data };
    }
  }
  return undefined;
}

function reverted({ data, message }: RpcError): Reverted | Refused {
  const inner = fields(data)?.data ?? data;
  if (typeof inner === 'string' && /^0x([0-9a-f]{2})+$/i.test(inner))
    return { type: 'reverted', data: parseHex(inner) };
  return /revert/i.test(message)
    ? { type: 'reverted', data: '0x' }
    : { type: 'refused', refusal: sendRefusal(message) };
}

/** Words of geth, GoQuorum, Besu and anvil, in lower case. */
const REFUSALS: readonly (readonly [RegExp, SendRefusal])[] = [
  [/nonce (is )?too low|nonce.*below/, 'nonce-too-low'],
  [/already known|already imported|known transaction/, 'already-known'],
  [/replacement.*underpriced/, 'replacement-underpriced'],
  [
    /underpriced|less than block base fee|below (current )?base fee|fee cap less|gas price (too low|below)/,
    'underpriced',
  ],
  [/insufficient (funds|balance)|upfront cost exceeds/, 'no-funds'],
  [/txpool is full|pool.*full|limit exceeded|too many/, 'pool-full'],
  [/gas limit|intrinsic gas/, 'gas-limit'],
];

export function sendRefusal(message: string): SendRefusal {
  const words = message.toLowerCase();
  return REFUSALS.find(([pattern]) => pattern.test(words))?.[1] ?? 'other';
}

function fields(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

const tagText = (tag: BlockTag): string => (typeof tag === 'number' ? `0x${tag.toString(16)}` : tag);
const text = (value: unknown): string => {
  if (typeof value === 'string') return value;
  throw new LedgerUnavailableError('the node answered something else than it was asked');
};
const number = (value: unknown): number => Number(text(value));
const word = (value: unknown): Bytes32 => parseBytes32(text(value));

function logOf(log: Record<string, unknown>): EvmLog {
  const { topics } = log;
  if (!Array.isArray(topics)) throw new LedgerUnavailableError('the node answered a log without topics');
  return {
    blockNumber: number(log.blockNumber),
    blockHash: word(log.blockHash),
    transactionHash: word(log.transactionHash),
    logIndex: number(log.logIndex),
    address: parseEvmAddress(text(log.address)),
    topics: topics.map((topic: unknown) => word(topic)),
    data: parseHex(text(log.data)),
  };
}
