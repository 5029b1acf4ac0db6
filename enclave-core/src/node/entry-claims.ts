/**
 * What an entry claims towards its participants: a text for each event, in the order of the events. Made of the event and the
 * transfer's terms alone, which never change, so that a receipt asked for years later has the same text.
 */
import type { ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import { claimText } from '@drawbridge/protocol/ledger/claim-text';
import { ClaimsTree, claimsDigest } from '@drawbridge/protocol/ledger/claims';
import { ZERO_DIGEST } from '@drawbridge/protocol/ledger/hash';
import type { LedgerKeys } from '../keys/ledger-keys.ts';
import type { TransferTerms } from '../settlement/command.ts';
import { InvariantError } from '../settlement/invariant-error.ts';
import type { EntryRecords, ParticipantEvent } from '../settlement/record.ts';
import { sha256 } from '../sha256.ts';

/** Terms of the transfer that an event is about. */
export type TermsOf = (bank: ParticipantId, id: TransferId) => TransferTerms | undefined;

type ClaimedRecords = Pick<EntryRecords, 'events' | 'transfers'>;

/** Digest over the claims of an entry that has just been applied. */
export function entryClaimsDigest(keys: LedgerKeys, epoch: number, txid: string, records: ClaimedRecords): Uint8Array {
  const { events } = records;
  if (events.length === 0) return ZERO_DIGEST;
  return claimsDigest(claimTexts(events, termsIn(records)), keys.claimSalts(epoch, txid, events.length), sha256);
}

/** The same claims as a tree, for proofs. @throws InvariantError where the terms of a transfer are not known */
export const entryClaimsTree = (
  keys: LedgerKeys,
  { epoch, txid }: Readonly<{ epoch: number; txid: string }>,
  events: readonly ParticipantEvent[],
  termsOf: TermsOf,
): ClaimsTree => new ClaimsTree(claimTexts(events, termsOf), keys.claimSalts(epoch, txid, events.length), sha256);

function termsIn({ transfers }: ClaimedRecords): TermsOf {
  const byId = new Map<TransferId, TransferTerms>();
  for (const { terms } of transfers) byId.set(terms.id, terms);
  return (bank, id) => {
    const terms = byId.get(id);
    if (terms === undefined || terms.debtor === bank) return terms;
    // Ids are scoped to their bank: two banks' transfers of one id may be in one entry.
    return transfers.find((transfer) => transfer.terms.id === id && transfer.terms.debtor === bank)?.terms;
  };
}

function claimTexts(events: readonly ParticipantEvent[], termsOf: TermsOf): string[] {
  return events.map((event) => {
    const { body } = event;
    if (body.type === 'lock') return claimText(event);
    const terms = termsOf(body.bank, body.id as TransferId);
    if (!terms) throw new InvariantError('an event is about a transfer whose terms are not known');
    return claimText(event, terms);
  });
}
