/** 32-byte words as `0x` + 64 lower-case hex digits: the form they have in JSON, in maps and in logs of networks. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { ProtocolError } from './protocol-error.ts';

/** Lower-case `0x…` hex of any whole number of bytes. */
export type Hex = `0x${string}`;
/** Lower-case `0x…` hex of exactly 32 bytes. */
export type Bytes32 = Hex & { readonly brand: 'Bytes32' };

export const ZERO_BYTES32: Bytes32 = `0x${'00'.repeat(32)}` as Bytes32;

/** @throws ProtocolError `HEX_INVALID` unless `text` is `0x` and an even number of hex digits. Upper case is folded. */
export function parseHex(text: string, what = 'value'): Hex {
  if (!/^0x(?:[0-9a-fA-F]{2})*$/.test(text)) {
    throw new ProtocolError('HEX_INVALID', `${what} must be 0x followed by an even number of hex digits`);
  }
  return text.toLowerCase() as Hex;
}

/** @throws ProtocolError `HEX_INVALID` unless `text` holds exactly 32 bytes. */
export function parseBytes32(text: string, what = 'value'): Bytes32 {
  const hex = parseHex(text, what);
  if (hex.length !== 66) {
    throw new ProtocolError('HEX_INVALID', `${what} must have 32 bytes, it has ${(hex.length - 2) / 2}`);
  }
  return hex as Bytes32;
}

export const toHex = (bytes: Uint8Array): Hex => `0x${bytesToHex(bytes)}`;
export const fromHex = (hex: string): Uint8Array => hexToBytes(hex.startsWith('0x') ? hex.slice(2) : hex);

/** @throws ProtocolError `HEX_INVALID` unless `bytes` has length 32. */
export function toBytes32(bytes: Uint8Array): Bytes32 {
  if (bytes.length !== 32) throw new ProtocolError('HEX_INVALID', `expected 32 bytes, got ${bytes.length}`);
  return toHex(bytes) as Bytes32;
}
