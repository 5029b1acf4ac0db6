/**
 * The committed settlement state: registry, balances, live transfers, unmatched locks, open instructions, spent ids.
 * Rows are immutable and replaced whole; only a draft's commit and the decoder of snapshots call the `put` methods, which
 * keep the indexes. What has ended leaves the state and lives on in the history.
 */
import type { TrackedChain } from '@drawbridge/evidence/tracked-chain';
import {
  type Asset,
  type ExposureCap,
  isCordaVault,
  type Network,
  type Participant,
  type Vault,
} from '@drawbridge/governance/registration';
import type { Registry } from '@drawbridge/governance/registry';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import {
  type AssetCode,
  type InstructionId,
  type LockId,
  type NetworkId,
  type ParticipantId,
  type TransferId,
  type VaultKey,
  vaultKey,
} from '@drawbridge/protocol/ids';
import type { StateRef } from '@drawbridge/protocol/state-ref';
import { type BookRow, type CoinRow, isInBook } from './book.ts';
import {
  type AccountKey,
  AccountKeys,
  accountKey,
  type CoinKey,
  type LockKey,
  lockKey,
  type PastKey,
  type TransferKey,
  transferKey,
} from './keys.ts';
import type { Limits } from './limits.ts';
import { OrderedIndex } from './ordered-index.ts';
import type { Transfer, TransferState } from './record.ts';
import { formerTipMark, SpentIds, transactionMark } from './spent-ids.ts';
import type { Account, OpenInstruction, ServiceSecrets, SettlementView, UnmatchedLock, VaultLedger } from './view.ts';

/** Number of the last event about a transfer in the stream of each of its banks, which may be one bank. */
export type LastEvents = Readonly<{ debtor: number; creditor: number }>;

/** A transfer that has not ended. `order` rises with submission and never repeats. */
export type LiveTransfer = Readonly<{ transfer: Transfer; order: number; lastEvents: LastEvents }>;

/** What a vault has beside its registration. Amounts in minor units. */
export type VaultRow = Readonly<{
  vaultMinor: bigint;
  transitMinor: bigint;
  suspenseMinor: bigint;
  nextEventSeq: number;
  cursorBlock: number;
  halted: boolean;
  /** The contract stands still, by its own word. */
  paused: boolean;
  /** Unmatched locks kept with particulars, and all that ever were. */
  unmatchedKept: number;
  unmatchedEver: number;
  /** Part of suspense whose locks are past `unmatchedLocksPerVault`. */
  overflowMinor: bigint;
  /** Waiting transfers still to be tried since value came free, and the order after which to go on. */
  retriesLeft: number;
  retryAfter: number;
}>;

export const newVaultRow = (vault: Vault): VaultRow => ({
  vaultMinor: 0n,
  transitMinor: 0n,
  suspenseMinor: 0n,
  nextEventSeq: 1,
  cursorBlock: isCordaVault(vault) ? 0 : vault.fromBlock,
  halted: false,
  paused: false,
  unmatchedKept: 0,
  unmatchedEver: 0,
  overflowMinor: 0n,
  retriesLeft: 0,
  retryAfter: 0,
});

/** What a lock reference stands for; `past` once its transfer has ended. */
export type ReferenceRow = Readonly<{
  bank: ParticipantId;
  id: TransferId;
  past?: Readonly<{
    vault: VaultKey;
    depositor: Bytes32;
    amountMinor: bigint;
    state: TransferState;
    /** A lock was matched to it. */
    funded: boolean;
  }>;
}>;

/** Per participant: events written, live transfers as debtor, and the range of its past references. */
export type PartyRow = Readonly<{ events: number; live: number; pastFrom: number; pastTo: number }>;

export const NO_PARTY_ROW: PartyRow = { events: 0, live: 0, pastFrom: 0, pastTo: 0 };

/** Unix ms that has to pass before something happens to the transfer, if anything does by time. */
export function deadlineOf(transfer: Transfer): number | undefined {
  if (transfer.state === 'AWAITING_FUNDS') return transfer.terms.fundByMs;
  return transfer.state === 'FUNDED' || transfer.state === 'RELAYING' ? transfer.terms.deliverByMs : undefined;
}

/** The destination vault that a transfer waits for, if it does. */
export function waitsFor(transfer: Transfer): VaultKey | undefined {
  const { terms, state } = transfer;
  return state === 'FUNDED' && terms.destination ? vaultKey(terms.destination.network, terms.asset) : undefined;
}

export type Header = {
  stampMs: number;
  /** `order` of the next transfer. */
  nextOrder: number;
  registry: Registry;
};

export class SettlementState implements SettlementView {
  readonly serviceId: Bytes32;
  readonly secrets: ServiceSecrets;
  readonly limits: Limits;
  readonly header: Header;
  readonly accountKeys: AccountKeys = new AccountKeys();
  readonly accounts: Map<AccountKey, Account> = new Map();
  readonly vaults: Map<VaultKey, VaultRow> = new Map();
  readonly transfers: Map<TransferKey, LiveTransfer> = new Map();
  readonly references: Map<Bytes32, ReferenceRow> = new Map();
  readonly pastReferences: Map<PastKey, Bytes32> = new Map();
  readonly unmatched: Map<LockKey, UnmatchedLock> = new Map();
  readonly instructions: Map<InstructionId, OpenInstruction> = new Map();
  readonly parties: Map<ParticipantId, PartyRow> = new Map();
  /** Last place given in each network's outbox. */
  readonly outboxEnds: Map<NetworkId, number> = new Map();
  /** Of every network that is believed by consensus, and of no other. */
  readonly chains: Map<NetworkId, TrackedChain> = new Map();
  /** Of every Corda vault, and of no other; and the coins and records of locks of all of them. */
  readonly books: Map<VaultKey, BookRow> = new Map();
  readonly coinRows: Map<CoinKey, CoinRow> = new Map();
  readonly recordRows: Map<LockKey, StateRef> = new Map();
  readonly spent: SpentIds;
  /** Drafts committed in this process; tells a draft that its base has moved. Not part of the state. */
  revision = 0;

  readonly deadlines: OrderedIndex<TransferKey> = new OrderedIndex();
  readonly waiting: Map<VaultKey, OrderedIndex<TransferKey>> = new Map();
  readonly #liveOf: Map<ParticipantId, OrderedIndex<TransferKey>> = new Map();
  readonly #outboxes: Map<NetworkId, OrderedIndex<InstructionId>> = new Map();
  readonly #accountsOf: Map<ParticipantId, AccountKey[]> = new Map();
  #certificates: ReadonlyMap<Bytes32, ParticipantId> = new Map();

  constructor(options: {
    serviceId: Bytes32;
    secrets: ServiceSecrets;
    limits: Limits;
    header: Header;
    spent?: SpentIds;
  }) {
    this.serviceId = options.serviceId;
    this.secrets = options.secrets;
    this.limits = options.limits;
    this.header = options.header;
    this.spent = options.spent ?? new SpentIds();
    this.putRegistry(options.header.registry);
  }

  get stampMs(): number {
    return this.header.stampMs;
  }

  putRegistry(registry: Registry): void {
    this.header.registry = registry;
    const certificates = new Map<Bytes32, ParticipantId>();
    for (const participant of registry.participants.values()) {
      for (const fingerprint of participant.certificates) certificates.set(fingerprint, participant.id);
    }
    this.#certificates = certificates;
  }

  putAccount(key: AccountKey, account: Account): void {
    if (!this.accounts.has(key)) indexList(this.#accountsOf, account.participant).push(key);
    this.accounts.set(key, account);
  }

  putTransfer(key: TransferKey, next: LiveTransfer | undefined): void {
    const previous = this.transfers.get(key);
    if (previous) this.#unindexTransfer(previous);
    if (next === undefined) {
      this.transfers.delete(key);
      return;
    }
    this.transfers.set(key, next);
    const { transfer, order } = next;
    for (const party of partiesOf(transfer)) index(this.#liveOf, party).insert(order, 0, key);
    const deadline = deadlineOf(transfer);
    if (deadline !== undefined) this.deadlines.insert(deadline, order, key);
    const vault = waitsFor(transfer);
    if (vault !== undefined) index(this.waiting, vault).insert(order, 0, key);
  }

  #unindexTransfer({ transfer, order }: LiveTransfer): void {
    for (const party of partiesOf(transfer)) this.#liveOf.get(party)?.remove(order, 0);
    const deadline = deadlineOf(transfer);
    if (deadline !== undefined) this.deadlines.remove(deadline, order);
    const vault = waitsFor(transfer);
    if (vault !== undefined) this.waiting.get(vault)?.remove(order, 0);
  }

  putInstruction(id: InstructionId, next: OpenInstruction | undefined): void {
    const previous = this.instructions.get(id);
    if (previous) this.#outboxes.get(previous.network)?.remove(previous.outboxSeq, 0);
    if (next === undefined) {
      this.instructions.delete(id);
      return;
    }
    this.instructions.set(id, next);
    index(this.#outboxes, next.network).insert(next.outboxSeq, 0, id);
  }

  assets(): Iterable<Asset> {
    return this.header.registry.assets.values();
  }
  asset(code: AssetCode): Asset | undefined {
    return this.header.registry.assets.get(code);
  }
  participant(id: ParticipantId): Participant | undefined {
    return this.header.registry.participants.get(id);
  }
  participants(): Iterable<Participant> {
    return this.header.registry.participants.values();
  }
  participantByCertificate(fingerprint: Bytes32): Participant | undefined {
    const id = this.#certificates.get(fingerprint);
    return id === undefined ? undefined : this.participant(id);
  }
  network(id: NetworkId): Network | undefined {
    return this.header.registry.networks.get(id);
  }
  trackedChain(id: NetworkId): TrackedChain | undefined {
    return this.chains.get(id);
  }
  networks(): Iterable<Network> {
    return this.header.registry.networks.values();
  }

  vaultLedger(network: NetworkId, asset: AssetCode): VaultLedger | undefined {
    const key = vaultKey(network, asset);
    const vault = this.header.registry.vaults.get(key);
    const row = this.vaults.get(key);
    if (vault === undefined || row === undefined) return undefined;
    const { vaultMinor, transitMinor, suspenseMinor, nextEventSeq, cursorBlock, halted, paused, unmatchedEver } = row;
    return { vault, vaultMinor, transitMinor, suspenseMinor, nextEventSeq, cursorBlock, halted, paused, unmatchedEver };
  }
  *vaultLedgers(): Generator<VaultLedger> {
    for (const { network, asset } of this.header.registry.vaults.values()) {
      const ledger = this.vaultLedger(network, asset);
      if (ledger) yield ledger;
    }
  }
  book(network: NetworkId, asset: AssetCode): BookRow | undefined {
    return this.books.get(vaultKey(network, asset));
  }
  *coins(network: NetworkId, asset: AssetCode): Generator<CoinRow> {
    const key = vaultKey(network, asset);
    for (const coin of this.coinRows.values()) if (coin.vault === key) yield coin;
  }
  *lockRecords(network: NetworkId, asset: AssetCode): Generator<StateRef> {
    const prefix = `${vaultKey(network, asset)}/`;
    for (const [key, ref] of this.recordRows) if (key.startsWith(prefix)) yield ref;
  }
  isInBook(network: NetworkId, asset: AssetCode, ref: StateRef): boolean {
    return isInBook({ books: this.books, coins: this.coinRows }, vaultKey(network, asset), ref);
  }
  wasVaultState(network: NetworkId, asset: AssetCode, ref: StateRef): boolean {
    return this.spent.has(formerTipMark(vaultKey(network, asset), ref));
  }
  openInstruction(id: InstructionId): OpenInstruction | undefined {
    return this.instructions.get(id);
  }
  isApplied(network: NetworkId, asset: AssetCode, transactionId: Bytes32): boolean {
    return this.spent.has(transactionMark(vaultKey(network, asset), transactionId));
  }
  exposureCap(network: NetworkId, asset: AssetCode): ExposureCap | undefined {
    return this.header.registry.exposureCaps.get(vaultKey(network, asset));
  }

  account(participant: ParticipantId, asset: AssetCode): Account | undefined {
    return this.accounts.get(accountKey(participant, asset));
  }
  *accountsOf(participant: ParticipantId): Generator<Account> {
    for (const key of this.#accountsOf.get(participant) ?? []) {
      const account = this.accounts.get(key);
      if (account) yield account;
    }
  }
  liveTransfer(bank: ParticipantId, id: TransferId): Transfer | undefined {
    return this.transfers.get(transferKey(bank, id))?.transfer;
  }
  /** Number of the event that told `participant` last of a live transfer. */
  lastEventOf(participant: ParticipantId, bank: ParticipantId, id: TransferId): number | undefined {
    const live = this.transfers.get(transferKey(bank, id));
    if (participant === live?.transfer.terms.debtor) return live.lastEvents.debtor;
    return participant === live?.transfer.terms.creditor ? live.lastEvents.creditor : undefined;
  }
  *liveTransfersOf(participant: ParticipantId): Generator<Transfer> {
    for (const { value } of this.#liveOf.get(participant)?.from(0, 0) ?? []) {
      const live = this.transfers.get(value);
      if (live) yield live.transfer;
    }
  }
  unmatchedLocks(): Iterable<UnmatchedLock> {
    return this.unmatched.values();
  }
  unmatchedLock(network: NetworkId, asset: AssetCode, lockId: LockId): UnmatchedLock | undefined {
    return this.unmatched.get(lockKey(vaultKey(network, asset), lockId));
  }
  *openInstructions(network: NetworkId, after: number): Generator<OpenInstruction> {
    for (const { value } of this.#outboxes.get(network)?.from(after + 1, 0) ?? []) {
      const instruction = this.instructions.get(value);
      if (instruction) yield instruction;
    }
  }
  eventCount(participant: ParticipantId): number {
    return this.parties.get(participant)?.events ?? 0;
  }
  nextDeadlineMs(): number | undefined {
    for (const row of this.vaults.values()) if (row.retriesLeft > 0) return this.header.stampMs;
    const first = this.deadlines.first();
    return first === undefined ? undefined : first.major + 1;
  }
  nextAmendment(): number {
    return this.header.registry.nextAmendment;
  }
}

function partiesOf({ terms }: Transfer): readonly ParticipantId[] {
  return terms.debtor === terms.creditor ? [terms.debtor] : [terms.debtor, terms.creditor];
}

function index<K, T>(indexes: Map<K, OrderedIndex<T>>, key: K): OrderedIndex<T> {
  const found = indexes.get(key);
  if (found) return found;
  const made = new OrderedIndex<T>();
  indexes.set(key, made);
  return made;
}

function indexList<K, T>(lists: Map<K, T[]>, key: K): T[] {
  const found = lists.get(key);
  if (found) return found;
  const made: T[] = [];
  lists.set(key, made);
  return made;
}
