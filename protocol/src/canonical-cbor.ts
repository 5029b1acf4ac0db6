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
  if (sameBytes(input, canonical)) return;
  throw new ProtocolError(format.code, `${format.what} is not in its canonical encoding`);
}

/** A loop: evidence is long, and a call for each byte cost 4 % of verifying it. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
