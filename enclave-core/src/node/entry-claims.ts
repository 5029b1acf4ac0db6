/**
 * What an entry claims towards its participants: a text for each event, in the order of the events. Made of the event and the
 * transfer's terms alone, which never change, so that a receipt asked for years later has the same text.
 */
import type { ParticipantId, TransferId } from '@drawbridge/protocol/ids';
import { ClaimsTree, claimsDigest } from '@drawbridge/protocol/ledger/claims';
import type { LedgerKeys } from '../keys/ledger-keys.ts';
import { sha256 } from '../ledger/sha256.ts';
import type { TransferTerms } from '../settlement/command.ts';
import { InvariantError } from '../settlement/invariant-error.ts';
import type { EntryRecords, ParticipantEvent } from '../settlement/record.ts';

/** Terms of the transfer that an event is about. */
export type TermsOf = (bank: ParticipantId, id: TransferId) => TransferTerms | undefined;

type ClaimedRecords = Pick<EntryRecords, 'events' | 'transfers'>;

/** Digest over the claims of an entry that has just been applied. */
export function entryClaimsDigest(keys: LedgerKeys, epoch: number, txid: string, records: ClaimedRecords): Uint8Array {
  if (records.events.length === 0) return claimsDigest([], NO_KEY, sha256);
  return claimsDigest(claimTexts(records.events, termsIn(records)), keys.claimsKey(epoch, txid), sha256);
}

/** The same claims as a tree, for proofs. @throws InvariantError where the terms of a transfer are not known */
export const entryClaimsTree = (
  keys: LedgerKeys,
  { epoch, txid }: Readonly<{ epoch: number; txid: string }>,
  events: readonly ParticipantEvent[],
  termsOf: TermsOf,
): ClaimsTree => new ClaimsTree(claimTexts(events, termsOf), keys.claimsKey(epoch, txid), sha256);

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

/**
 * JSON put together by hand, for speed: every text in it is of letters, digits, dots and hyphens (`protocol/src/ids.ts`), so
 * nothing has to be escaped.
 */
function claimTexts(events: readonly ParticipantEvent[], termsOf: TermsOf): string[] {
  const termTexts = new Map<TransferTerms, string>();
  return events.map(({ participant, number, stampMs, body }) => {
    const head = `{"v":1,"participant":"${participant}","number":${number},"stampMs":${stampMs},"type":"${body.type}"`;
    if (body.type === 'lock') {
      const { network, asset, lockId, state } = body;
      return `${head},"network":"${network}","asset":"${asset}","lockId":"${lockId}","state":"${state}"}`;
    }
    const { bank, id, state, reason } = body;
    const terms = termsOf(bank, id as TransferId);
    if (!terms) throw new InvariantError('an event is about a transfer whose terms are not known');
    let text = termTexts.get(terms);
    if (text === undefined) {
      text = termsText(terms);
      termTexts.set(terms, text);
    }
    const why = reason === undefined ? '' : `,"reason":"${reason}"`;
    return `${head},"bank":"${bank}","id":"${id}","state":"${state}"${why}${text}}`;
  });
}

function termsText({ asset, amountMinor, debtor, creditor, source, destination }: TransferTerms): string {
  const from = source ? `,"source":{"network":"${source.network}","depositor":"${source.depositor}"}` : '';
  const to = destination
    ? `,"destination":{"network":"${destination.network}","beneficiary":"${destination.beneficiary}"}`
    : '';
  return `,"asset":"${asset}","amountMinor":"${amountMinor}","debtor":"${debtor}","creditor":"${creditor}"${from}${to}`;
}

const NO_KEY = new Uint8Array(32);
