/**
 * One node of the core: replicated state, ledger, history and relay behind `CoreService`, alone or one of several. Knows
 * nothing of HTTP. Whatever makes it unable to go on correctly stops it for good, with one line in the log that says what to do.
 */

import type { Registry } from '@drawbridge/governance/registry';
import type { ParticipantId } from '@drawbridge/protocol/ids';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { GenesisRecord, ServiceEntry } from '@drawbridge/protocol/ledger/service-entry';
import type { ConfState } from '../consensus/raft-types.ts';
import type { Replica } from '../consensus/replica.ts';
import type { ReplicaOptions } from '../consensus/replica-options.ts';
import {
  type Committed,
  type CoreService,
  type HistoryReader,
  type NodeStatus,
  type ReceiptService,
  type RelayService,
  type ServiceNetwork,
  SubmitError,
  type TransactionId,
  type TransactionStatus,
} from '../core-service.ts';
import type { LedgerKeys } from '../keys/ledger-keys.ts';
import type { ServiceOutcome } from '../membership/apply-service.ts';
import type { MembershipState, NodeState } from '../membership/membership-state.ts';
import type { NodeLog } from '../node-log.ts';
import type { Platform } from '../platform/platform.ts';
import { CoreRelay } from '../relay/core-relay.ts';
import type { Command } from '../settlement/command.ts';
import type { Rulebook } from '../settlement/rules.ts';
import type { SettlementView } from '../settlement/view.ts';
import type { ForwarderOptions } from './forwarder.ts';
import type { MembershipDutyOptions } from './membership-duty.ts';
import type { NodeHost } from './node-host.ts';
import type { NodeParts } from './node-parts.ts';
import type { OpenPeers } from './node-peers.ts';
import { admissionDesk, startNode } from './node-start.ts';
import type { OpenStorage } from './node-storage.ts';
import { networkOf, statusOfTransaction } from './node-view.ts';
import type { ProposerOptions } from './proposer.ts';
import type { OpenRekey } from './replicated-machine.ts';
import type { SignatureDutyOptions } from './signature-duty.ts';
import type { SnapshotDutyOptions } from './snapshot-duty.ts';

export type CoreNodeOptions = Readonly<{
  /** Number of this node in the Raft group. */
  raftId: number;
  /** It was admitted by a service that others run, and begins with what they send. */
  joined: boolean;
  /** Shown in the status: the process was started so that it can be looked into. */
  development?: boolean;
  replica?: Partial<Omit<ReplicaOptions, 'id' | 'bootstrap'>>;
  proposer?: ProposerOptions;
  forwarder?: ForwarderOptions;
  signatures?: SignatureDutyOptions;
  snapshots?: SnapshotDutyOptions;
  membership?: MembershipDutyOptions;
  /** How long an answer waits for the signature that covers it. Default 5 s. */
  signatureTimeoutMs?: number;
  /** How long a stop waits for answers that are under way. Default 5 s. */
  stopTimeoutMs?: number;
}>;

/** The first state, sealed, and what the ledger says of it at seqno 1. */
export type Genesis = Readonly<{ content: Uint8Array; record: GenesisRecord }>;

export type CoreNodeDependencies = Readonly<{
  /** `sign`: ECDSA P-384 over the SHA-256 of the message, DER. */
  identity: Readonly<{ nodeId: NodeId; sign: (message: Uint8Array) => Promise<Uint8Array> }>;
  keys: LedgerKeys;
  /** The new secret of a rekey, as this node can open it. */
  openRekey: OpenRekey;
  /** A new ledger secret for the nodes that are to have it. */
  makeRekey: (nodes: readonly NodeState[]) => ServiceEntry;
  /** Makes the ledger secrets durable, where the platform lets a node restart with them. */
  saveSecrets: () => Promise<void>;
  openStorage: OpenStorage;
  platform: Platform;
  /** The compiled consensus engine; `loadRaftModule` gives it. */
  engine: WebAssembly.Module;
  genesis: () => Promise<Genesis>;
  /** PEM that clients and nodes pin. */
  serviceCertificate: string;
  /** Nothing for a node that stays alone. */
  openPeers?: OpenPeers;
  /** What a node asks that joins or came back; `propose` puts what the leader grants it into the ledger. */
  admit?: (nodeId: NodeId, body: Uint8Array, desk: AdmissionDesk) => Promise<Uint8Array>;
  rules?: Rulebook;
  host: NodeHost;
  log: NodeLog;
  /** The node has stopped for good. */
  onFailed: (error: unknown) => void;
}>;

/** What an admission needs of the node that serves it. */
export type AdmissionDesk = Readonly<{
  /** Of this node. */
  raftId: number;
  leads: boolean;
  /** It is the only voter. */
  isAlone: boolean;
  view: SettlementView;
  registry: Registry;
  membership: MembershipState;
  genesis: () => Promise<Genesis>;
  propose: (entry: ServiceEntry) => Promise<ServiceOutcome>;
}>;

export class CoreNode implements CoreService {
  readonly relay: RelayService;
  readonly #options: CoreNodeOptions;
  readonly #uses: CoreNodeDependencies;
  readonly #parts: NodeParts;

  private constructor(options: CoreNodeOptions, uses: CoreNodeDependencies, parts: NodeParts) {
    this.#options = options;
    this.#uses = uses;
    this.#parts = parts;
    this.relay = new CoreRelay(this, (network) => parts.signedOutboxEnd(network), parts.outboxWaiters);
  }

  /**
   * Opens what is in the node's folder, or begins it; resolves when this node takes part and has applied all that was
   * committed when it began.
   * @throws LogDamagedError, LogLockedError, LedgerDamagedError, SealBrokenError, EntryUnreadableError, InvariantError
   */
  static async start(options: CoreNodeOptions, uses: CoreNodeDependencies): Promise<CoreNode> {
    const parts = await startNode(options, uses);
    return new CoreNode(options, uses, parts);
  }

  get view(): SettlementView {
    return this.#parts.machine.settlement;
  }

  get history(): HistoryReader {
    return this.#parts.storage.history;
  }

  get receipts(): ReceiptService {
    return this.#parts.receipts;
  }

  submit(commands: readonly Command[]): Promise<Committed[]> {
    if (this.#parts.serviceStatus !== 'open') {
      return Promise.reject(new SubmitError('STOPPING', 'the core is stopping'));
    }
    return this.#parts.forwarder.submit(commands);
  }

  barrier(): Promise<void> {
    return this.#parts.barrier();
  }

  onEvents(participant: ParticipantId, listener: () => void): () => void {
    return this.#parts.listeners.add(participant, listener);
  }

  committed(): TransactionId {
    const { machine } = this.#parts;
    return `${machine.view}.${machine.index}`;
  }

  transactionStatus(view: number, seqno: number): TransactionStatus {
    const { machine } = this.#parts;
    const local = { committed: { view: machine.view, seqno: machine.index }, view: this.#replica.status().term };
    return statusOfTransaction({ view, seqno }, local, (at) => machine.viewOf(at));
  }

  status(): NodeStatus {
    const { identity, platform } = this.#uses;
    const { raftId, development } = this.#options;
    const { role, term, lastIndex, members } = this.#replica.status();
    const { machine, serviceStatus, startupSeqno } = this.#parts;
    const isLearner = !members.voters.includes(raftId);
    return {
      nodeId: identity.nodeId,
      raftId,
      platform: platform.kind,
      rollbackProtected: this.#parts.rollbackProtected(),
      clockProtected: this.#parts.clockReading().clockProtected,
      development: development ?? false,
      role: role === 'preCandidate' ? 'candidate' : isLearner && role === 'follower' ? 'learner' : role,
      view: term,
      lastSeqno: Math.max(lastIndex, machine.index),
      committedSeqno: machine.index,
      lastSignedSeqno: machine.signedThrough,
      startupSeqno,
      serviceId: machine.settlement.serviceId,
      serviceStatus,
    };
  }

  network(): ServiceNetwork {
    const { term, leader } = this.#replica.status();
    const { machine } = this.#parts;
    return networkOf({
      currentView: term,
      leader,
      members: this.members(),
      membership: machine.membership,
      serviceCertificate: this.#uses.serviceCertificate,
    });
  }

  /** For what the node says of itself. */
  desk(): AdmissionDesk {
    return admissionDesk(this.#parts);
  }

  /** As Raft has them now. */
  members(): ConfState {
    return this.#replica.status().members;
  }

  /** Asks another voter to lead. True once it does, false where it did not come about. */
  transferLeadership(to: number): Promise<boolean> {
    return this.#replica.transferLeadership(to);
  }

  /** Takes no more, answers what is under way, makes everything durable. */
  stop(): Promise<void> {
    return this.#parts.stop(this.#options.stopTimeoutMs ?? 5_000);
  }

  get #replica(): Replica {
    return this.#parts.replica;
  }
}
