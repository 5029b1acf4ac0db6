/**
 * Values of Ethereum's JSON-RPC, checked before they are encoded: data is hex of whole bytes, quantities are hex numbers.
 * Anything else means that the node did not answer what it was asked: `LedgerUnavailableError`.
 */
import { LedgerUnavailableError } from '@drawbridge/connector-sdk/ledger-connector';
import { type Bytes32, fromHex, toBytes32 } from '@drawbridge/protocol/bytes32';

export type RpcObject = Readonly<Record<string, unknown>>;

/** At most 256 bits. */
const QUANTITY = /^0x[0-9a-fA-F]{1,64}$/;

export function malformed(what: string): LedgerUnavailableError {
  return new LedgerUnavailableError(`the node answered something else than ${what}`);
}

export function rpcObject(value: unknown, what: string): RpcObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(what);
  return value as RpcObject;
}

export function rpcList(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(what);
  return value;
}

/** Bytes of hex; exactly `length` of them where it is given. */
export function rpcBytes(value: unknown, what: string, length?: number): Uint8Array {
  if (typeof value !== 'string' || value.length % 2 !== 0 || !/^0x[0-9a-fA-F]*$/.test(value)) throw malformed(what);
  if (length !== undefined && value.length !== 2 + 2 * length) throw malformed(what);
  return fromHex(value.toLowerCase());
}

export const rpcWord = (value: unknown, what: string): Bytes32 => toBytes32(rpcBytes(value, what, 32));

/** Minimal big-endian bytes, as RLP has scalars: zero is the empty string. */
export function rpcScalar(value: unknown, what: string): Uint8Array {
  if (typeof value !== 'string' || !QUANTITY.test(value)) throw malformed(what);
  const digits = value.slice(2).toLowerCase().replace(/^0+/, '');
  return fromHex(`0x${digits.length % 2 === 0 ? '' : '0'}${digits}`);
}

/** A quantity that JavaScript holds exactly. */
export function rpcNumber(value: unknown, what: string): number {
  if (typeof value !== 'string' || !QUANTITY.test(value)) throw malformed(what);
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw malformed(what);
  return number;
}
