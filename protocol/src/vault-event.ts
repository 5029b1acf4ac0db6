/** What happened at a vault, free of the ledger that it happened on. Each event carries the vault's contiguous counter. */
import type { Bytes32, Hex } from './bytes32.ts';
import type { InstructionId, LockId } from './ids.ts';

type Counted = Readonly<{
  /** The vault's own counter: 1, 2, 3 … without gaps, below 2⁵³. */
  seq: number;
}>;

/** Value put into the vault: locked (escrow) or burned (issue). */
export type LockedEvent = Counted &
  Readonly<{
    type: 'locked';
    lockId: LockId;
    reference: Bytes32;
    /** The depositor as a 32-byte word. */
    depositor: Bytes32;
    amountMinor: bigint;
  }>;
/** A release, an issue or a refund took effect. */
export type ExecutedEvent = Counted &
  Readonly<{
    type: 'executed';
    id: InstructionId;
    subject: Bytes32;
    kind: 'release' | 'issue' | 'refund';
    beneficiary: Bytes32;
    amountMinor: bigint;
    epoch: number;
    trail: Hex;
  }>;
/** `subject` can never be executed any more; `id` is the void's own. */
export type VoidedEvent = Counted &
  Readonly<{ type: 'voided'; id: InstructionId; subject: InstructionId; epoch: number; trail: Hex }>;
export type RotatedEvent = Counted &
  Readonly<{ type: 'rotated'; id: InstructionId; authority: Bytes32; epoch: number; byGuardian: boolean }>;
export type PauseChangedEvent = Counted &
  Readonly<{ type: 'pauseChanged'; id: InstructionId; paused: boolean; byGuardian: boolean }>;
export type MigratedEvent = Counted & Readonly<{ type: 'migrated'; id: InstructionId; successor: Bytes32 }>;
/** The guardian announced or withdrew a replacement of the authority. */
export type GuardianEvent = Counted & Readonly<{ type: 'guardianProposed' | 'guardianCancelled' }>;

export type VaultEvent =
  | LockedEvent
  | ExecutedEvent
  | VoidedEvent
  | RotatedEvent
  | PauseChangedEvent
  | MigratedEvent
  | GuardianEvent;
