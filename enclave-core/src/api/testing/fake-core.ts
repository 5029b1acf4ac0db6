/**
 * A core behind the port that the API calls: memory only, no consensus, no keys. It settles payments at once, lets
 * transfers with a source await their funds, and gives ids once. Enough to test everything that HTTP can show.
 */
import { createHash } from 'node:crypto';
import type { Asset, Network, Participant, ParticipantRole, Vault } from '@drawbridge/governance/registration';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { AssetCode, EvmAddress, NetworkId, ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import { stateRef } from '@drawbridge/protocol/state-ref';
import type {
  Committed,
  CoreService,
  HistoryReader,
  NodeStatus,
  Page,
  ReceiptService,
  RelayService,
  ServiceNetwork,
  TransactionId,
  TransactionStatus,
} from '../../core-service.ts';
import { SubmitError } from '../../core-service.ts';
import type { Command, Outcome, RefusalCode, TransferTerms } from '../../settlement/command.ts';
import {
  type ParticipantEvent,
  type StatementLine,
  TERMINAL_STATES,
  type Transfer,
  type TransferState,
} from '../../settlement/record.ts';
import type { Account, SettlementView, UnmatchedLock, VaultLedger } from '../../settlement/view.ts';
import { FakeReceipts } from './fake-receipts.ts';

export const testWord = (seed: string): Bytes32 => `0x${createHash('sha256').update(seed).digest('hex')}` as Bytes32;
export const EUR = 'EUR' as AssetCode;
export const QUORUM_A = 'quorum-a' as NetworkId;
export const QUORUM_B = 'quorum-b' as NetworkId;
export const VAULT_A: EvmAddress = `0x${'aa'.repeat(20)}` as EvmAddress;

const FAKE_VIEW = 2;
const FIRST_SEQNO = 10;
/** The node that answers, another that leads when it does not, and one that is catching up. */
export const NODES: readonly [NodeId, NodeId, NodeId] = [
  '1a'.repeat(32) as NodeId,
  '2b'.repeat(32) as NodeId,
  '3c'.repeat(32) as NodeId,
];

/** Ids of the registered world: three banks, one auditor of the first, and one of each other role. */
export const WORLD = {
  alpha: 'ALPHA' as ParticipantId,
  beta: 'BETA' as ParticipantId,
  gamma: 'GAMMA' as ParticipantId,
  auditor: 'AUDITOR' as ParticipantId,
  connector: 'CONNECTOR' as ParticipantId,
  observer: 'OBSERVER' as ParticipantId,
  relay: 'RELAY' as ParticipantId,
  operator: 'OPERATOR' as ParticipantId,
} as const;

const ROLES: Readonly<Record<keyof typeof WORLD, ParticipantRole>> = {
  alpha: 'bank',
  beta: 'bank',
  gamma: 'bank',
  auditor: 'auditor',
  connector: 'connector',
  observer: 'observer',
  relay: 'relay',
  operator: 'operator',
};

const network = (id: NetworkId, connectors: readonly ParticipantId[]): Network => ({
  id,
  kind: 'evm',
  chainId: id === QUORUM_A ? 1337 : 1338,
  genesisHash: testWord(`genesis ${id}`),
  finality: { rule: 'observers', observers: [WORLD.observer], threshold: 1, depthBlocks: 3 },
  connectors,
  state: 'active',
  trustVersion: 1,
});

const idKey = (bank: ParticipantId, id: string): string => `${bank}/${id}`;

export class FakeCore implements CoreService {
  /** Places of the instructions that every network has. */
  outbox = [1];
  /** Requests that wait for instructions: called, they are answered. */
  readonly outboxWaits: (() => void)[] = [];
  readonly registered: Participant[];
  readonly assets: Asset[] = [{ code: EUR, scale: 2 }];
  /** `QUORUM_A` is served by the world's connector, `QUORUM_B` by nobody. */
  readonly networks: Network[] = [network(QUORUM_A, [WORLD.connector]), network(QUORUM_B, [])];
  readonly live = new Map<string, Transfer>();
  readonly ended = new Map<string, Transfer>();
  readonly balances = new Map<ParticipantId, Account>();
  readonly lines: StatementLine[] = [];
  readonly stream = new Map<ParticipantId, ParticipantEvent[]>();
  readonly locks: UnmatchedLock[] = [];
  /** Sizes of the submits so far. */
  readonly submits: number[] = [];
  readonly evidence: { jobId: string; sealed: string }[] = [];
  /** What the next submit throws. */
  failNext: SubmitError['code'] | Error | undefined;
  /** What every barrier throws. */
  cutOff: SubmitError['code'] | undefined;
  /** Barriers so far. */
  barriers = 0;
  /** Called by the next barrier before it resolves: what other nodes committed meanwhile. */
  onBarrier: (() => void) | undefined;
  /** What every submit of a transfer is refused with. */
  refuseWith: RefusalCode | undefined;
  nodeStatus: NodeStatus = {
    nodeId: NODES[0],
    raftId: 1,
    platform: 'virtual',
    rollbackProtected: false,
    clockProtected: false,
    development: false,
    role: 'leader',
    view: FAKE_VIEW,
    lastSeqno: FIRST_SEQNO,
    committedSeqno: FIRST_SEQNO,
    lastSignedSeqno: FIRST_SEQNO - 1,
    startupSeqno: 1,
    serviceId: testWord('service'),
    serviceStatus: 'open',
  };
  serviceCertificate = '';
  readonly nowMs = 1_900_000_000_000;
  /** Makes receipts of the right form that no verifier accepts. */
  readonly receipts: FakeReceipts & ReceiptService = new FakeReceipts(this);
  #seqno = FIRST_SEQNO;
  readonly #listeners = new Map<ParticipantId, Set<() => void>>();

  constructor(certificates: Partial<Record<keyof typeof WORLD, Bytes32>> = {}) {
    this.registered = (Object.keys(WORLD) as (keyof typeof WORLD)[]).map((key) => ({
      id: WORLD[key],
      role: ROLES[key],
      name: `The ${key}`,
      certificates: [certificates[key] ?? testWord(key)],
      ...(key === 'auditor' && { supervises: [WORLD.alpha] }),
    }));
  }

  /** Forgets all but the registration, so that tests can share one API. */
  reset(): void {
    for (const map of [this.live, this.ended, this.balances, this.stream]) map.clear();
    for (const list of [this.lines, this.locks, this.submits, this.evidence]) list.length = 0;
    this.failNext = undefined;
    this.cutOff = undefined;
    this.outbox = [1];
    this.barriers = 0;
    this.onBarrier = undefined;
    this.refuseWith = undefined;
    this.#seqno = FIRST_SEQNO;
    this.receipts.reset();
  }

  submit(commands: readonly Command[]): Promise<Committed[]> {
    const fail = this.failNext;
    this.failNext = undefined;
    if (fail instanceof Error) return Promise.reject(fail);
    if (fail !== undefined) return Promise.reject(new SubmitError(fail, 'asked for by a test'));
    this.submits.push(commands.length);
    this.#seqno += 1;
    const transactionId = this.committed();
    return Promise.resolve(commands.map((command) => ({ outcome: this.#apply(command), transactionId })));
  }

  /** Puts a transfer where its state belongs and tells both banks. */
  put(transfer: Transfer): void {
    const { terms, state } = transfer;
    const key = idKey(terms.debtor, terms.id);
    this.live.delete(key);
    (TERMINAL_STATES.has(state) ? this.ended : this.live).set(key, transfer);
    for (const participant of new Set([terms.debtor, terms.creditor])) {
      this.announce(participant, { type: 'transfer', bank: terms.debtor, id: terms.id, state });
    }
  }

  announce(participant: ParticipantId, body: ParticipantEvent['body']): void {
    const events = this.stream.get(participant) ?? [];
    events.push({ participant, number: events.length + 1, stampMs: this.nowMs, body });
    this.stream.set(participant, events);
    this.receipts.announced(participant, events.length, this.committed());
    for (const listener of this.#listeners.get(participant) ?? []) listener();
  }

  #apply(command: Command): Outcome {
    const refuse = (code: RefusalCode, detail = 'refused'): Outcome => ({ ok: false, code, detail });
    switch (command.type) {
      case 'submitTransfer':
        return this.#submitTransfer(command.terms, refuse);
      case 'cancelTransfer': {
        const transfer = this.view.liveTransfer(command.bank, command.id);
        if (transfer?.state === 'AWAITING_FUNDS') {
          this.put({ ...transfer, state: 'CANCELLED', reason: 'CUST' });
          return { ok: true, transfer: command.id };
        }
        const known = transfer ?? this.history.transfer(command.bank, command.id);
        return refuse(known ? 'TRANSFER_NOT_CANCELLABLE' : 'TRANSFER_NOT_FOUND');
      }
      case 'cancelLockRefund': {
        const place = this.locks.findIndex((lock) => lock.lockId === command.lockId);
        const lock = this.locks[place];
        if (!lock) return refuse('LOCK_NOT_FOUND');
        if (lock.state !== 'REFUNDING') return refuse('LOCK_NOT_CANCELLABLE');
        this.#changeLock(place, { ...lock, state: 'VOIDING' });
        return { ok: true };
      }
      case 'refundLock':
      case 'claimLock': {
        const place = this.locks.findIndex((lock) => lock.lockId === command.lockId);
        const lock = this.locks[place];
        if (!lock) return refuse('LOCK_NOT_FOUND');
        const claim = command.type === 'claimLock';
        if (lock.state !== 'UNMATCHED' || (claim && lock.why !== 'late')) {
          return refuse(claim ? 'LOCK_NOT_CLAIMABLE' : 'LOCK_NOT_REFUNDABLE');
        }
        this.#changeLock(place, { ...lock, state: claim ? 'CLAIMED' : 'REFUNDING' });
        return { ok: true };
      }
      case 'amendment':
      case 'clock':
      case 'vaultEvent':
      case 'stateEvent':
      case 'headers':
      case 'headerConflict':
        return refuse('NOT_ALLOWED');
    }
  }

  #changeLock(place: number, lock: UnmatchedLock): void {
    this.locks[place] = lock;
    const { network, asset, lockId, state, transfer } = lock;
    if (transfer) this.announce(transfer.bank, { type: 'lock', network, asset, lockId, state });
  }

  #submitTransfer(terms: TransferTerms, refuse: (code: RefusalCode, detail?: string) => Outcome): Outcome {
    if (this.refuseWith) return refuse(this.refuseWith, 'the detail of the core');
    const key = idKey(terms.debtor, terms.id);
    if (this.live.has(key) || this.ended.has(key)) return refuse('TRANSFER_ID_SPENT');
    const creditor = this.view.participant(terms.creditor);
    if (!creditor) return refuse('PARTICIPANT_UNKNOWN');
    if (creditor.role !== 'bank') return refuse('PARTICIPANT_NOT_A_BANK');
    if (!this.view.asset(terms.asset)) return refuse('ASSET_UNKNOWN');
    this.put({
      terms,
      state: terms.source ? 'AWAITING_FUNDS' : 'SETTLED',
      createdMs: this.nowMs,
      updatedMs: this.nowMs,
      ...(terms.source && { reference: testWord(`reference ${key}`) }),
      instructions: [],
    });
    return { ok: true, transfer: terms.id };
  }

  readonly view: SettlementView = this.#makeView();
  readonly history: HistoryReader = this.#makeHistory();
  readonly relay: RelayService = this.#makeRelay();

  status(): NodeStatus {
    return this.nodeStatus;
  }

  barrier(): Promise<void> {
    this.barriers += 1;
    if (this.cutOff !== undefined) return Promise.reject(new SubmitError(this.cutOff, 'asked for by a test'));
    const { onBarrier } = this;
    this.onBarrier = undefined;
    onBarrier?.();
    return Promise.resolve();
  }

  committed(): TransactionId {
    return `${FAKE_VIEW}.${this.#seqno}`;
  }

  /** Everything up to now happened in the one view that there is; one more entry is under way. */
  transactionStatus(view: number, seqno: number): TransactionStatus {
    if (seqno <= this.#seqno) return view === FAKE_VIEW ? 'Committed' : 'Invalid';
    if (view < FAKE_VIEW) return 'Invalid';
    return view === FAKE_VIEW && seqno === this.#seqno + 1 ? 'Pending' : 'Unknown';
  }

  network(): ServiceNetwork {
    const { role, nodeId, view } = this.nodeStatus;
    const primaryId = role === 'leader' ? nodeId : role === 'follower' ? NODES[1] : null;
    const nodes = NODES.map((id, place) => ({
      nodeId: id,
      raftId: place + 1,
      status: place === 2 ? ('Learner' as const) : ('Trusted' as const),
      primary: id === primaryId,
      apiAddress: `node${place}.example:${8_000 + place}`,
      peerAddress: `node${place}.example:${9_000 + place}`,
      platform: 'virtual',
    }));
    return { currentView: view, primaryId, nodes, serviceCertificate: this.serviceCertificate };
  }

  onEvents(participant: ParticipantId, listener: () => void): () => void {
    const listeners = this.#listeners.get(participant) ?? new Set();
    this.#listeners.set(participant, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** Listeners that have not been stopped. */
  listening(): number {
    return Array.from(this.#listeners.values(), (set) => set.size).reduce((sum, size) => sum + size, 0);
  }

  #makeView(): SettlementView {
    const vault: Vault = {
      network: QUORUM_A,
      asset: EUR,
      mode: 'escrow',
      address: VAULT_A,
      authority: `0x${'cc'.repeat(20)}` as EvmAddress,
      epoch: 1,
      fromBlock: 1,
    };
    const ledger: VaultLedger = {
      vault,
      vaultMinor: 0n,
      transitMinor: 0n,
      suspenseMinor: 0n,
      nextEventSeq: 1,
      cursorBlock: 1,
      halted: false,
      paused: false,
      unmatchedEver: 0,
    };
    const noSecrets = testWord('no secret');
    return {
      serviceId: testWord('service'),
      stampMs: this.nowMs,
      secrets: {
        idKey: noSecrets,
        referenceKey: noSecrets,
        trailKey: noSecrets,
        relayKey: noSecrets,
        sealingKey: '',
        serviceKey: '',
        authorities: {},
      },
      assets: () => this.assets,
      asset: (code) => this.assets.find((asset) => asset.code === code),
      participant: (id) => this.registered.find((participant) => participant.id === id),
      participants: () => this.registered,
      participantByCertificate: (fingerprint) =>
        this.registered.find(({ certificates }) => certificates.includes(fingerprint)),
      network: (id) => this.networks.find((candidate) => candidate.id === id),
      trackedChain: () => undefined,
      networks: () => this.networks,
      vaultLedger: (id, asset) => (id === QUORUM_A && asset === EUR ? ledger : undefined),
      vaultLedgers: () => [ledger],
      exposureCap: (id, asset) => ({ network: id, asset, amountMinor: 1_000_000n }),
      account: (participant, asset) => (asset === EUR ? this.balances.get(participant) : undefined),
      accountsOf: (participant) => [this.balances.get(participant) ?? []].flat(),
      liveTransfer: (bank, id) => this.live.get(idKey(bank, id)),
      liveTransfersOf: (participant) =>
        [...this.live.values()].filter(({ terms }) => [terms.debtor, terms.creditor].includes(participant)),
      unmatchedLocks: () => this.locks,
      unmatchedLock: (id, asset, lockId) =>
        this.locks.find((lock) => lock.network === id && lock.asset === asset && lock.lockId === lockId),
      openInstructions: () => [],
      book: () => undefined,
      coins: () => [],
      lockRecords: () => [],
      isApplied: () => false,
      isInBook: () => false,
      wasVaultState: () => false,
      openInstruction: () => undefined,
      eventCount: (participant) => this.stream.get(participant)?.length ?? 0,
      nextDeadlineMs: () => undefined,
      nextAmendment: () => 1,
    };
  }

  #makeHistory(): HistoryReader {
    return {
      transfer: (bank: ParticipantId, id: TransferId) => this.ended.get(idKey(bank, id)),
      endedTransfers: (participant, state: TransferState, after, limit) =>
        page(
          [...this.ended.values()].filter(
            (transfer) =>
              transfer.state === state && [transfer.terms.debtor, transfer.terms.creditor].includes(participant),
          ),
          after,
          limit,
        ),
      statement: (participant, asset, after, limit) =>
        page(
          this.lines.filter((line) => line.account === participant && line.asset === asset),
          after,
          limit,
        ),
      events: (participant, after, limit) => page(this.stream.get(participant) ?? [], after, limit),
    };
  }

  endOutboxWaits(): void {
    for (const end of this.outboxWaits.splice(0)) end();
  }

  #makeRelay(): RelayService {
    return {
      outbox: async (id, after, limit, waitMs = 0) => {
        const behind = () => this.outbox.filter((cursor) => cursor > after).slice(0, limit);
        if (behind().length === 0 && waitMs > 0) await new Promise<void>((end) => this.outboxWaits.push(end));
        const items = behind().map((cursor) => ({ cursor, jobId: `job-${id}`, sealed: 'c2VhbGVk', supersedes: [] }));
        return { items, next: items.at(-1)?.cursor ?? after };
      },
      endOutboxWaits: () => this.endOutboxWaits(),
      acceptEvidence: (_id, items) => {
        this.evidence.push(...items);
        return Promise.resolve(items.map(({ jobId }) => ({ jobId, result: 'accepted' as const })));
      },
      cursor: (id) => ({
        network: id,
        vaults: id === QUORUM_A ? [{ asset: EUR, address: VAULT_A, nextEventSeq: 1, fromBlock: 1 }] : [],
      }),
      states: (id, _asset, after) =>
        id === QUORUM_A
          ? {
              proven: true,
              vaultState: stateRef(testWord('creation'), 0),
              permits: [stateRef(testWord('creation'), 1)],
              states: after === undefined ? [{ ref: stateRef(testWord('lock'), 0), kind: 'coin' }] : [],
              ...(after === undefined && { next: stateRef(testWord('lock'), 0) }),
            }
          : undefined,
      sealingPublicKey: () => '-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n',
    };
  }
}

/** Items of a list that is numbered from 1. */
function page<T>(items: readonly T[], after: number, limit: number): Page<T> {
  const here = items.slice(after, after + limit);
  return after + limit < items.length ? { items: here, next: after + limit } : { items: here };
}
