/** The debtor's bank ends a transfer, where it still can. Others are answered as if there were none. */
import type { ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import type { Outcome } from '../command.ts';
import { refundId } from '../ids.ts';
import { deliveryOf, sourceOf, writeVoid } from '../instructing.ts';
import { InvariantError } from '../invariant-error.ts';
import { transferKey } from '../keys.ts';
import type { Overlay } from '../overlay.ts';
import { reserve } from '../postings.ts';
import { transferMark } from '../spent-ids.ts';
import { refuse } from '../terms.ts';
import { advance } from '../transfer-life.ts';
import { transition } from '../transitions.ts';

export function cancelTransfer(overlay: Overlay, bank: ParticipantId, id: TransferId): Outcome {
  const live = overlay.transfer(transferKey(bank, id));
  if (live === undefined) {
    return overlay.isSpent(transferMark(bank, id))
      ? refuse('TRANSFER_NOT_CANCELLABLE', 'the transfer has ended')
      : refuse('TRANSFER_NOT_FOUND', 'no such transfer');
  }
  const { transfer } = live;
  const { terms, state, lockId } = transfer;
  const verdict = transition(state, 'cancel', {});
  if (verdict.kind === 'refuse') return refuse(verdict.code, 'the transfer has ended');
  if (verdict.kind === 'move' && state === 'REFUNDING') {
    if (lockId === undefined) throw new InvariantError('a refund needs the lock that it refunds');
    const instruction = writeVoid(overlay, refundId(overlay.base.secrets.idKey, sourceOf(transfer), lockId));
    if (instruction !== undefined) advance(overlay, live, 'cancel', {}, { instruction });
  } else if (verdict.kind === 'move' && state === 'RELAYING') {
    const instruction = writeVoid(overlay, deliveryOf(overlay, transfer));
    if (instruction === undefined) throw new InvariantError('a delivery that is not voiding has a void');
    advance(overlay, live, 'cancel', {}, { instruction });
  } else if (verdict.kind === 'move') {
    if (state === 'FUNDED') reserve(overlay, terms.debtor, terms.asset, -terms.amountMinor);
    advance(overlay, live, 'cancel', {});
  }
  return { ok: true, transfer: id };
}
