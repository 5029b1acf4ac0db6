/** JSON-RPC to one node by ethers, with bounds: for a caller who may ask for anything that the node can answer. */

import { CactusError } from '@drawbridge/connector-cactus/cactus-error';
import { FetchRequest, JsonRpcProvider, Network } from 'ethers';
import { readBounded } from './bounded-answer.ts';

export type EthereumRpcOptions = Readonly<{ url: string; chainId: number; timeoutMs: number; answerBytes: number }>;

/** What a node answered instead of a result. `data` is a revert's ABI-encoded error, where there is one. */
export type NodeRefusal = Readonly<{ code: number; message: string; data?: string }>;
export type NodeAnswer = Readonly<{ result: unknown }> | Readonly<{ refused: NodeRefusal }>;

/** One node, as the operations need it. */
export interface EthereumRpc {
  /** @throws CactusError LEDGER_UNAVAILABLE when there was no answer */
  try(method: string, params: readonly unknown[]): Promise<NodeAnswer>;
  /** A result. @throws CactusError LEDGER_UNAVAILABLE, or NODE_REFUSED when the node answered an error */
  ask(method: string, ...params: unknown[]): Promise<unknown>;
}

/** JSON-RPC 2.0 refusals are kept short: a node may echo what it was sent. */
const MAX_REFUSAL_CHARS = 300;
const REVERT_CODE = 3;
const HEX_BYTES = /^0x([0-9a-fA-F]{2})+$/;

export class EthersRpc implements EthereumRpc {
  readonly #provider: JsonRpcProvider;

  constructor(options: EthereumRpcOptions) {
    const { url, chainId, timeoutMs, answerBytes } = options;
    const request = new FetchRequest(url);
    request.timeout = timeoutMs;
    request.setThrottleParams({ maxAttempts: 1 });
    request.getUrlFunc = (asked) => readBounded(asked, { timeoutMs, answerBytes });
    this.#provider = new JsonRpcProvider(request, undefined, {
      staticNetwork: Network.from(chainId),
      // One call per request: a huge answer to one caller must not fail another's.
      batchMaxCount: 1,
      cacheTimeout: -1,
    });
  }

  close(): void {
    this.#provider.destroy();
  }

  async ask(method: string, ...params: unknown[]): Promise<unknown> {
    const answer = await this.try(method, params);
    if ('result' in answer) return answer.result;
    throw refusal(method, answer.refused);
  }

  async try(method: string, params: readonly unknown[]): Promise<NodeAnswer> {
    try {
      return { result: (await this.#provider.send(method, [...params])) as unknown };
    } catch (cause) {
      const refused = refusalOf(cause);
      if (refused) return { refused };
      throw new CactusError('LEDGER_UNAVAILABLE', `the node did not answer ${method}`, { cause });
    }
  }
}

/** A refusal as an error: `REVERTED` where the contract itself refused, with its data. */
export function refusal(method: string, refused: NodeRefusal): CactusError {
  const { code, message, data } = refused;
  const details = { nodeCode: String(code), nodeMessage: message, ...(data !== undefined && { data }) };
  return data !== undefined || code === REVERT_CODE || /revert/i.test(message)
    ? new CactusError('REVERTED', `the contract refused: ${message}`, { details })
    : new CactusError('NODE_REFUSED', `the node refused ${method}: ${message}`, { details });
}

/** ethers wraps a node's error; where it lies depends on what ethers made of it. */
function refusalOf(error: unknown): NodeRefusal | undefined {
  const outer = fields(error);
  for (const candidate of [fields(outer?.info)?.error, outer?.error]) {
    const inner = fields(candidate);
    if (!inner || typeof inner.code !== 'number' || typeof inner.message !== 'string') continue;
    const data = fields(inner.data)?.data ?? inner.data;
    return {
      code: inner.code,
      message: inner.message.slice(0, MAX_REFUSAL_CHARS),
      ...(typeof data === 'string' && HEX_BYTES.test(data) && { data }),
    };
  }
  return undefined;
}

/** Members of a JSON object; `undefined` for anything else. */
export function fields(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
