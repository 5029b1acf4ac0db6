/**
 * The core as its API sees it. The API knows nothing of Raft, disks or keys; the node knows nothing of HTTP.
 */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { AssetCode, NetworkId, ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { Receipt } from '@drawbridge/protocol/ledger/receipt';
import type { StateRef } from '@drawbridge/protocol/state-ref';
import type { Command, Outcome } from './settlement/command.ts';
import type { ParticipantEvent, StatementLine, Transfer, TransferState } from './settlement/record.ts';
import type { SettlementView, UnmatchedLock } from './settlement/view.ts';

/** `view.seqno` of the log entry that holds a transaction: Raft term and index. */
export type TransactionId = `${number}.${number}`;

export type Committed = Readonly<{
  outcome: Outcome;
  transactionId: TransactionId;
  /** As its command left it, where that was applied for this answer; else it is to be looked up. */
  transfer?: Transfer;
}>;

/** Refused before anything was proposed; safe to send again with the same id. */
export class SubmitError extends Error {
  override readonly name = 'SubmitError';
  readonly code: 'NOT_LEADER' | 'OVERLOADED' | 'STOPPING' | 'UNCERTAIN';

  constructor(code: SubmitError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type Page<T> = Readonly<{
  items: readonly T[] /** Pass as `after` for the next page; absent at the end. */;
  next?: number;
}>;

/** Ended transfers, statements and events: what the past left. All reads see at least what was answered. */
export interface HistoryReader {
  transfer(bank: ParticipantId, id: TransferId): Transfer | undefined;
  /** Transfers of `participant` (debtor or creditor) that ended in `state`, oldest first. `after` 0 = from the start. */
  endedTransfers(participant: ParticipantId, state: TransferState, after: number, limit: number): Page<Transfer>;
  /** Lines with `line > after`. */
  statement(participant: ParticipantId, asset: AssetCode, after: number, limit: number): Page<StatementLine>;
  /** Events with `number > after`. */
  events(participant: ParticipantId, after: number, limit: number): Page<ParticipantEvent>;
}

/** One sealed instruction for the queue. */
export type OutboxItem = Readonly<{ cursor: number; jobId: string; sealed: string; supersedes: readonly string[] }>;

export type EvidenceResult = Readonly<{
  jobId: string;
  /** `accepted` and `duplicate` are done; `early` comes again later; `refused` will never be accepted as it is. */
  result: 'accepted' | 'duplicate' | 'early' | 'refused';
  code?: string;
  detail?: string;
  expectedSeq?: number;
}>;

export type FollowerCursor = Readonly<{
  network: NetworkId;
  vaults: readonly Readonly<{ asset: AssetCode; address: string; nextEventSeq: number; fromBlock: number }>[];
  /** The tracked head, where the network is believed by consensus. */
  head?: Readonly<{ number: number; hash: Bytes32 }>;
}>;

/** What the core believes to be unspent: where a follower looks for what it has not been told. */
export type BookedStates = Readonly<{
  /** Whether the vault's creation was shown. */
  proven: boolean;
  vaultState: StateRef;
  permits: readonly StateRef[];
  states: readonly Readonly<{ ref: StateRef; kind: 'coin' | 'record' }>[];
  /** Pass as `after` for more. */
  next?: StateRef;
}>;

export interface RelayService {
  /**
   * Signs and seals on reading, after commit. Where there is nothing, waits up to `waitMs` for something; how many wait is the caller's
   * to bound.
   */
  outbox(
    network: NetworkId,
    after: number,
    limit: number,
    waitMs?: number,
  ): Promise<{ items: OutboxItem[]; next: number }>;
  /** Whoever waits for instructions gets an answer now. */
  endOutboxWaits(): void;
  /** Opens, verifies and proposes each; answers after commit, in the order given. */
  acceptEvidence(network: NetworkId, items: readonly { jobId: string; sealed: string }[]): Promise<EvidenceResult[]>;
  cursor(network: NetworkId): FollowerCursor | undefined;
  /** Unspent states of a Corda vault behind `after`; nothing of any other vault. */
  states(network: NetworkId, asset: AssetCode, after: StateRef | undefined, limit: number): BookedStates | undefined;
  /** Public half (SPKI, PEM) of the key that evidence is sealed to. */
  sealingPublicKey(): string;
}

/** `Invalid`: it never happened and never will, as other entries stand in its place. `Unknown`: it may still come. */
export type TransactionStatus = 'Committed' | 'Pending' | 'Invalid' | 'Unknown';

export type LockName = Pick<UnmatchedLock, 'network' | 'asset' | 'lockId'>;

/** Proofs for third parties. Each waits, for a bounded time, for a signature that covers the entry, and asks for one at once. */
export interface ReceiptService {
  /** Without claims, so that anyone may have it. Nothing for what is not committed here. @throws SubmitError `NOT_LEADER` */
  transaction(id: TransactionId): Promise<Receipt | undefined>;
  /** Shows one event of a participant's stream. @throws SubmitError `NOT_LEADER` */
  event(participant: ParticipantId, number: number): Promise<Receipt | undefined>;
  /**
   * Shows a transfer as `participant` was last told of it; with `at`, as it was told in that entry.
   * @throws SubmitError `NOT_LEADER`
   */
  transfer(
    participant: ParticipantId,
    bank: ParticipantId,
    id: TransferId,
    at?: TransactionId,
  ): Promise<Receipt | undefined>;
  /**
   * Shows a lock as the bank that it concerns was last told of it, while it is in suspense; with `at`, as it was told in
   * that entry. @throws SubmitError `NOT_LEADER`
   */
  lock(participant: ParticipantId, lock: LockName, at?: TransactionId): Promise<Receipt | undefined>;
}

export type NodeRole = 'leader' | 'follower' | 'candidate' | 'learner';
export type ServiceStatus = 'open' | 'stopping' | 'failed';

export type NodeStatus = Readonly<{
  nodeId: NodeId;
  /** Number in the Raft group, never used again by another. */
  raftId: number;
  platform: string;
  rollbackProtected: boolean;
  clockProtected: boolean;
  /** Started so that whoever started it can look into it. */
  development: boolean;
  role: NodeRole;
  view: number;
  lastSeqno: number;
  committedSeqno: number;
  /** Newest entry that a signature in the ledger covers; 0 before the first. */
  lastSignedSeqno: number;
  /** Newest entry that was applied when this process began to take part. */
  startupSeqno: number;
  serviceId: Bytes32;
  serviceStatus: ServiceStatus;
}>;

export type NetworkNode = Readonly<{
  nodeId: NodeId;
  raftId: number;
  /** `Learner`: catching up, without a vote. */
  status: 'Trusted' | 'Learner' | 'Pending';
  primary: boolean;
  /** `host:port` for clients and for other nodes. */
  apiAddress: string;
  peerAddress: string;
  platform: string;
}>;

/** The nodes that together are the service, as this one sees them. */
export type ServiceNetwork = Readonly<{
  currentView: number;
  primaryId: NodeId | null;
  nodes: readonly NetworkNode[];
  /** PEM that clients pin; every node's certificate is issued under it. */
  serviceCertificate: string;
}>;

export interface CoreService {
  /** Proposes; resolves after commit and apply with one answer per command. On a follower: by the leader. @throws SubmitError */
  submit(commands: readonly Command[]): Promise<Committed[]>;
  /** Resolves when all that was committed anywhere before the call is applied here. @throws SubmitError `NOT_LEADER`, `STOPPING` */
  barrier(): Promise<void>;
  readonly view: SettlementView;
  readonly history: HistoryReader;
  readonly relay: RelayService;
  readonly receipts: ReceiptService;
  /** Newest transaction that is committed and applied here. */
  committed(): TransactionId;
  transactionStatus(view: number, seqno: number): TransactionStatus;
  status(): NodeStatus;
  network(): ServiceNetwork;
  /** Calls back after each committed entry that left events for `participant`; returns how to stop. */
  onEvents(participant: ParticipantId, listener: () => void): () => void;
}
