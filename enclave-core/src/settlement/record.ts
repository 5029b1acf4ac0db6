/**
 * What a committed entry leaves behind besides state: versions of transfers, statement lines, numbered events. History
 * keeps them; the state machine only produces them, so that memory does not grow with the past.
 */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { AssetCode, InstructionId, LockId, NetworkId, ParticipantId } from '@drawbridge/protocol/ids';
import type { TransferTerms } from './command.ts';

export type TransferState =
  | 'PROPOSED'
  | 'AWAITING_FUNDS'
  | 'FUNDED'
  | 'RELAYING'
  | 'VOIDING'
  | 'REFUNDING'
  | 'SETTLED'
  | 'REJECTED'
  | 'EXPIRED'
  | 'CANCELLED'
  | 'RETURNED'
  | 'REFUNDED';

export const TERMINAL_STATES: ReadonlySet<TransferState> = new Set<TransferState>([
  'SETTLED',
  'REJECTED',
  'EXPIRED',
  'CANCELLED',
  'RETURNED',
  'REFUNDED',
]);

/** Why a transfer ended as it did: ISO 20022 external status reason codes where one fits. */
export type TransferReason = 'AM04' | 'AB03' | 'AB05' | 'CUST' | 'NOFUNDS' | 'VOIDED';

/** A transfer as its banks see it. */
export type Transfer = Readonly<{
  terms: TransferTerms;
  state: TransferState;
  reason?: TransferReason;
  createdMs: number;
  updatedMs: number;
  /** What the depositor must lock, and what did arrive. Only with a source edge. */
  reference?: Bytes32;
  lockId?: LockId;
  /** Every instruction written for it, oldest first (release or issue, void, refund). */
  instructions: readonly InstructionId[];
}>;

/** One movement on a bank's account. `line` is contiguous per account, from 1. */
export type StatementLine = Readonly<{
  account: ParticipantId;
  asset: AssetCode;
  line: number;
  /** Positive = credit. */
  deltaMinor: bigint;
  /** Posted balance after it. */
  balanceMinor: bigint;
  kind: 'payment' | 'deposit' | 'withdrawal' | 'return' | 'refund' | 'claim';
  counterparty?: ParticipantId;
  network?: NetworkId;
  /** Bank whose transfer it is, and the transfer's id. */
  transfer?: Readonly<{ bank: ParticipantId; id: string }>;
  stampMs: number;
}>;

/** One event of a participant's stream. `number` is contiguous per participant, from 1, so that omission shows. */
export type ParticipantEvent = Readonly<{
  participant: ParticipantId;
  number: number;
  stampMs: number;
  body:
    | Readonly<{ type: 'transfer'; bank: ParticipantId; id: string; state: TransferState; reason?: TransferReason }>
    | Readonly<{ type: 'lock'; network: NetworkId; asset: AssetCode; lockId: LockId; state: UnmatchedState }>;
}>;

/** `VOIDING`: a void runs against its refund; executed or void, whichever the network finalised first. */
export type UnmatchedState = 'UNMATCHED' | 'REFUNDING' | 'VOIDING' | 'REFUNDED' | 'CLAIMED';

/** Why a lock fits nothing. `cap`: above the exposure cap, or the lane is closed to deposits, which is a cap of nothing. */
export type UnmatchedLockReason = 'reference' | 'depositor' | 'amount' | 'late' | 'repeated' | 'cap';

/**
 * Something that operators must look at. Never holds an amount or a party. `LANE_HALTED`: nothing is instructed or
 * credited until governance reopens the lane. `LANE_NOTICE`: the lane goes on.
 */
export type Alarm = Readonly<{
  type: 'LANE_HALTED' | 'LANE_NOTICE';
  network: NetworkId;
  asset: AssetCode;
  code: AlarmCode;
}>;
export type AlarmCode =
  /** An instruction that is not open, or not as written, is said to be executed or void. */
  | 'EVENT_CONTRADICTS_LEDGER'
  /** More was burned than is outstanding. */
  | 'BURN_ABOVE_OUTSTANDING'
  /** Another key than the core's may sign for the vault. */
  | 'AUTHORITY_ROTATED'
  | 'VAULT_MIGRATED'
  /** The network sealed two blocks at one height. */
  | 'CHAIN_FORKED'
  /** The guardians announced another authority. */
  | 'GUARDIAN_PROPOSED'
  /** A vault has more unmatched locks than are kept with particulars. */
  | 'UNMATCHED_OVERFLOW';

/** All that one committed log entry leaves behind, in order. */
export type EntryRecords = Readonly<{
  transfers: readonly Transfer[];
  lines: readonly StatementLine[];
  events: readonly ParticipantEvent[];
  alarms: readonly Alarm[];
}>;
