/** What a hub does at the core: take sealed instructions, hand in sealed evidence. */
import type {
  CursorResource,
  EvidenceItem,
  EvidenceItemResult,
  EvidenceResponse,
  OutboxPage,
  SealingKeyResource,
  StatesPage,
} from '@drawbridge/protocol/api/relay';
import type { AssetCode, NetworkId } from '@drawbridge/protocol/ids';
import type { StateRef } from '@drawbridge/protocol/state-ref';
import { Connection, type ConnectionOptions } from './connection.ts';

/** `signal` gives the wait up. */
export type OutboxWait = Readonly<{ waitMs?: number; signal?: AbortSignal }>;

export class RelayClient {
  readonly #connection: Connection;

  constructor(options: ConnectionOptions) {
    this.#connection = new Connection(options);
  }

  /**
   * Open instructions of `network` with a cursor above `after`. Where there are none the core waits up to `waitMs` for some, which
   * must be less than the connection's own bound of an answer. @throws ProblemError, ConnectionError
   */
  async outbox(network: NetworkId, after: number, limit: number, wait: OutboxWait = {}): Promise<OutboxPage> {
    const { waitMs, signal } = wait;
    const params = { network, after, limit, ...(waitMs !== undefined && { waitMs }) };
    const request = { url: '/v1/relay/outbox', params, ...(signal && { signal }) };
    return (await this.#connection.request<OutboxPage>(request)).body;
  }

  /** One result per item, in order. @throws ProblemError, ConnectionError */
  async postEvidence(network: NetworkId, items: readonly EvidenceItem[]): Promise<readonly EvidenceItemResult[]> {
    const data = { network, items };
    const { body } = await this.#connection.request<EvidenceResponse>({
      method: 'POST',
      url: '/v1/relay/evidence',
      data,
    });
    return body.results;
  }

  /** Where followers of `network` go on. @throws ProblemError, ConnectionError */
  async cursor(network: NetworkId): Promise<CursorResource> {
    return (await this.#connection.request<CursorResource>({ url: '/v1/relay/cursor', params: { network } })).body;
  }

  /**
   * States of a Corda vault that the core believes to be unspent, behind `after`: for connectors of its network.
   * @throws ProblemError, ConnectionError
   */
  async states(network: NetworkId, asset: AssetCode, after?: StateRef): Promise<StatesPage> {
    const params = { network, asset, ...(after !== undefined && { after }) };
    return (await this.#connection.request<StatesPage>({ url: '/v1/relay/states', params })).body;
  }

  /** The key that evidence is sealed to. @throws ProblemError, ConnectionError */
  async sealingKey(): Promise<SealingKeyResource> {
    return (await this.#connection.request<SealingKeyResource>({ url: '/v1/relay/sealing-key' })).body;
  }

  close(): void {
    this.#connection.close();
  }
}
