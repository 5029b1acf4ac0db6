/**
 * What becomes of a lock in suspense: back to its depositor, or to the bank that its reference names if it only came
 * late. A lock that names another bank is as absent as one that never was.
 */
import { type ParticipantId, vaultKey } from '@drawbridge/protocol/ids';
import type { Command, Outcome } from '../command.ts';
import { lockRefundOf, retryWaiting, wakeWaiting, writeLockRefund, writeVoid } from '../instructing.ts';
import { lockKey } from '../keys.ts';
import { canRefund, depositRoomMinor, takesEvidence } from '../lane.ts';
import { keepLock, letGoOfLock } from '../lock-life.ts';
import type { Overlay } from '../overlay.ts';
import { bankAccount, post, suspenseAccount } from '../postings.ts';
import { type Refusal, refuse } from '../terms.ts';
import type { UnmatchedLock } from '../view.ts';

type LockCommand = Extract<Command, { type: 'refundLock' | 'cancelLockRefund' | 'claimLock' }>;

/** Order of checks: who asks, the lock, its state, network and lane. */
export function refundLock(overlay: Overlay, command: LockCommand): Outcome {
  const lock = findLock(overlay, command, true);
  if ('ok' in lock) return lock;
  const key = vaultKey(lock.network, lock.asset);
  if (lock.state !== 'UNMATCHED') return refuse('LOCK_NOT_REFUNDABLE', 'its refund was written before');
  if (!takesEvidence(overlay, lock.network)) return refuse('LANE_CLOSED', 'the network is halted or retired');
  if (!canRefund(overlay, key)) return refuse('LANE_HALTED', 'the lane is halted');
  if (!writeLockRefund(overlay, lock)) {
    return refuse('LOCK_NOT_REFUNDABLE', 'the vault has no states free to pay it back with; ask again later');
  }
  keepLock(overlay, { ...lock, state: 'REFUNDING' });
  return { ok: true };
}

/**
 * Has the refund voided, for a vault or a token that refuses it: only the network's word then says which of the two came
 * first. Order of checks: who asks, the lock, its state. A void needs no open lane, as that of a transfer.
 */
export function cancelLockRefund(overlay: Overlay, command: LockCommand): Outcome {
  const lock = findLock(overlay, command, true);
  if ('ok' in lock) return lock;
  if (lock.state !== 'REFUNDING') return refuse('LOCK_NOT_CANCELLABLE', 'no refund of it is open and without a void');
  writeVoid(overlay, lockRefundOf(overlay, lock));
  keepLock(overlay, { ...lock, state: 'VOIDING' });
  return { ok: true };
}

/** Order of checks: who asks, the lock, that it is late and not on its way back, network and lane, cap. */
export function claimLock(overlay: Overlay, command: LockCommand): Outcome {
  const lock = findLock(overlay, command, false);
  if ('ok' in lock) return lock;
  const key = vaultKey(lock.network, lock.asset);
  const { vault, row } = overlay.vault(key);
  if (lock.state !== 'UNMATCHED' || lock.why !== 'late') {
    return refuse('LOCK_NOT_CLAIMABLE', 'only a lock that came late and is not refunded can be claimed');
  }
  if (!takesEvidence(overlay, lock.network)) return refuse('LANE_CLOSED', 'the network is halted or retired');
  if (row.halted) return refuse('LANE_HALTED', 'the lane is halted');
  if (vault.mode === 'escrow' && depositRoomMinor(overlay, key) < lock.amountMinor) {
    return refuse('LOCK_NOT_CLAIMABLE', 'the exposure cap leaves no room');
  }
  post(overlay, {
    asset: lock.asset,
    debit: suspenseAccount(key),
    credit: bankAccount(command.by),
    amountMinor: lock.amountMinor,
    kind: 'claim',
    network: lock.network,
    ...(lock.transfer && { transfer: lock.transfer }),
  });
  letGoOfLock(overlay, lock, 'CLAIMED');
  overlay.changeVault(key, { unmatchedKept: overlay.vault(key).row.unmatchedKept - 1 });
  wakeWaiting(overlay, key);
  retryWaiting(overlay, key, overlay.base.limits.retriesPerStep);
  return { ok: true };
}

function findLock(
  overlay: Overlay,
  { by, network, asset, lockId }: LockCommand,
  byOperators: boolean,
): UnmatchedLock | Refusal {
  const refusal = refuseAsker(overlay, by, byOperators);
  if (refusal) return refusal;
  const lock = overlay.unmatched.get(lockKey(vaultKey(network, asset), lockId));
  const isOperator = overlay.participant(by)?.role === 'operator';
  const visible = lock !== undefined && (isOperator || lock.transfer?.bank === by);
  return visible ? lock : refuse('LOCK_NOT_FOUND', 'no such lock');
}

function refuseAsker(overlay: Overlay, by: ParticipantId, byOperators: boolean): Refusal | undefined {
  const role = overlay.participant(by)?.role;
  if (role === undefined) return refuse('PARTICIPANT_UNKNOWN', 'whoever asks is not registered');
  if (role === 'bank' || (byOperators && role === 'operator')) return undefined;
  return refuse('NOT_ALLOWED', byOperators ? 'only banks and operators may ask' : 'only banks may ask');
}
