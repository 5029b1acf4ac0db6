/** Blocks as Cactus's clients name them: heights, hashes, words. */
import { CactusError } from '@drawbridge/connector-cactus/cactus-error';

const WORDS = new Set(['latest', 'pending', 'earliest', 'safe', 'finalized']);
const HASH = /^0x[0-9a-fA-F]{64}$/;

export const isBlockHash = (value: unknown): value is string => typeof value === 'string' && HASH.test(value);

/** For a parameter of JSON-RPC that takes a height or a word. @throws CactusError ARGUMENTS_INVALID */
export function blockTag(value: unknown): string {
  if (value === undefined || value === null) return 'latest';
  if (value === 'genesis') return 'earliest';
  if (typeof value === 'string' && WORDS.has(value)) return value;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return `0x${value.toString(16)}`;
  if (typeof value === 'string' && /^(0x[0-9a-fA-F]{1,13}|[0-9]{1,15})$/.test(value))
    return `0x${BigInt(value).toString(16)}`;
  throw new CactusError('ARGUMENTS_INVALID', 'this names no block');
}
