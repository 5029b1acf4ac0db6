/** A node by rote: what each method answers, and what it was asked. */
import { CactusError } from '@drawbridge/connector-cactus/cactus-error';
import { type EthereumRpc, type NodeAnswer, refusal } from '../ethereum-rpc.ts';

type Reply = (params: readonly unknown[]) => NodeAnswer | 'silent';

export class FakeRpc implements EthereumRpc {
  readonly asked: Readonly<{ method: string; params: readonly unknown[] }>[] = [];
  readonly #replies = new Map<string, Reply>();

  on(method: string, reply: Reply): this {
    this.#replies.set(method, reply);
    return this;
  }

  answer(method: string, result: unknown): this {
    return this.on(method, () => ({ result }));
  }

  async try(method: string, params: readonly unknown[]): Promise<NodeAnswer> {
    this.asked.push({ method, params });
    const reply = this.#replies.get(method)?.(params) ?? 'silent';
    if (reply === 'silent') throw new CactusError('LEDGER_UNAVAILABLE', `the node did not answer ${method}`);
    return reply;
  }

  async ask(method: string, ...params: unknown[]): Promise<unknown> {
    const answer = await this.try(method, params);
    if ('result' in answer) return answer.result;
    throw refusal(method, answer.refused);
  }

  of(method: string): readonly (readonly unknown[])[] {
    return this.asked.filter((call) => call.method === method).map(({ params }) => params);
  }
}

export const HASH = `0x${'ab'.repeat(32)}`;
export const ACCOUNT = `0x${'11'.repeat(20)}`;

/** A receipt as a node answers it. */
export const nodeReceipt = (overrides: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> => ({
  status: '0x1',
  transactionHash: HASH,
  transactionIndex: '0x0',
  blockHash: HASH,
  blockNumber: '0x5',
  gasUsed: '0x5208',
  cumulativeGasUsed: '0x5208',
  contractAddress: null,
  from: ACCOUNT,
  to: ACCOUNT,
  logs: [],
  logsBloom: `0x${'00'.repeat(256)}`,
  ...overrides,
});
