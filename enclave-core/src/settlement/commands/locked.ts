/**
 * Value that came into a vault. A lock that fits a transfer is credited; any other goes to suspense, so that whoever
 * locks can halt nothing. Order of checks: amount, lock id, outstanding (issue); reference, its vault, depositor, amount,
 * the transfer's state, deadline, lane, cap.
 */
import { type VaultKey, vaultKey } from '@drawbridge/protocol/ids';
import type { LockedEvent } from '@drawbridge/protocol/vault-event';
import { type Contradiction, notice } from '../alarms.ts';
import { tryInstruct, wakeWaiting } from '../instructing.ts';
import { InvariantError } from '../invariant-error.ts';
import { transferKey } from '../keys.ts';
import { depositRoomMinor } from '../lane.ts';
import { keepLock } from '../lock-life.ts';
import type { Overlay } from '../overlay.ts';
import { bankAccount, post, reserve, suspenseAccount, vaultAccount } from '../postings.ts';
import type { UnmatchedLockReason } from '../record.ts';
import { lockMark, overflowMark } from '../spent-ids.ts';
import type { LiveTransfer, ReferenceRow } from '../state.ts';
import { advance, nameOf } from '../transfer-life.ts';
import { type Facts, transition } from '../transitions.ts';
import { type Enter, NOTHING } from './instruction-outcome.ts';

type Locked = Omit<LockedEvent, 'seq'>;

export function applyLocked(
  overlay: Overlay,
  key: VaultKey,
  event: Locked,
  enter: Enter = NOTHING,
): Contradiction | undefined {
  const mark = lockMark(key, event.lockId);
  if (event.amountMinor <= 0n || overlay.isSpent(mark)) return { halt: 'EVENT_CONTRADICTS_LEDGER' };
  const { vault, row } = overlay.vault(key);
  if (vault.mode === 'issue' && row.vaultMinor < event.amountMinor) return { halt: 'BURN_ABOVE_OUTSTANDING' };
  overlay.spend(mark);
  enter();
  const named = overlay.references.get(event.reference);
  const match = matchLock(overlay, key, event, named);
  if (typeof match === 'string') toSuspense(overlay, key, event, match, named);
  else {
    credit(overlay, key, event, match);
    // What goes to suspense frees no value for others.
    wakeWaiting(overlay, key);
  }
  return undefined;
}

/** The transfer that the lock funds, or why it fits nothing. */
function matchLock(
  overlay: Overlay,
  key: VaultKey,
  event: Locked,
  named: ReferenceRow | undefined,
): LiveTransfer | UnmatchedLockReason {
  if (named === undefined) return 'reference';
  const live = named.past ? undefined : overlay.transfer(transferKey(named.bank, named.id));
  const wanted = named.past ?? (live && wantedBy(live));
  if (wanted === undefined) throw new InvariantError('a reference names neither a live nor an ended transfer');
  if (wanted.vault !== key) return 'reference';
  if (wanted.depositor !== event.depositor) return 'depositor';
  if (wanted.amountMinor !== event.amountMinor) return 'amount';
  const facts: Facts = { wasFunded: wanted.funded, hasDestination: live?.transfer.terms.destination !== undefined };
  const verdict = transition(wanted.state, 'funded', facts);
  if (verdict.kind === 'unmatched') return verdict.why;
  if (live === undefined) throw new InvariantError('an ended transfer takes a lock');
  if (overlay.stampMs > (live.transfer.terms.fundByMs ?? 0)) return 'late';
  return hasRoom(overlay, key, event.amountMinor) ? live : 'cap';
}

function wantedBy({ transfer }: LiveTransfer): NonNullable<ReferenceRow['past']> | undefined {
  const { terms, state, lockId } = transfer;
  if (!terms.source) return undefined;
  const vault = vaultKey(terms.source.network, terms.asset);
  const { depositor } = terms.source;
  return { vault, depositor, amountMinor: terms.amountMinor, state, funded: lockId !== undefined };
}

/** Burning at an issue vault lowers what is at stake, so only an escrow vault's cap bounds deposits; both need a lane. */
function hasRoom(overlay: Overlay, key: VaultKey, amountMinor: bigint): boolean {
  const { vault, row } = overlay.vault(key);
  if (row.halted || overlay.capMinor(key) === undefined) return false;
  return vault.mode === 'issue' || depositRoomMinor(overlay, key) >= amountMinor;
}

function credit(overlay: Overlay, key: VaultKey, event: Locked, live: LiveTransfer): void {
  const { transfer } = live;
  const { terms } = transfer;
  post(overlay, {
    asset: terms.asset,
    debit: vaultAccount(key),
    credit: bankAccount(terms.debtor),
    amountMinor: event.amountMinor,
    kind: 'deposit',
    network: overlay.vault(key).vault.network,
    transfer: nameOf(transfer),
  });
  const facts = { hasDestination: terms.destination !== undefined };
  const funded = advance(overlay, live, 'funded', facts, { lockId: event.lockId });
  if (funded.transfer.state === 'FUNDED') {
    reserve(overlay, terms.debtor, terms.asset, terms.amountMinor);
    tryInstruct(overlay, funded);
  } else if (terms.creditor !== terms.debtor) {
    post(overlay, {
      asset: terms.asset,
      debit: bankAccount(terms.debtor),
      credit: bankAccount(terms.creditor),
      amountMinor: terms.amountMinor,
      kind: 'payment',
      transfer: nameOf(transfer),
    });
  }
}

function toSuspense(
  overlay: Overlay,
  key: VaultKey,
  event: Locked,
  why: UnmatchedLockReason,
  named: ReferenceRow | undefined,
): void {
  const { vault, row } = overlay.vault(key);
  const { lockId, depositor, amountMinor } = event;
  const { network, asset } = vault;
  post(overlay, {
    asset,
    debit: vaultAccount(key),
    credit: suspenseAccount(key),
    amountMinor,
    kind: 'deposit',
  });
  const unmatchedEver = row.unmatchedEver + 1;
  if (row.unmatchedKept >= overlay.base.limits.unmatchedLocksPerVault) {
    if (row.overflowMinor === 0n) notice(overlay, key, 'UNMATCHED_OVERFLOW');
    overlay.changeVault(key, { unmatchedEver, overflowMinor: row.overflowMinor + amountMinor });
    overlay.spend(overflowMark(key, event));
    return;
  }
  overlay.changeVault(key, { unmatchedEver, unmatchedKept: row.unmatchedKept + 1 });
  const transfer = named && { bank: named.bank, id: named.id };
  keepLock(overlay, {
    network,
    asset,
    lockId,
    depositor,
    amountMinor,
    ...(transfer && { transfer }),
    why,
    state: 'UNMATCHED',
    refundsVoided: 0,
  });
}
