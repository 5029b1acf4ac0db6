/**
 * Reading CBOR values back into typed ones, strictly: the log and snapshots are the core's own, so a surprise in them is
 * a bug or a disk that lies, and is refused. Values travel as lists in a fixed order; absent is `null`.
 */
import { type Bytes32, fromHex, type Hex, toBytes32, toHex } from '@drawbridge/protocol/bytes32';

/** Bytes that this version did not write. The message holds no content. */
export class CodecError extends Error {
  override readonly name = 'CodecError';
  readonly code: 'ENTRY_INVALID' | 'SNAPSHOT_INVALID';

  constructor(code: CodecError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A value of another type or form than the place asks for; codecs turn it into a `CodecError` of their own. */
export class TupleError extends Error {
  override readonly name = 'TupleError';
  readonly code = 'TUPLE_INVALID' as const;
}

export type Cbor = string | number | bigint | boolean | null | Uint8Array | readonly Cbor[];

const fail = (what: string): never => {
  throw new TupleError(what);
};

export function readTuple(value: unknown, length: number): readonly unknown[] {
  return Array.isArray(value) && value.length === length ? value : fail(`expected a list of ${length}`);
}
export function readList(value: unknown, max: number): readonly unknown[] {
  return Array.isArray(value) && value.length <= max ? value : fail(`expected a list of at most ${max}`);
}
export const readText = (value: unknown): string => (typeof value === 'string' ? value : fail('expected text'));
export const readFlag = (value: unknown): boolean => (typeof value === 'boolean' ? value : fail('expected a flag'));
export function readWhole(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? value
    : fail('expected a whole number');
}
/** An amount: whole and not negative, a `bigint` above 2⁵³. */
export function readAmount(value: unknown): bigint {
  if (typeof value === 'bigint' && value >= 0n) return value;
  return BigInt(readWhole(value));
}
/** A sum, which may be negative or wider than 64 bits, as decimal text. */
export function readSum(value: unknown): bigint {
  const text = readText(value);
  return /^(?:0|-?[1-9][0-9]*)$/.test(text) ? BigInt(text) : fail('expected a decimal number');
}
export const readBytes = (value: unknown): Uint8Array => (value instanceof Uint8Array ? value : fail('expected bytes'));
export function readBytes32(value: unknown): Bytes32 {
  const bytes = readBytes(value);
  return bytes.length === 32 ? toBytes32(bytes) : fail('expected 32 bytes');
}
export const readHex = (value: unknown): Hex => toHex(readBytes(value));
export function readChoice<T extends string>(value: unknown, choices: readonly T[]): T {
  return choices.find((choice) => choice === value) ?? fail('expected one of the choices');
}

/**
 * The writing half of `readWhole` and `readAmount`. What cannot be read back must never be written: a committed entry
 * that no node can read would stop them all.
 */
export const wholeOf = (value: number): number => readWhole(value);
export function amountOf(value: bigint): bigint {
  return value >= 0n && value < MAX_UINT64 ? value : fail('expected an amount of at most 64 bits');
}
const MAX_UINT64 = 2n ** 64n;

export const orNull = <T>(value: T | undefined, write: (value: T) => Cbor): Cbor =>
  value === undefined ? null : write(value);
export const orAbsent = <T>(value: unknown, read: (value: unknown) => T): T | undefined =>
  value === null ? undefined : read(value);
export const bytesOf = (hex: Hex): Uint8Array => fromHex(hex);
