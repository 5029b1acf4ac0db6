/** Moves locks in suspense: keeps the row as it stands, and tells the bank that its reference names, and nobody else. */
import { vaultKey } from '@drawbridge/protocol/ids';
import { forgetRecord } from './book.ts';
import { lockKey } from './keys.ts';
import type { Overlay } from './overlay.ts';
import type { UnmatchedLock } from './view.ts';

/** Keeps it in the state that it now has. */
export function keepLock(overlay: Overlay, lock: UnmatchedLock): void {
  const lastEvent = announceLock(overlay, lock);
  overlay.unmatched.set(placeOf(lock), { ...lock, ...(lastEvent !== undefined && { lastEvent }) });
}

/** Lets go of one that has ended, in this state. */
export function letGoOfLock(overlay: Overlay, lock: UnmatchedLock, state: 'REFUNDED' | 'CLAIMED'): void {
  overlay.unmatched.delete(placeOf(lock));
  forgetRecord(overlay, vaultKey(lock.network, lock.asset), lock.lockId);
  announceLock(overlay, { ...lock, state });
}

const placeOf = ({ network, asset, lockId }: UnmatchedLock) => lockKey(vaultKey(network, asset), lockId);

/** @returns number of the event, where there is someone to tell */
function announceLock(overlay: Overlay, lock: UnmatchedLock): number | undefined {
  const { network, asset, lockId, transfer, state } = lock;
  return transfer && overlay.emit(transfer.bank, { type: 'lock', network, asset, lockId, state });
}
