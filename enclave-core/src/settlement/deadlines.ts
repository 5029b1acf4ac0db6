/** What time alone does. Runs before the commands of every entry, with a bound; what is left runs with the next entry. */
import { deliveryOf, retryWaiting, returnOrRefund, writeVoid } from './instructing.ts';
import { InvariantError } from './invariant-error.ts';
import type { Overlay } from './overlay.ts';
import { reserve } from './postings.ts';
import type { LiveTransfer } from './state.ts';
import { advance } from './transfer-life.ts';

/** Lets due deadlines pass, oldest first, and goes on trying waiting transfers where a round was cut short. */
export function passTime(overlay: Overlay): void {
  const { deadlinesPerEntry, retriesPerStep } = overlay.base.limits;
  for (const key of overlay.dueTransfers(deadlinesPerEntry)) {
    const live = overlay.transfer(key);
    if (live === undefined) throw new InvariantError('a deadline belongs to no live transfer');
    passDeadline(overlay, live);
  }
  let left = retriesPerStep;
  for (const key of overlay.registry.vaults.keys()) if (left > 0) left -= retryWaiting(overlay, key, left);
}

function passDeadline(overlay: Overlay, live: LiveTransfer): void {
  const { transfer } = live;
  const { terms, state } = transfer;
  if (state === 'AWAITING_FUNDS') advance(overlay, live, 'fundByPassed', {});
  else if (state === 'RELAYING') {
    const instruction = writeVoid(overlay, deliveryOf(overlay, transfer));
    if (instruction === undefined) throw new InvariantError('a delivery that is not voiding has a void');
    advance(overlay, live, 'deliverByPassed', {}, { instruction });
  } else if (state === 'FUNDED') {
    reserve(overlay, terms.debtor, terms.asset, -terms.amountMinor);
    returnOrRefund(overlay, live, 'deliverByPassed');
  } else throw new InvariantError(`a transfer in ${state} has no deadline`);
}
