/** Moves transfers along the table: writes the new version, tells both banks, and lets go of what has ended. */
import type { InstructionId, LockId } from '@drawbridge/protocol/ids';
import { vaultKey } from '@drawbridge/protocol/ids';
import { forgetRecord } from './book.ts';
import { InvariantError } from './invariant-error.ts';
import { pastKey, type TransferKey, transferKey } from './keys.ts';
import type { Overlay } from './overlay.ts';
import { TERMINAL_STATES, type Transfer } from './record.ts';
import type { LastEvents, LiveTransfer } from './state.ts';
import { type Facts, type TransferEvent, transition } from './transitions.ts';

export type Change = Readonly<{ lockId?: LockId; instruction?: InstructionId }>;

export const keyOf = ({ terms }: Transfer): TransferKey => transferKey(terms.debtor, terms.id);
export const nameOf = ({ terms }: Transfer): Readonly<{ bank: typeof terms.debtor; id: typeof terms.id }> => ({
  bank: terms.debtor,
  id: terms.id,
});

/**
 * Moves a transfer by an event that its state takes. @returns its next version, ended or not.
 * @throws InvariantError when the table does not move it: callers have asked before.
 */
export function advance(
  overlay: Overlay,
  live: LiveTransfer,
  event: TransferEvent,
  facts: Facts,
  change: Change = {},
): LiveTransfer {
  const { transfer, order } = live;
  const verdict = transition(transfer.state, event, facts);
  if (verdict.kind !== 'move') throw new InvariantError(`${event} does not move a transfer in ${transfer.state}`);
  const { reason: former, ...rest } = transfer;
  const reason = verdict.reason === undefined ? former : verdict.reason;
  const next: Transfer = {
    ...rest,
    state: verdict.to,
    ...(reason ? { reason } : {}),
    updatedMs: overlay.stampMs,
    ...(change.lockId !== undefined && { lockId: change.lockId }),
    ...(change.instruction !== undefined && { instructions: [...transfer.instructions, change.instruction] }),
  };
  const moved = { transfer: next, order, lastEvents: announce(overlay, next) };
  if (TERMINAL_STATES.has(next.state)) letGo(overlay, next);
  else overlay.setTransfer(keyOf(next), moved);
  return moved;
}

/** Records the version and tells debtor and creditor, and nobody else. */
export function announce(overlay: Overlay, transfer: Transfer): LastEvents {
  const { terms, state, reason } = transfer;
  overlay.journal.transfers.push(transfer);
  const plain = { type: 'transfer' as const, bank: terms.debtor, id: terms.id, state };
  const body = reason === undefined ? plain : { ...plain, reason };
  const debtor = overlay.emit(terms.debtor, body);
  return { debtor, creditor: terms.creditor === terms.debtor ? debtor : overlay.emit(terms.creditor, body) };
}

/** Takes an ended transfer out of the state; its reference stays known among the latest ones of its bank. */
function letGo(overlay: Overlay, transfer: Transfer): void {
  const { terms, reference, lockId, state } = transfer;
  overlay.setTransfer(keyOf(transfer), undefined);
  const party = overlay.party(terms.debtor);
  let { pastFrom, pastTo } = party;
  if (reference !== undefined && terms.source !== undefined) {
    const vault = vaultKey(terms.source.network, terms.asset);
    const { depositor } = terms.source;
    if (lockId !== undefined) forgetRecord(overlay, vault, lockId);
    const past = { vault, depositor, amountMinor: terms.amountMinor, state, funded: lockId !== undefined };
    overlay.references.set(reference, { ...nameOf(transfer), past });
    overlay.pastReferences.set(pastKey(terms.debtor, pastTo), reference);
    pastTo += 1;
    while (pastTo - pastFrom > overlay.base.limits.pastReferencesPerBank) {
      const key = pastKey(terms.debtor, pastFrom);
      const oldest = overlay.pastReferences.get(key);
      if (oldest !== undefined) overlay.references.delete(oldest);
      overlay.pastReferences.delete(key);
      pastFrom += 1;
    }
  }
  overlay.parties.set(terms.debtor, { ...party, live: party.live - 1, pastFrom, pastTo });
}
