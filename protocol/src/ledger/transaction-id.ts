/** Transactions are named `view.seqno`: Raft term and index of their entry, both at least 1. */
import { ProtocolError } from '../protocol-error.ts';

export type TransactionId = Readonly<{ view: number; seqno: number }>;

export const formatTransactionId = ({ view, seqno }: TransactionId): string => `${view}.${seqno}`;

/** Undefined for anything but two positive whole numbers, without leading zeros, that fit a double. */
export function parseTransactionId(text: string): TransactionId | undefined {
  const match = /^([1-9][0-9]{0,15})\.([1-9][0-9]{0,15})$/.exec(text);
  if (!match) return undefined;
  const id = { view: Number(match[1]), seqno: Number(match[2]) };
  return Number.isSafeInteger(id.view) && Number.isSafeInteger(id.seqno) ? id : undefined;
}

/** `ce:<view>.<seqno>:<64 hex>`: shows that the entry was committed, since only then a node reveals it. */
export const commitEvidenceText = (id: string, macHex: string): string => `ce:${id}:${macHex}`;

/** The transaction that commit evidence is of. @throws ProtocolError `RECEIPT_INVALID` */
export function transactionOfEvidence(text: string): TransactionId {
  const id = /^ce:[0-9.]+:[0-9a-f]{64}$/.test(text) ? parseTransactionId(text.slice(3, -65)) : undefined;
  if (id) return id;
  throw new ProtocolError('RECEIPT_INVALID', 'commit evidence must be ce:<view>.<seqno>:<64 lower-case hex digits>');
}
