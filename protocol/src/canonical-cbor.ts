/**
 * One byte string per value: CBOR (RFC 8949) is read strictly, and what was read must encode to the very bytes that came.
 * So nothing can be hidden in an unusual encoding, and equal content has equal digests.
 */
import { decode } from 'cborg';
import { ProtocolError, type ProtocolErrorCode } from './protocol-error.ts';

/** Names the format in errors. */
export type CborFormat = Readonly<{ what: string; code: ProtocolErrorCode; maxBytes: number }>;

/** @throws ProtocolError `format.code` for too many bytes, trailing bytes or anything but strict CBOR. */
export function decodeCbor(input: Uint8Array, format: CborFormat): unknown {
  if (input.length > format.maxBytes) {
    throw new ProtocolError(format.code, `${format.what} must have at most ${format.maxBytes} bytes`);
  }
  try {
    return decode(input, { strict: true, allowIndefinite: false, allowUndefined: false, rejectDuplicateMapKeys: true });
  } catch (cause) {
    throw new ProtocolError(format.code, `${format.what} is not strict CBOR`, { cause });
  }
}

/** @throws ProtocolError `format.code` where `input` differs from the one encoding of what it says. */
export function demandCanonical(input: Uint8Array, canonical: Uint8Array, format: CborFormat): void {
  if (canonical.length === input.length && canonical.every((byte, i) => byte === input[i])) return;
  throw new ProtocolError(format.code, `${format.what} is not in its canonical encoding`);
}
