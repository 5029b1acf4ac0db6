/** What banks, auditors and operators do at the core, each as far as its certificate reaches. */
import type { AccountList, AccountResource, StatementPage } from '@drawbridge/protocol/api/account';
import type { EventPage, EventResource } from '@drawbridge/protocol/api/event';
import type { LockPage, LockResource } from '@drawbridge/protocol/api/lock';
import type { NodeNetwork, NodeState } from '@drawbridge/protocol/api/node';
import type {
  AssetList,
  AssetResource,
  NetworkList,
  NetworkResource,
  ParticipantResource,
} from '@drawbridge/protocol/api/registry';
import type {
  BatchResponse,
  BatchResult,
  TransferPage,
  TransferRequest,
  TransferResource,
  TransferStateName,
} from '@drawbridge/protocol/api/transfer';
import type { AssetCode, ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import { Connection, type ConnectionOptions } from './connection.ts';
import { followEvents } from './event-stream.ts';

/** Whose data: the caller's own, or that of a bank that it supervises. */
export type Subject = Readonly<{ participant?: ParticipantId }>;
export type Paging = Readonly<{ after?: number; limit?: number }>;

/** `transactionId`: the ledger entry that decided it. */
export type Submitted = Readonly<{ created: boolean; transfer: TransferResource; transactionId?: string }>;

export class DrawbridgeClient {
  readonly #connection: Connection;

  constructor(options: ConnectionOptions) {
    this.#connection = new Connection(options);
  }

  nodeState(): Promise<NodeState> {
    return this.#get('/node/state');
  }

  /** The service's certificate and id, as this node says them; pinned already, so that a difference would show. */
  nodeNetwork(): Promise<NodeNetwork> {
    return this.#get('/node/network');
  }

  participant(): Promise<ParticipantResource> {
    return this.#get('/v1/participant');
  }

  async assets(): Promise<readonly AssetResource[]> {
    return (await this.#get<AssetList>('/v1/assets')).assets;
  }

  async networks(): Promise<readonly NetworkResource[]> {
    return (await this.#get<NetworkList>('/v1/networks')).networks;
  }

  async accounts(subject: Subject = {}): Promise<readonly AccountResource[]> {
    return (await this.#get<AccountList>('/v1/accounts', subject)).accounts;
  }

  account(asset: AssetCode, subject: Subject = {}): Promise<AccountResource> {
    return this.#get(`/v1/accounts/${asset}`, subject);
  }

  statement(asset: AssetCode, options: Subject & Paging = {}): Promise<StatementPage> {
    return this.#get(`/v1/accounts/${asset}/statement`, options);
  }

  /**
   * Submits a transfer; sending it again, after whatever failure, is safe. `created` is false where the same transfer
   * had been submitted before. @throws ProblemError `TRANSFER_ID_CONFLICT` where the id belongs to other terms.
   */
  async submitTransfer(request: TransferRequest): Promise<Submitted> {
    const answer = await this.#connection.request<TransferResource>({
      method: 'POST',
      url: '/v1/transfers',
      data: request,
    });
    const { status, body, transactionId } = answer;
    return { created: status === 201, transfer: body, ...(transactionId !== undefined && { transactionId }) };
  }

  /** Up to 1,000 at once; each has its own answer, in order. */
  async submitBatch(transfers: readonly TransferRequest[]): Promise<readonly BatchResult[]> {
    const config = { method: 'POST', url: '/v1/transfers:batch', data: { transfers } };
    return (await this.#connection.request<BatchResponse>(config)).body.results;
  }

  /** `bank`: the debtor, where that is not the caller. */
  transfer(id: TransferId, bank?: ParticipantId): Promise<TransferResource> {
    return this.#get(`/v1/transfers/${id}`, { bank });
  }

  transfers(
    query: { state?: TransferStateName; after?: string; limit?: number } & Subject = {},
  ): Promise<TransferPage> {
    return this.#get('/v1/transfers', query);
  }

  /** Every page of `transfers`, one transfer at a time. */
  async *allTransfers(query: { state?: TransferStateName } & Subject = {}): AsyncIterable<TransferResource> {
    for (let after: string | undefined; ; ) {
      const page = await this.transfers({ ...query, ...(after === undefined ? {} : { after }) });
      yield* page.transfers;
      if (page.next === undefined) return;
      after = page.next;
    }
  }

  async cancelTransfer(id: TransferId): Promise<TransferResource> {
    const config = { method: 'POST', url: `/v1/transfers/${id}:cancel`, data: {} };
    return (await this.#connection.request<TransferResource>(config)).body;
  }

  events(options: Subject & Paging = {}): Promise<EventPage> {
    return this.#get('/v1/events', options);
  }

  /** Every event from `after` on, as it happens, over reconnections and restarts, until `signal`. */
  followEvents(
    options: Subject & Readonly<{ after?: number; signal: AbortSignal; quietMs?: number }>,
  ): AsyncIterable<EventResource> {
    return followEvents(this.#connection, options);
  }

  locks(query: { after?: string; limit?: number } = {}): Promise<LockPage> {
    return this.#get('/v1/locks', query);
  }

  refundLock(lock: Pick<LockResource, 'network' | 'asset' | 'lockId'>): Promise<LockResource> {
    return this.#actOnLock(lock, 'refund');
  }

  /** Voids the refund of a lock that is `REFUNDING`: once that is proven, the lock is `UNMATCHED` and can be asked for again. */
  cancelLockRefund(lock: Pick<LockResource, 'network' | 'asset' | 'lockId'>): Promise<LockResource> {
    return this.#actOnLock(lock, 'cancel-refund');
  }

  claimLock(lock: Pick<LockResource, 'network' | 'asset' | 'lockId'>): Promise<LockResource> {
    return this.#actOnLock(lock, 'claim');
  }

  close(): void {
    this.#connection.close();
  }

  async #actOnLock(
    lock: Pick<LockResource, 'network' | 'asset' | 'lockId'>,
    verb: 'refund' | 'cancel-refund' | 'claim',
  ): Promise<LockResource> {
    const url = `/v1/locks/${lock.network}/${lock.asset}/${lock.lockId}:${verb}`;
    return (await this.#connection.request<LockResource>({ method: 'POST', url, data: {} })).body;
  }

  async #get<T>(url: string, params: object = {}): Promise<T> {
    return (await this.#connection.request<T>({ url, params })).body;
  }
}
