/** What nodes ask of each other besides raft's messages, as bytes: records of the ledger, and the receipt of one with it. */
import { parseReceipt, type Receipt } from '@drawbridge/protocol/ledger/receipt';

/** Records answered at once, in bytes; a larger one goes alone. */
export const MAX_LEDGER_ANSWER_BYTES: number = 4 * 2 ** 20;

export function encodeSeqno(seqno: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(seqno));
  return bytes;
}

/** @throws RangeError */
export function decodeSeqno(body: Uint8Array): number {
  if (body.length !== 8) throw new RangeError('a request for the ledger has 8 bytes');
  const seqno = Number(Buffer.from(body.buffer, body.byteOffset, body.length).readBigUInt64BE());
  if (!Number.isSafeInteger(seqno) || seqno < 1) throw new RangeError('a seqno is a whole number from 1 on');
  return seqno;
}

export const encodeReceipt = (receipt: Receipt): Uint8Array => Buffer.from(JSON.stringify(receipt));

/** @throws ProtocolError for anything but a receipt */
export const decodeReceipt = (body: Uint8Array): Receipt =>
  parseReceipt(JSON.parse(Buffer.from(body).toString('utf8')));
