/** What banks, auditors and operators do at the core, each as far as its certificate reaches. */
import type { AccountList, AccountResource, StatementPage } from '@drawbridge/protocol/api/account';
import type { EventPage, EventResource } from '@drawbridge/protocol/api/event';
import type { LockPage, LockResource } from '@drawbridge/protocol/api/lock';
import type { NodeNetwork, NodeState } from '@drawbridge/protocol/api/node';
import { type EventReceiptPage, MAX_EVENT_RECEIPTS, wholeReceipt } from '@drawbridge/protocol/api/receipt';
import type {
  AssetList,
  AssetResource,
  NetworkList,
  NetworkResource,
  ParticipantResource,
} from '@drawbridge/protocol/api/registry';
import type { ServiceNode, ServiceNodes } from '@drawbridge/protocol/api/service-nodes';
import type { TransactionAnswer } from '@drawbridge/protocol/api/transaction';
import type {
  BatchResponse,
  BatchResult,
  TransferPage,
  TransferRequest,
  TransferResource,
  TransferStateName,
} from '@drawbridge/protocol/api/transfer';
import type { AssetCode, ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import type { BankExportPage } from '@drawbridge/protocol/ledger/bank-export';
import type { Receipt } from '@drawbridge/protocol/ledger/receipt';
import { type Answer, Connection, type ConnectionOptions } from './connection.ts';
import { exportEvents } from './event-export.ts';
import { followEvents } from './event-stream.ts';

/** Whose data: the caller's own, or that of a bank that it supervises. */
export type Subject = Readonly<{ participant?: ParticipantId }>;
export type Paging = Readonly<{ after?: number; limit?: number }>;

type LockName = Pick<LockResource, 'network' | 'asset' | 'lockId'>;

/** With `receipt` the answer comes with the proof of what it says, signed by then. */
export type WriteOptions = Readonly<{ receipt?: boolean }>;
/** `transactionId`: the ledger entry that decided it. */
export type Submitted = Readonly<{
  created: boolean;
  transfer: TransferResource;
  transactionId?: string;
  /** Where it was asked for. */
  receipt?: Receipt;
}>;
/** `receipt`: where it was asked for and could be had in time; an accepted item without one took effect all the same. */
export type BatchItem = Omit<BatchResult, 'proof'> & Readonly<{ receipt?: Receipt }>;

const subjectOf = ({ participant }: Subject): Subject => (participant === undefined ? {} : { participant });

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

  /** The nodes that together are the service. */
  async nodes(): Promise<readonly ServiceNode[]> {
    return (await this.#get<ServiceNodes>('/node/network/nodes')).nodes;
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
   * had been submitted before; so too where this client had to repeat itself to get an answer or its receipt.
   * @throws ProblemError `TRANSFER_ID_CONFLICT` where the id belongs to other terms; `RECEIPT_PENDING` where it took effect
   * and its receipt is to be asked for later
   */
  async submitTransfer(request: TransferRequest, options: WriteOptions = {}): Promise<Submitted> {
    const { status, body, transactionId } = await this.#post<TransferResource>('/v1/transfers', request, options);
    const { receipt, ...transfer } = body;
    return {
      created: status === 201,
      transfer,
      ...(transactionId !== undefined && { transactionId }),
      ...(receipt && { receipt }),
    };
  }

  /** Up to 1,000 at once; each has its own answer, in order. */
  async submitBatch(transfers: readonly TransferRequest[], options: WriteOptions = {}): Promise<readonly BatchItem[]> {
    const { body } = await this.#post<BatchResponse>('/v1/transfers:batch', { transfers }, options);
    const { results, receipts = [] } = body;
    return results.map(({ proof, ...result }) =>
      proof ? { ...result, receipt: wholeReceipt(receipts, proof) } : result,
    );
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

  async cancelTransfer(id: TransferId, options: WriteOptions = {}): Promise<TransferResource> {
    return (await this.#post<TransferResource>(`/v1/transfers/${id}:cancel`, {}, options)).body;
  }

  /** Proof of what the caller was last told of a transfer. `bank`: the debtor, where that is not the caller. */
  transferReceipt(id: TransferId, bank?: ParticipantId): Promise<Receipt> {
    return this.#get(`/v1/transfers/${id}/receipt`, { bank });
  }

  eventReceipt(number: number, subject: Subject = {}): Promise<Receipt> {
    return this.#get(`/v1/events/${number}/receipt`, subject);
  }

  /** Proofs of up to 100 events after a number; `wholeReceipt` puts each together. */
  eventReceipts(options: Subject & Paging = {}): Promise<EventReceiptPage> {
    return this.#get('/v1/events/receipts', options);
  }

  /**
   * Every event of a bank with its proof, for `drawbridge verify ledger --export`: from `after` on up to the newest event
   * when it began. @throws EventGapError where the core leaves one out
   */
  exportEvents(
    options: Subject & Readonly<{ after?: number; signal?: AbortSignal }> = {},
  ): AsyncIterable<BankExportPage> {
    return exportEvents(
      (after) => this.eventReceipts({ ...subjectOf(options), after, limit: MAX_EVENT_RECEIPTS }),
      options,
    );
  }

  /** The receipt of a ledger entry, without claims. Anyone may have it. */
  transactionReceipt(transactionId: string): Promise<Receipt> {
    return this.#get('/node/receipt', { transaction_id: transactionId });
  }

  /** What became of a transaction, as the node that is asked knows it. */
  transactionStatus(transactionId: string): Promise<TransactionAnswer> {
    return this.#get('/node/tx', { transaction_id: transactionId });
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

  refundLock(lock: LockName, options: WriteOptions = {}): Promise<LockResource> {
    return this.#actOnLock(lock, 'refund', options);
  }

  /** Voids the refund of a lock that is `REFUNDING`: once that is proven, the lock is `UNMATCHED` and can be asked for again. */
  cancelLockRefund(lock: LockName, options: WriteOptions = {}): Promise<LockResource> {
    return this.#actOnLock(lock, 'cancel-refund', options);
  }

  claimLock(lock: LockName, options: WriteOptions = {}): Promise<LockResource> {
    return this.#actOnLock(lock, 'claim', options);
  }

  close(): void {
    this.#connection.close();
  }

  async #actOnLock(
    lock: LockName,
    verb: 'refund' | 'cancel-refund' | 'claim',
    options: WriteOptions,
  ): Promise<LockResource> {
    const url = `/v1/locks/${lock.network}/${lock.asset}/${lock.lockId}:${verb}`;
    return (await this.#post<LockResource>(url, {}, options)).body;
  }

  #post<T>(url: string, data: object, { receipt = false }: WriteOptions): Promise<Answer<T>> {
    return this.#connection.request<T>({ method: 'POST', url, data, ...(receipt && { params: { receipt } }) });
  }

  async #get<T>(url: string, params: object = {}): Promise<T> {
    return (await this.#connection.request<T>({ url, params })).body;
  }
}
