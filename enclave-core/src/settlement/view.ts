/** Read-only view of the committed state: what API and relay may ask. Nothing here changes anything. */
import type { TrackedChain } from '@drawbridge/evidence/tracked-chain';
import type { Asset, ExposureCap, Network, Participant, Vault } from '@drawbridge/governance/registration';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { AssetCode, InstructionId, LockId, NetworkId, ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import type { InstructionKind } from '@drawbridge/protocol/instruction';
import type { StateRef } from '@drawbridge/protocol/state-ref';
import type { BookRow, CoinRow, PaymentStates } from './book.ts';
import type { Transfer, UnmatchedLockReason, UnmatchedState } from './record.ts';

/** A bank's account. `available = posted − pending`. */
export type Account = Readonly<{
  participant: ParticipantId;
  asset: AssetCode;
  postedMinor: bigint;
  /** Reserved for funded transfers that are not yet instructed. */
  pendingMinor: bigint;
  /** Statement lines so far. */
  lines: number;
}>;

/** The three inner accounts of a vault, and its place in the event order. */
export type VaultLedger = Readonly<{
  vault: Vault;
  /** Escrow: minus what is locked. Issue: what is outstanding. */
  vaultMinor: bigint;
  transitMinor: bigint;
  suspenseMinor: bigint;
  /** Counter of the next event that will apply. */
  nextEventSeq: number;
  /** Block of the last applied event. */
  cursorBlock: number;
  /** Nothing is instructed and no lock credited until governance reopens the lane. */
  halted: boolean;
  /** The contract stands still, by its own word. */
  paused: boolean;
  /** Locks that fitted nothing, ended ones included. */
  unmatchedEver: number;
}>;

export type UnmatchedLock = Readonly<{
  network: NetworkId;
  asset: AssetCode;
  lockId: LockId;
  depositor: Bytes32;
  amountMinor: bigint;
  /** The transfer that its reference names, if any. */
  transfer?: Readonly<{ bank: ParticipantId; id: TransferId }>;
  /** Number of the last event about it in the stream of that bank. */
  lastEvent?: number;
  /** Why it fits nothing. */
  why: UnmatchedLockReason;
  state: UnmatchedState;
  /** Refunds of it that were proven void; a refund that follows has an id of its own. */
  refundsVoided: number;
}>;

/** An open instruction: written, not yet proven executed or void. Unsigned; whoever reads it signs after commit. */
export type OpenInstruction = Readonly<{
  id: InstructionId;
  kind: InstructionKind;
  network: NetworkId;
  asset: AssetCode;
  subject: Bytes32;
  amountMinor: bigint;
  beneficiary: Bytes32;
  notAfterSeconds: number;
  epoch: number;
  /** Place in its network's outbox, rising from 1. */
  outboxSeq: number;
  /** On ledgers of states: what its transaction consumes, held for it; of a void, what its target holds. */
  states?: PaymentStates;
  /** The transfer it serves; absent for refunds of unmatched locks and their voids. */
  transfer?: Readonly<{ bank: ParticipantId; id: TransferId }>;
}>;

/** Keys that only the core holds, equal on every node. All hex. */
export type ServiceSecrets = Readonly<{
  idKey: Bytes32;
  referenceKey: Bytes32;
  trailKey: Bytes32;
  relayKey: Bytes32;
  /** RSA private key (PKCS#8, PEM) that evidence is sealed to. */
  sealingKey: string;
  /** EC P-384 private key (PKCS#8, PEM) of the service certificate, by which every node can endorse another. */
  serviceKey: string;
  /** Authority private key (32 bytes) of each vault, by vault key, for its current epoch. */
  authorities: Readonly<Record<string, Bytes32>>;
}>;

export interface SettlementView {
  readonly serviceId: Bytes32;
  readonly stampMs: number;
  readonly secrets: ServiceSecrets;
  assets(): Iterable<Asset>;
  asset(code: AssetCode): Asset | undefined;
  participant(id: ParticipantId): Participant | undefined;
  participants(): Iterable<Participant>;
  /** Who a client certificate (SHA-256 of its DER) speaks for. */
  participantByCertificate(fingerprint: Bytes32): Participant | undefined;
  network(id: NetworkId): Network | undefined;
  networks(): Iterable<Network>;
  /** Head, sets and latest hashes of a network that is believed by consensus. */
  trackedChain(id: NetworkId): TrackedChain | undefined;
  vaultLedger(network: NetworkId, asset: AssetCode): VaultLedger | undefined;
  vaultLedgers(): Iterable<VaultLedger>;
  /** Unspent states of a Corda vault; nothing of any other. */
  book(network: NetworkId, asset: AssetCode): BookRow | undefined;
  /** Coins of a Corda vault, in no order that may matter. */
  coins(network: NetworkId, asset: AssetCode): Iterable<CoinRow>;
  /** Records of locks of a Corda vault that may yet be refunded, in no order that may matter. */
  lockRecords(network: NetworkId, asset: AssetCode): Iterable<StateRef>;
  /** Whether a Corda vault has the state unspent: itself, a permit, a coin or its guard. */
  isInBook(network: NetworkId, asset: AssetCode, ref: StateRef): boolean;
  /** Whether it was the state of a Corda vault, and has a successor. */
  wasVaultState(network: NetworkId, asset: AssetCode, ref: StateRef): boolean;
  /** Whether a notarised transaction of a Corda vault was applied. */
  isApplied(network: NetworkId, asset: AssetCode, transactionId: Bytes32): boolean;
  exposureCap(network: NetworkId, asset: AssetCode): ExposureCap | undefined;
  account(participant: ParticipantId, asset: AssetCode): Account | undefined;
  accountsOf(participant: ParticipantId): Iterable<Account>;
  /** Live transfers only; ended ones are in the history. */
  liveTransfer(bank: ParticipantId, id: TransferId): Transfer | undefined;
  /** Live transfers in which `participant` is debtor or creditor, oldest first. */
  liveTransfersOf(participant: ParticipantId): Iterable<Transfer>;
  unmatchedLocks(): Iterable<UnmatchedLock>;
  unmatchedLock(network: NetworkId, asset: AssetCode, lockId: LockId): UnmatchedLock | undefined;
  /** Open instructions of a network with `outboxSeq > after`, in order. */
  openInstructions(network: NetworkId, after: number): Iterable<OpenInstruction>;
  openInstruction(id: InstructionId): OpenInstruction | undefined;
  /** Events so far in a participant's stream. */
  eventCount(participant: ParticipantId): number;
  /** First Unix ms at which an entry would change something by time alone: one past the next deadline, or now. */
  nextDeadlineMs(): number | undefined;
  /** Number of the next amendment. */
  nextAmendment(): number;
}
