/** Numbers as Cactus's clients write them, and as its answers hold them. */
import { CactusError } from '@drawbridge/connector-cactus/cactus-error';

/** 256 bits: more no EVM quantity has. */
const MAX_QUANTITY = (1n << 256n) - 1n;

/**
 * A quantity of a request: a whole JSON number, decimal text or `0x` hex.
 * @throws CactusError ARGUMENTS_INVALID, also for a JSON number above 2^53, which has lost digits on its way
 */
export function quantity(value: string | number, name: string): bigint {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  } else if (/^(0x[0-9a-fA-F]{1,64}|[0-9]{1,78})$/.test(value)) {
    const parsed = BigInt(value);
    if (parsed <= MAX_QUANTITY) return parsed;
  }
  throw new CactusError('ARGUMENTS_INVALID', `${name} is no whole number that can be used`);
}

/** @throws CactusError NUMBER_ABOVE_LIMIT for what a JSON number cannot hold exactly */
export function jsonNumber(value: unknown, name: string): number {
  const parsed = typeof value === 'number' ? value : Number(decimal(value, name));
  if (Number.isSafeInteger(parsed) && parsed >= 0) return parsed;
  throw new CactusError('NUMBER_ABOVE_LIMIT', `${name} does not fit a JSON number exactly`);
}

/** A node's quantity as decimal text, which holds any size. */
export function decimal(value: unknown, name: string): string {
  const hex = text(value, name);
  if (!/^0x[0-9a-fA-F]{1,64}$/.test(hex)) throw malformed(name);
  return BigInt(hex).toString();
}

export const hexQuantity = (value: bigint): string => `0x${value.toString(16)}`;

/** @throws CactusError LEDGER_UNAVAILABLE when the node's answer holds something else */
export function text(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  throw malformed(name);
}

const malformed = (name: string): CactusError =>
  new CactusError('LEDGER_UNAVAILABLE', `the node answered no ${name} that can be read`);
