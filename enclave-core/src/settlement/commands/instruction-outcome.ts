/**
 * What became of an instruction on its network. It must be open and as it was written: an execution or a void that the
 * core did not ask for means a stolen key or a lying witness, and halts the lane.
 */
import { type VaultKey, vaultKey } from '@drawbridge/protocol/ids';
import type { ExecutedEvent, VoidedEvent } from '@drawbridge/protocol/vault-event';
import type { Contradiction } from '../alarms.ts';
import { close, returnOrRefund, wakeWaiting } from '../instructing.ts';
import { InvariantError } from '../invariant-error.ts';
import { type LockKey, lockKey, transferKey } from '../keys.ts';
import { keepLock, letGoOfLock } from '../lock-life.ts';
import type { Overlay } from '../overlay.ts';
import { bankAccount, post, suspenseAccount, transitAccount, vaultAccount } from '../postings.ts';
import type { LiveTransfer } from '../state.ts';
import { advance, nameOf } from '../transfer-life.ts';
import { type Facts, type TransferEvent, transition } from '../transitions.ts';
import type { OpenInstruction, UnmatchedLock } from '../view.ts';

const CONTRADICTION: Contradiction = { halt: 'EVENT_CONTRADICTS_LEDGER' };

/** What else is written once the event is taken, before anything follows from it. */
export type Enter = () => void;
export const NOTHING: Enter = () => undefined;

export function applyExecuted(
  overlay: Overlay,
  key: VaultKey,
  event: Omit<ExecutedEvent, 'seq'>,
  enter: Enter = NOTHING,
): Contradiction | undefined {
  const written = overlay.instructions.get(event.id);
  if (written === undefined || vaultKey(written.network, written.asset) !== key) return CONTRADICTION;
  const asWritten =
    written.kind === event.kind &&
    written.amountMinor === event.amountMinor &&
    written.beneficiary === event.beneficiary &&
    written.subject === event.subject &&
    written.epoch === event.epoch;
  if (!asWritten) return CONTRADICTION;
  const live = liveOf(overlay, written);
  const means: TransferEvent = event.kind === 'refund' ? 'refundExecuted' : 'executed';
  if (live && halts(live, means, {})) return CONTRADICTION;
  enter();
  post(overlay, {
    asset: written.asset,
    debit: transitAccount(key),
    credit: vaultAccount(key),
    amountMinor: written.amountMinor,
    kind: event.kind === 'refund' ? 'refund' : 'withdrawal',
    network: written.network,
  });
  close(overlay, event.id);
  if (live) advance(overlay, live, means, {});
  else finishLockRefund(overlay, key, written);
  return undefined;
}

/** The vault takes no void of what was executed, and none that the core did not sign. */
export function applyVoided(
  overlay: Overlay,
  key: VaultKey,
  event: Omit<VoidedEvent, 'seq'>,
  enter: Enter = NOTHING,
): Contradiction | undefined {
  const written = overlay.instructions.get(event.id);
  const target = overlay.instructions.get(event.subject);
  if (written?.kind !== 'void' || written.subject !== event.subject || written.epoch !== event.epoch) {
    return CONTRADICTION;
  }
  if (target === undefined || vaultKey(target.network, target.asset) !== key) return CONTRADICTION;
  const live = liveOf(overlay, target);
  if (live === undefined) {
    enter();
    reviveLock(overlay, key, target);
    return undefined;
  }
  const means: TransferEvent = target.kind === 'refund' ? 'refundVoided' : 'voided';
  if (halts(live, means, { refundable: false })) return CONTRADICTION;
  enter();
  const { terms } = live.transfer;
  post(overlay, {
    asset: target.asset,
    debit: transitAccount(key),
    credit: bankAccount(terms.debtor),
    amountMinor: target.amountMinor,
    kind: 'return',
    network: target.network,
    transfer: nameOf(live.transfer),
  });
  close(overlay, target.id);
  if (means === 'voided') returnOrRefund(overlay, live, means);
  else advance(overlay, live, means, {});
  wakeWaiting(overlay, key);
  return undefined;
}

const halts = ({ transfer }: LiveTransfer, event: TransferEvent, facts: Facts): boolean =>
  transition(transfer.state, event, facts).kind === 'halt';

function liveOf(overlay: Overlay, { transfer }: OpenInstruction): LiveTransfer | undefined {
  if (transfer === undefined) return undefined;
  const live = overlay.transfer(transferKey(transfer.bank, transfer.id));
  if (live === undefined) throw new InvariantError('an open instruction belongs to no live transfer');
  return live;
}

function lockOf(overlay: Overlay, place: LockKey): UnmatchedLock {
  const lock = overlay.unmatched.get(place);
  if (lock === undefined) throw new InvariantError('a refund belongs to no unmatched lock');
  return lock;
}

/** The lock whose refund will never be: it is in suspense again, to be refunded under a new id or claimed. */
function reviveLock(overlay: Overlay, key: VaultKey, refund: OpenInstruction): void {
  const { asset, subject, amountMinor } = refund;
  const lock = lockOf(overlay, lockKey(key, subject));
  post(overlay, { asset, debit: transitAccount(key), credit: suspenseAccount(key), amountMinor, kind: 'return' });
  close(overlay, refund.id);
  keepLock(overlay, { ...lock, state: 'UNMATCHED', refundsVoided: lock.refundsVoided + 1 });
}

/** The lock that a refund without transfer sent back. */
function finishLockRefund(overlay: Overlay, key: VaultKey, { subject }: OpenInstruction): void {
  letGoOfLock(overlay, lockOf(overlay, lockKey(key, subject)), 'REFUNDED');
  overlay.changeVault(key, { unmatchedKept: overlay.vault(key).row.unmatchedKept - 1 });
}
