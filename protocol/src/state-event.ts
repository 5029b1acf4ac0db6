/**
 * What a notarised transaction did to a vault on a ledger of unspent states. In place of a counter it names what it consumed;
 * what it made follows from its id, since the vault's contract fixes the places of outputs (docs/adr/0016).
 */
import { type Bytes32, ZERO_BYTES32 } from './bytes32.ts';
import type { EvmAddress } from './ids.ts';
import { type StateRef, stateRef } from './state-ref.ts';
import type {
  ExecutedEvent,
  GuardianEvent,
  LockedEvent,
  PauseChangedEvent,
  RotatedEvent,
  VoidedEvent,
} from './vault-event.ts';

type Notarised<Body> = Omit<Body, 'seq'> &
  Readonly<{
    transactionId: Bytes32;
    /** Every input of the transaction, ascending. */
    consumed: readonly StateRef[];
  }>;
/** `vaultState`: the state of the vault that the transaction refers to. */
type Referring<Body> = Notarised<Body> & Readonly<{ vaultState: StateRef }>;

export type LockedStateEvent = Referring<LockedEvent>;
/** `changeMinor`: what comes back to the vault as one coin; 0 where nothing does. */
export type ExecutedStateEvent = Referring<ExecutedEvent> & Readonly<{ changeMinor: bigint }>;
/** `coinsMinor`: of the coins that are made anew, in the order of those that they stand for. */
export type VoidedStateEvent = Referring<VoidedEvent> & Readonly<{ coinsMinor: readonly bigint[] }>;
/** Who commands a vault: what its state says besides its terms. */
export type VaultControl = Readonly<{
  authority: EvmAddress;
  /** 1 to 2³² − 1. */
  epoch: number;
  guardianNonce: bigint;
  /** Of the instruction that made the state; zero where guardians did, and at first. */
  lastInstruction: Bytes32;
  pausedByAuthority: boolean;
  pausedByGuardian: boolean;
  /** Unix seconds; 0 without a proposal. */
  proposalNotBefore: bigint;
  proposedAuthority?: EvmAddress;
}>;

/** Of a vault that was just made. */
export const firstControl = (authority: EvmAddress): VaultControl => ({
  authority,
  epoch: 1,
  guardianNonce: 0n,
  lastInstruction: ZERO_BYTES32,
  pausedByAuthority: false,
  pausedByGuardian: false,
  proposalNotBefore: 0n,
});

/** The vault's own state has a successor, which says this. */
export type ControlStateEvent = (Notarised<RotatedEvent> | Notarised<PauseChangedEvent> | Notarised<GuardianEvent>) &
  Readonly<{ control: VaultControl }>;
/** The vault was made, as it is registered, out of the one state that it is named after. */
export type CreatedStateEvent = Notarised<Readonly<{ type: 'created'; seq: never }>>;
/** A notarised transaction that is none of the vault's: proof that somebody disposes of its states, if it consumes one. */
export type ForeignStateEvent = Notarised<Readonly<{ type: 'foreign'; seq: never }>>;

export type StateEvent =
  | CreatedStateEvent
  | LockedStateEvent
  | ExecutedStateEvent
  | VoidedStateEvent
  | ControlStateEvent
  | ForeignStateEvent;

/** What a transaction makes, by the places that the contract demands. A coin is named by its cash; its guard is the next. */
export const madeBy = {
  vault: (transactionId: Bytes32): StateRef => stateRef(transactionId, 0),
  permit: (transactionId: Bytes32): StateRef => stateRef(transactionId, 0),
  lockedCoin: (transactionId: Bytes32): StateRef => stateRef(transactionId, 0),
  lockRecord: (transactionId: Bytes32, mode: 'escrow' | 'issue'): StateRef =>
    stateRef(transactionId, mode === 'escrow' ? 2 : 0),
  change: (transactionId: Bytes32): StateRef => stateRef(transactionId, 2),
  voidedCoin: (transactionId: Bytes32, at: number): StateRef => stateRef(transactionId, 1 + 2 * at),
} as const;
