/** Terms of transfers: when two are the same, and how their form is wrong. What depends on state is checked elsewhere. */
import { MAX_AMOUNT_MINOR } from '@drawbridge/protocol/amount';
import { type Bytes32, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import type { RefusalCode, TransferTerms } from './command.ts';
import { MAX_REMITTANCE_CHARACTERS } from './limits.ts';

export type Refusal = Readonly<{ ok: false; code: RefusalCode; detail: string; expectedSeq?: number }>;

export const refuse = (code: RefusalCode, detail: string): Refusal => ({ ok: false, code, detail });

/** Equal terms under one id are one transfer. */
export function sameTerms(a: TransferTerms, b: TransferTerms): boolean {
  return (
    a.id === b.id &&
    a.asset === b.asset &&
    a.amountMinor === b.amountMinor &&
    a.debtor === b.debtor &&
    a.creditor === b.creditor &&
    a.source?.network === b.source?.network &&
    a.source?.depositor === b.source?.depositor &&
    a.destination?.network === b.destination?.network &&
    a.destination?.beneficiary === b.destination?.beneficiary &&
    a.fundByMs === b.fundByMs &&
    a.deliverByMs === b.deliverByMs &&
    a.onVoid === b.onVoid &&
    a.remittance === b.remittance
  );
}

/** An EVM address, left-padded to a word, and not zero: what a vault accepts as a party. */
const isAddressWord = (word: Bytes32): boolean => word.startsWith(`0x${'0'.repeat(24)}`) && word !== ZERO_BYTES32;

/**
 * Half a surrogate pair has no bytes in UTF-8, and a byte order mark at the beginning is dropped by whoever decodes it:
 * neither would come back from log or snapshot as it went in.
 */
const isRemittance = (text: string): boolean =>
  text !== '' &&
  !text.startsWith('\ufeff') &&
  text.length <= 2 * MAX_REMITTANCE_CHARACTERS &&
  !/\p{Surrogate}/u.test(text) &&
  Array.from(text).length <= MAX_REMITTANCE_CHARACTERS;

/** What is wrong with the terms whatever the state, but for deadlines. */
export function refuseForm(terms: TransferTerms): Refusal | undefined {
  const { amountMinor, source, destination, remittance } = terms;
  if (amountMinor <= 0n) return refuse('AMOUNT_NOT_POSITIVE', 'amount must be above zero');
  if (amountMinor > MAX_AMOUNT_MINOR) return refuse('AMOUNT_TOO_LARGE', 'amount must be below 2^63 minor units');
  if (terms.debtor === terms.creditor && !source && !destination) {
    return refuse('TERMS_INVALID', 'debtor and creditor must differ where neither funds arrive nor leave');
  }
  if (terms.onVoid === 'refund' && !source) return refuse('TERMS_INVALID', 'refund needs a source to go back to');
  if (source && !isAddressWord(source.depositor)) return refuse('TERMS_INVALID', 'depositor must be an address');
  if (destination && !isAddressWord(destination.beneficiary)) {
    return refuse('TERMS_INVALID', 'beneficiary must be an address');
  }
  if (remittance !== undefined && !isRemittance(remittance)) {
    return refuse('TERMS_INVALID', `remittance must have 1 to ${MAX_REMITTANCE_CHARACTERS} characters`);
  }
  return undefined;
}

/** What is wrong with the deadlines of a transfer submitted at `stampMs`. */
export function refuseDeadlines(terms: TransferTerms, stampMs: number, horizonMs: number): Refusal | undefined {
  const { source, destination, fundByMs, deliverByMs } = terms;
  const wrong = (detail: string): Refusal => refuse('DEADLINE_INVALID', detail);
  if ((fundByMs !== undefined) !== (source !== undefined)) return wrong('fundBy goes with a source, and only with one');
  if ((deliverByMs !== undefined) !== (destination !== undefined)) {
    return wrong('deliverBy goes with a destination, and only with one');
  }
  if (fundByMs !== undefined && fundByMs <= stampMs) return wrong('fundBy has passed');
  if (deliverByMs !== undefined && deliverByMs <= stampMs) return wrong('deliverBy has passed');
  if (fundByMs !== undefined && deliverByMs !== undefined && deliverByMs <= fundByMs) {
    return wrong('deliverBy must be later than fundBy');
  }
  if (Math.max(fundByMs ?? 0, deliverByMs ?? 0) - stampMs > horizonMs) return wrong('a deadline is too far away');
  return undefined;
}
