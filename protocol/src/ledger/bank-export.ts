/**
 * What a participant keeps of its own events: a claim and its proof for each, numbered 1, 2, … without gaps. Held against the
 * ledger (`drawbridge verify ledger DIR --export FILE`) every claim must lead to the claims digest of the entry that it names.
 *
 * A file of pages: JSON `{"participant","items":[{"seqno","claims_proof"} …]}`, one a line, in the order of the numbers; a
 * single page may also be spread over lines. So a file can be written and added to while the events come in, and be checked
 * without being in memory whole.
 */
import { type ParticipantId, parseParticipantId } from '../ids.ts';
import { isProtocolError, ProtocolError } from '../protocol-error.ts';
import type { ClaimsProof } from './claims.ts';
import { parseClaimsProof } from './receipt.ts';

/** An event: the entry that it happened in, and proof of what that says. The number stands in the claim. */
export type ExportItem = Readonly<{ seqno: number; claims_proof: ClaimsProof }>;

export type BankExportPage = Readonly<{
  participant: ParticipantId;
  /** In the order of their numbers. */
  items: readonly ExportItem[];
}>;

/** Most items of one page. */
export const MAX_EXPORT_ITEMS = 10_000;
/** Longest line, in characters. */
export const MAX_EXPORT_LINE_CHARACTERS: number = 32 * 2 ** 20;

/** One line of a file, its end included. */
export const formatExportPage = ({ participant, items }: BankExportPage): string =>
  `${JSON.stringify({ participant, items: items.map(({ seqno, claims_proof }) => ({ seqno, claims_proof })) })}\n`;

/** @throws ProtocolError `RECEIPT_INVALID`, naming the item */
export function parseExportPage(value: unknown): BankExportPage {
  const { participant, items } = fieldsOf(value, 'page of an export');
  if (typeof participant !== 'string') return refuse('page of an export must name its participant');
  if (!Array.isArray(items) || items.length > MAX_EXPORT_ITEMS) {
    return refuse(`page of an export must have a list of at most ${MAX_EXPORT_ITEMS} items`);
  }
  return {
    participant: within('participant', () => parseParticipantId(participant)),
    items: items.map((item: unknown, index) => within(`item ${index}`, () => parseItem(item))),
  };
}

function parseItem(value: unknown): ExportItem {
  const { seqno, claims_proof } = fieldsOf(value, 'it');
  if (typeof seqno !== 'number' || !Number.isSafeInteger(seqno) || seqno < 1) {
    return refuse('seqno must be a whole number from 1 on');
  }
  return { seqno, claims_proof: parseClaimsProof(claims_proof) };
}

function within<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!isProtocolError(cause)) throw cause;
    throw new ProtocolError('RECEIPT_INVALID', `${place}: ${cause.message}`, { cause });
  }
}

const fieldsOf = (value: unknown, what: string): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : refuse(`${what} must be an object`);

function refuse(message: string): never {
  throw new ProtocolError('RECEIPT_INVALID', message);
}
