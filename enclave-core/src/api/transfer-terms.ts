/** From the body of a transfer to the terms that the ledger keeps, and back to the question whether two are the same. */
import { MAX_AMOUNT_MINOR } from '@drawbridge/protocol/amount';
import type { FieldError } from '@drawbridge/protocol/api/problem';
import type { TransferRequest } from '@drawbridge/protocol/api/transfer';
import { type Bytes32, parseBytes32 } from '@drawbridge/protocol/bytes32';
import { type ParticipantId, parseEvmAddress } from '@drawbridge/protocol/ids';
import { addressWord } from '@drawbridge/protocol/instruction';
import type { TransferTerms } from '../settlement/command.ts';
import { parseTime } from './times.ts';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

const LONE_SURROGATE = /\p{Surrogate}/u;

const WORD_CHARACTERS = 66;
/** An address as a word, or the word itself; which of the two a network has, settlement knows. */
const partyWord = (text: string): Bytes32 =>
  text.length === WORD_CHARACTERS ? parseBytes32(text) : addressWord(parseEvmAddress(text));

/** Terms, or what is wrong beyond what the schema can say. The request has passed its schema. */
export function termsOf(request: TransferRequest, debtor: ParticipantId): TransferTerms | FieldError[] {
  const errors: FieldError[] = [];
  const amountMinor = BigInt(request.amountMinor);
  if (amountMinor > MAX_AMOUNT_MINOR) errors.push({ path: '/amountMinor', message: 'must be below 2^63' });
  const terms: Writable<TransferTerms> = {
    id: request.id,
    asset: request.asset,
    amountMinor,
    debtor,
    creditor: request.creditor,
    onVoid: request.onVoid ?? 'return',
  };
  const { source, destination, remittance } = request;
  if (source) terms.source = { network: source.network, depositor: partyWord(source.depositor) };
  if (destination) {
    terms.destination = { network: destination.network, beneficiary: partyWord(destination.beneficiary) };
  }
  for (const field of ['fundBy', 'deliverBy'] as const) {
    const text = request[field];
    if (text === undefined) continue;
    const atMs = parseTime(text);
    if (atMs === undefined)
      errors.push({ path: `/${field}`, message: 'must be a day and an hour that exist, from 1970 on' });
    else terms[`${field}Ms`] = atMs;
  }
  if (remittance !== undefined) {
    // A lone surrogate has no UTF-8 and would not come out of the ledger as it went in.
    if (LONE_SURROGATE.test(remittance)) errors.push({ path: '/remittance', message: 'must be well-formed Unicode' });
    // Nor would a byte order mark, which readers of UTF-8 drop.
    if (remittance.startsWith('\ufeff')) {
      errors.push({ path: '/remittance', message: 'must not begin with a byte order mark' });
    }
    terms.remittance = remittance;
  }
  return errors.length > 0 ? errors : terms;
}
