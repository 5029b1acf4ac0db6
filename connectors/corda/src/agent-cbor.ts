/**
 * Bodies between connector and agent as CBOR (docs/corda-agent-protocol.md): definite lengths, shortest integers, lists only.
 * What was read must encode to the very bytes that came.
 */
import { decode, encode } from 'cborg';

/** Whole numbers are from 0 to 2^63 − 1; those above 2^53 − 1 are bigints. */
export type AgentValue = null | boolean | number | bigint | string | Uint8Array | readonly AgentValue[];

/** Deepest list: a body, its result, pages, rows, refs. */
const MAX_DEPTH = 8;
const MAX_WHOLE = 2n ** 63n - 1n;

export const encodeAgentBody = (value: readonly AgentValue[]): Uint8Array => encode(value);

/** @returns nothing for anything but the one encoding of a list of such values. */
export function decodeAgentBody(bytes: Uint8Array): readonly AgentValue[] | undefined {
  let value: unknown;
  try {
    value = decode(bytes, {
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      rejectDuplicateMapKeys: true,
    });
    if (!Array.isArray(value) || !isAgentValue(value, MAX_DEPTH)) return undefined;
    return Buffer.compare(encode(value), bytes) === 0 ? value : undefined;
  } catch {
    // cborg throws for what is no CBOR; whoever sent it gets no other answer than the dead letters.
    return undefined;
  }
}

function isAgentValue(value: unknown, depth: number): value is AgentValue {
  if (Array.isArray(value)) return depth > 0 && value.every((item) => isAgentValue(item, depth - 1));
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0;
  if (typeof value === 'bigint') return value >= 0n && value <= MAX_WHOLE;
  return value === null || typeof value === 'boolean' || typeof value === 'string' || value instanceof Uint8Array;
}
