/**
 * What a notary proved about a vault on a ledger of unspent states. Order of checks: network, vault, rule, transaction seen
 * before, network's word taken, trust version, the vault's state known; then what the transaction consumed and made against
 * the book, and what it says against the ledger. Answers name no transfer: they go to whoever carried the evidence.
 */
import { isCordaVault } from '@drawbridge/governance/registration';
import { type VaultKey, vaultKey } from '@drawbridge/protocol/ids';
import {
  type ControlStateEvent,
  type ExecutedStateEvent,
  type LockedStateEvent,
  madeBy,
  type StateEvent,
  type VoidedStateEvent,
} from '@drawbridge/protocol/state-event';
import type { StateRef } from '@drawbridge/protocol/state-ref';
import { type Contradiction, halt, notice } from '../alarms.ts';
import { addCoin, bookOf, coinOf, consume, inputsOf, isInBook, statesOfVoid } from '../book.ts';
import type { Command, Outcome } from '../command.ts';
import { retryWaiting, wakeWaiting } from '../instructing.ts';
import { lockKey } from '../keys.ts';
import { takesEvidence } from '../lane.ts';
import type { Overlay } from '../overlay.ts';
import { formerTipMark, transactionMark } from '../spent-ids.ts';
import { type Refusal, refuse } from '../terms.ts';
import type { OpenInstruction } from '../view.ts';
import { applyExecuted, applyVoided } from './instruction-outcome.ts';
import { applyLocked } from './locked.ts';

const CONTRADICTION: Contradiction = { halt: 'EVENT_CONTRADICTS_LEDGER' };

export function stateEvent(overlay: Overlay, command: Extract<Command, { type: 'stateEvent' }>): Outcome {
  const { network: networkId, asset, event } = command;
  const network = overlay.network(networkId);
  if (!network) return refuse('NETWORK_UNKNOWN', 'network is not registered');
  const key = vaultKey(networkId, asset);
  const vault = overlay.registry.vaults.get(key);
  if (!vault) return refuse('VAULT_UNKNOWN', 'the network has no vault of this asset');
  if (!isCordaVault(vault)) return refuse('RULE_MISMATCH', 'the vault counts its events');
  const seen = transactionMark(key, event.transactionId);
  if (overlay.isSpent(seen)) return refuse('EVENT_SEEN', 'the transaction was applied');
  if (!takesEvidence(overlay, networkId)) return refuse('LANE_CLOSED', `network is ${network.state}`);
  if (command.trustVersion !== network.trustVersion) {
    return refuse('TRUST_VERSION_STALE', `trust version is ${network.trustVersion}`);
  }
  const early = refuseEarly(overlay, key, event);
  if (early) return early;
  const contradiction = book(overlay, key, event);
  if (contradiction) {
    halt(overlay, key, contradiction.halt);
    return refuse('LANE_HALTED', 'the event contradicts the ledger');
  }
  overlay.spend(seen);
  overlay.changeVault(key, { nextEventSeq: overlay.vault(key).row.nextEventSeq + 1 });
  wakeWaiting(overlay, key);
  retryWaiting(overlay, key, overlay.base.limits.retriesPerStep);
  return { ok: true };
}

/**
 * Nothing counts before the creation. The vault's state that a transaction consumes or refers to may be one that an event yet to
 * come has made.
 */
function refuseEarly(overlay: Overlay, key: VaultKey, event: StateEvent): Refusal | undefined {
  const { proven, tip } = bookOf(overlay, key);
  if (event.type === 'created') {
    const isFirst = !proven && madeBy.vault(event.transactionId) === tip;
    return isFirst ? undefined : refuse('EVENT_EARLY', 'the transaction is not the creation of the vault');
  }
  if (!proven) return refuse('EVENT_EARLY', 'the creation of the vault has not come yet');
  if (event.type === 'foreign') {
    const concerns = event.consumed.some((ref) => isInBook(overlay, key, ref));
    return concerns ? undefined : refuse('EVENT_EARLY', 'the transaction consumes nothing that is known of the vault');
  }
  const named = 'vaultState' in event ? event.vaultState : event.consumed[0];
  if (named === undefined || named === tip || overlay.isSpent(formerTipMark(key, named))) return undefined;
  return refuse('EVENT_EARLY', 'the state of the vault that it names has not come yet');
}

function book(overlay: Overlay, key: VaultKey, event: StateEvent): Contradiction | undefined {
  switch (event.type) {
    case 'created':
      overlay.books.set(key, { ...bookOf(overlay, key), proven: true });
      return undefined;
    case 'locked':
      return bookLock(overlay, key, event);
    case 'executed':
      return bookExecution(overlay, key, event);
    case 'voided':
      return bookVoid(overlay, key, event);
    case 'foreign':
      return CONTRADICTION;
    default:
      return bookControl(overlay, key, event);
  }
}

/** A lock consumes what was its owner's: with a state of the vault among it, nothing came in. */
function bookLock(overlay: Overlay, key: VaultKey, event: LockedStateEvent): Contradiction | undefined {
  if (event.consumed.length === 0 || event.consumed.some((ref) => isInBook(overlay, key, ref))) return CONTRADICTION;
  const { mode } = overlay.vault(key).vault;
  return applyLocked(overlay, key, event, () => {
    const { transactionId, lockId, amountMinor } = event;
    overlay.lockRecords.set(lockKey(key, lockId), madeBy.lockRecord(transactionId, mode));
    if (mode === 'escrow') addCoin(overlay, key, madeBy.lockedCoin(transactionId), amountMinor);
  });
}

function bookExecution(overlay: Overlay, key: VaultKey, event: ExecutedStateEvent): Contradiction | undefined {
  const written = openAt(overlay, key, event.id);
  const states = written?.states;
  if (written === undefined || states === undefined || !sameRefs(event.consumed, inputsOf(states)))
    return CONTRADICTION;
  let worthMinor = 0n;
  for (const ref of states.coins) worthMinor += coinOf(overlay, key, ref).amountMinor;
  const changeMinor = states.coins.length === 0 ? 0n : worthMinor - written.amountMinor;
  if (event.changeMinor !== changeMinor) return CONTRADICTION;
  return applyExecuted(overlay, key, event, () => {
    consume(overlay, key, states, madeBy.permit(event.transactionId));
    if (changeMinor > 0n) addCoin(overlay, key, madeBy.change(event.transactionId), changeMinor);
    if (states.record !== undefined) overlay.lockRecords.delete(lockKey(key, written.subject));
  });
}

function bookVoid(overlay: Overlay, key: VaultKey, event: VoidedStateEvent): Contradiction | undefined {
  const held = openAt(overlay, key, event.subject)?.states;
  const states = held && statesOfVoid(held);
  if (states === undefined || !sameRefs(event.consumed, inputsOf(states))) return CONTRADICTION;
  const amounts = states.coins.map((ref) => coinOf(overlay, key, ref).amountMinor);
  const again = event.coinsMinor;
  if (again.length !== amounts.length || amounts.some((minor, i) => minor !== again[i])) return CONTRADICTION;
  return applyVoided(overlay, key, event, () => {
    consume(overlay, key, states, madeBy.permit(event.transactionId));
    amounts.forEach((minor, i) => {
      addCoin(overlay, key, madeBy.voidedCoin(event.transactionId, i), minor);
    });
  });
}

/** The vault's state is consumed by its successor alone. An earlier one that is consumed again was notarised twice. */
function bookControl(overlay: Overlay, key: VaultKey, event: ControlStateEvent): Contradiction | undefined {
  const row = bookOf(overlay, key);
  if (event.consumed.length !== 1 || event.consumed[0] !== row.tip) return CONTRADICTION;
  overlay.spend(formerTipMark(key, row.tip));
  overlay.books.set(key, { ...row, tip: madeBy.vault(event.transactionId), control: event.control });
  switch (event.type) {
    case 'pauseChanged':
      overlay.changeVault(key, { paused: event.control.pausedByAuthority || event.control.pausedByGuardian });
      return undefined;
    case 'rotated':
      // The core writes no rotation yet, so this is the guardians' or a thief's: what it signs now has no effect.
      halt(overlay, key, 'AUTHORITY_ROTATED');
      return undefined;
    case 'guardianProposed':
      notice(overlay, key, 'GUARDIAN_PROPOSED');
      return undefined;
    case 'guardianCancelled':
      return undefined;
  }
}

function openAt(overlay: Overlay, key: VaultKey, id: OpenInstruction['id']): OpenInstruction | undefined {
  const open = overlay.instructions.get(id);
  return open && vaultKey(open.network, open.asset) === key ? open : undefined;
}

const sameRefs = (a: readonly StateRef[], b: readonly StateRef[]): boolean =>
  a.length === b.length && a.every((ref, i) => ref === b[i]);
