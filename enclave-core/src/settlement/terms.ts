/** Terms of transfers: when two are the same, and how their form is wrong. What depends on state is checked elsewhere. */
import { MAX_AMOUNT_MINOR } from '@drawbridge/protocol/amount';
import { type Bytes32, ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import type { NetworkId } from '@drawbridge/protocol/ids';
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
const isAddressWord = (word: Bytes32): boolean => word.startsWith(ADDRESS_PADDING) && word !== ZERO_BYTES32;
const ADDRESS_PADDING = `0x${'0'.repeat(24)}`;

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

/** Where the kind of a network is asked for. */
type Networks = Readonly<{ network: (id: NetworkId) => Readonly<{ kind: string }> | undefined }>;

/** On Corda a party is keccak256 of its key, and a word that reads as an address is somebody's mistake. */
function refuseParty(networks: Networks, network: NetworkId, word: Bytes32, who: string): Refusal | undefined {
  const namesKeys = networks.network(network)?.kind === 'corda';
  const fits = namesKeys ? !word.startsWith(ADDRESS_PADDING) : isAddressWord(word);
  return fits ? undefined : refuse('TERMS_INVALID', `${who} must be ${namesKeys ? 'the hash of a key' : 'an address'}`);
}

/** What is wrong with the terms whatever the balances, but for deadlines. */
export function refuseForm(terms: TransferTerms, networks: Networks): Refusal | undefined {
  const { amountMinor, source, destination, remittance } = terms;
  if (amountMinor <= 0n) return refuse('AMOUNT_NOT_POSITIVE', 'amount must be above zero');
  if (amountMinor > MAX_AMOUNT_MINOR) return refuse('AMOUNT_TOO_LARGE', 'amount must be below 2^63 minor units');
  if (terms.debtor === terms.creditor && !source && !destination) {
    return refuse('TERMS_INVALID', 'debtor and creditor must differ where neither funds arrive nor leave');
  }
  if (terms.onVoid === 'refund' && !source) return refuse('TERMS_INVALID', 'refund needs a source to go back to');
  const wrong =
    (source && refuseParty(networks, source.network, source.depositor, 'depositor')) ??
    (destination && refuseParty(networks, destination.network, destination.beneficiary, 'beneficiary'));
  if (wrong) return wrong;
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
