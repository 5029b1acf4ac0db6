/**
 * What can be asked of the settlement state machine, and what it answers. Commands are data in the replicated log:
 * whoever proposes has checked identity, form and evidence; `apply` decides by state alone.
 */
import type { BlockFacts } from '@drawbridge/evidence/tracked-chain';
import type { Action } from '@drawbridge/governance/action';
import type { Bytes32, Hex } from '@drawbridge/protocol/bytes32';
import type { AssetCode, LockId, NetworkId, ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import type { StateEvent } from '@drawbridge/protocol/state-event';
import type { VaultEvent } from '@drawbridge/protocol/vault-event';

/** Terms of a transfer as its debtor bank states them; equal terms under one id are one transfer. */
export type TransferTerms = Readonly<{
  id: TransferId;
  asset: AssetCode;
  amountMinor: bigint;
  debtor: ParticipantId;
  creditor: ParticipantId;
  /** Funds arrive by a deposit of `depositor` (32-byte word) on `network`. */
  source?: Readonly<{ network: NetworkId; depositor: Bytes32 }>;
  /** Funds leave to `beneficiary` (32-byte word) on `network`. */
  destination?: Readonly<{ network: NetworkId; beneficiary: Bytes32 }>;
  /** Unix ms. Required with `source`. */
  fundByMs?: number;
  /** Unix ms. Required with `destination`; later than `fundByMs`. */
  deliverByMs?: number;
  onVoid: 'return' | 'refund';
  /** Remittance text, at most 140 characters (as in pacs.008). */
  remittance?: string;
}>;

export type Command =
  | Readonly<{ type: 'submitTransfer'; terms: TransferTerms }>
  | Readonly<{ type: 'cancelTransfer'; bank: ParticipantId; id: TransferId }>
  /** Evidence that the proposer verified; `apply` refuses another trust version than the network's. */
  | Readonly<{
      type: 'vaultEvent';
      network: NetworkId;
      asset: AssetCode;
      event: VaultEvent;
      /** Block of the event: the followers' cursor, and what a tracked chain must hold. */
      blockNumber: number;
      blockHash: Bytes32;
      evidenceDigest: Bytes32;
      trustVersion: number;
    }>
  /** The same of a vault on a ledger of unspent states. */
  | Readonly<{
      type: 'stateEvent';
      network: NetworkId;
      asset: AssetCode;
      event: StateEvent;
      evidenceDigest: Bytes32;
      trustVersion: number;
    }>
  /** What verified headers say, of a network that is believed by consensus. */
  | Readonly<{
      type: 'headers';
      network: NetworkId;
      /** Hash of the tracked head that they were verified on. */
      base: Bytes32;
      blocks: readonly BlockFacts[];
      evidenceDigest: Bytes32;
      trustVersion: number;
    }>
  /** A block that is sealed as the rule demands, where another one is tracked. */
  | Readonly<{
      type: 'headerConflict';
      network: NetworkId;
      number: number;
      trackedHash: Bytes32;
      otherHash: Bytes32;
      evidenceDigest: Bytes32;
      trustVersion: number;
    }>
  /** Refund an unmatched lock to its on-chain depositor; asked by the bank that its reference names, or an operator. */
  | Readonly<{ type: 'refundLock'; by: ParticipantId; network: NetworkId; asset: AssetCode; lockId: LockId }>
  /** Void the refund of an unmatched lock, so that it can be asked for again; asked by whoever may ask for the refund. */
  | Readonly<{ type: 'cancelLockRefund'; by: ParticipantId; network: NetworkId; asset: AssetCode; lockId: LockId }>
  /** Credit an unmatched lock that only came late to the bank that its reference names. */
  | Readonly<{ type: 'claimLock'; by: ParticipantId; network: NetworkId; asset: AssetCode; lockId: LockId }>
  /** Makes due deadlines take effect when nothing else happens. */
  | Readonly<{ type: 'clock' }>
  /** One signed amendment file; numbered from 1 without gaps. */
  | Readonly<{
      type: 'amendment';
      number: number;
      actions: readonly Action[];
      signatures: readonly AmendmentSignature[];
    }>;

export type AmendmentSignature = Readonly<{ key: Hex; signature: Hex }>;

/** One entry of the log, decrypted. All its commands share one time stamp. */
export type Entry = Readonly<{
  /** Protocol version under which it was proposed. */
  version: number;
  /** Unix ms by the leader, never decreasing. */
  stampMs: number;
  clockProtected: boolean;
  commands: readonly Command[];
}>;

export type RefusalCode =
  | 'TRANSFER_ID_SPENT'
  | 'TRANSFER_NOT_FOUND'
  | 'TRANSFER_NOT_CANCELLABLE'
  | 'ASSET_UNKNOWN'
  | 'PARTICIPANT_UNKNOWN'
  | 'PARTICIPANT_NOT_A_BANK'
  | 'AMOUNT_NOT_POSITIVE'
  | 'AMOUNT_TOO_LARGE'
  | 'TERMS_INVALID'
  | 'DEADLINE_INVALID'
  | 'NETWORK_UNKNOWN'
  | 'LANE_CLOSED'
  | 'VAULT_UNKNOWN'
  | 'TRUST_VERSION_STALE'
  | 'EVENT_SEEN'
  | 'EVENT_EARLY'
  | 'LANE_HALTED'
  | 'RULE_MISMATCH'
  | 'HEAD_EXPIRED'
  | 'HEADERS_SEEN'
  | 'HEADERS_STALE'
  | 'HEADERS_INVALID'
  | 'HEADER_AHEAD'
  | 'BLOCK_NOT_TRACKED'
  | 'BLOCK_UNKNOWN'
  | 'LOCK_NOT_FOUND'
  | 'LOCK_NOT_REFUNDABLE'
  | 'LOCK_NOT_CANCELLABLE'
  | 'LOCK_NOT_CLAIMABLE'
  | 'NOT_ALLOWED'
  | 'AMENDMENT_NUMBER'
  | 'AMENDMENT_SIGNATURES'
  | 'ACTION_INVALID'
  | 'AMENDMENTS_CLOSED'
  | 'LIMIT_REACHED';

/**
 * Answer to one command. A transfer that is accepted and at once `REJECTED` for want of funds is `ok`: its id is spent
 * and its record says why. `expectedSeq` comes with `EVENT_EARLY` and `EVENT_SEEN`.
 */
export type Outcome =
  /** `repeated`: the transfer was submitted before, with these terms; nothing changed. */
  | Readonly<{ ok: true; transfer?: TransferId; repeated?: true }>
  | Readonly<{ ok: false; code: RefusalCode; detail: string; expectedSeq?: number }>;
