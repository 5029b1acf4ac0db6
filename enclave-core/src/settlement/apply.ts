/** Applies log entries: time first, then each command in order, with the invariants asserted after each. */

import type { Command, Entry, Outcome } from './command.ts';
import { amendment } from './commands/amendment.ts';
import { cancelTransfer } from './commands/cancel-transfer.ts';
import { headerConflict, headers } from './commands/headers.ts';
import { stateEvent } from './commands/state-event.ts';
import { submitTransfer } from './commands/submit-transfer.ts';
import { cancelLockRefund, claimLock, refundLock } from './commands/unmatched-lock.ts';
import { vaultEvent } from './commands/vault-event.ts';
import { passTime } from './deadlines.ts';
import { assertTouched } from './invariants.ts';
import { Journal } from './journal.ts';
import type { Overlay } from './overlay.ts';
import type { EntryRecords } from './record.ts';

export type Applied = { outcomes: Outcome[]; records: EntryRecords };

/**
 * Applies one entry to a draft. Every replica runs it on every committed entry, so equal state and entry give equal
 * results: it reads no clock, draws nothing at random and does no I/O. A stamp before the last one counts as the last.
 * @throws InvariantError when the state contradicts itself; the draft must be thrown away and the node stopped.
 */
export function applyEntry(overlay: Overlay, entry: Entry): Applied {
  overlay.journal = new Journal();
  overlay.stampMs = Math.max(overlay.stampMs, entry.stampMs);
  passTime(overlay);
  assertTouched(overlay);
  const outcomes = entry.commands.map((command) => {
    const outcome = applyCommand(overlay, command);
    assertTouched(overlay);
    return outcome;
  });
  return { outcomes, records: overlay.journal.toRecords() };
}

function applyCommand(overlay: Overlay, command: Command): Outcome {
  switch (command.type) {
    case 'submitTransfer':
      return submitTransfer(overlay, command.terms);
    case 'cancelTransfer':
      return cancelTransfer(overlay, command.bank, command.id);
    case 'vaultEvent':
      return vaultEvent(overlay, command);
    case 'stateEvent':
      return stateEvent(overlay, command);
    case 'headers':
      return headers(overlay, command);
    case 'headerConflict':
      return headerConflict(overlay, command);
    case 'refundLock':
      return refundLock(overlay, command);
    case 'cancelLockRefund':
      return cancelLockRefund(overlay, command);
    case 'claimLock':
      return claimLock(overlay, command);
    case 'clock':
      return { ok: true };
    case 'amendment':
      return amendment(overlay, command);
  }
}
