/**
 * RLP of which size and shape are bounded before it is decoded. `@ethereumjs/rlp` is strict about minimal lengths and
 * trailing bytes, but its time grows with the square of the depth, and it recurses: 32 KiB of nested lists cost it 0.2 s.
 */
import { type NestedUint8Array, RLP } from '@ethereumjs/rlp';
import { concatBytes } from '@noble/hashes/utils.js';

export type RlpItem = NestedUint8Array[number];

export type RlpBounds = Readonly<{
  bytes: number;
  /** Items at all depths, lists counted as items. */
  items: number;
  /** Lists within lists; 1 is a list of strings. */
  depth: number;
}>;

/** Where the content of the item at `at` begins and ends; of bytes that are not RLP, somewhere behind `at`. */
function extent(input: Uint8Array, at: number): { list: boolean; from: number; to: number } {
  const first = input[at] ?? 0;
  if (first < 0x80) return { list: false, from: at, to: at + 1 };
  const list = first >= 0xc0;
  const short = first - (list ? 0xc0 : 0x80);
  if (short <= 55) return { list, from: at + 1, to: at + 1 + short };
  const from = at + 1 + short - 55;
  let length = 0;
  for (const byte of input.subarray(at + 1, from)) length = length * 256 + byte;
  return { list, from, to: from + length };
}

/** One pass, no recursion. Says nothing of whether the input is RLP. */
function within(input: Uint8Array, { items, depth }: RlpBounds): boolean {
  const ends: number[] = [];
  let seen = 0;
  for (let at = 0; at < input.length; ) {
    while ((ends.at(-1) ?? input.length) <= at) ends.pop();
    seen += 1;
    const { list, from, to } = extent(input, at);
    if (list) ends.push(to);
    if (seen > items || ends.length > depth) return false;
    at = list ? from : to;
  }
  return true;
}

/**
 * The items of a list before the one at `index` and behind it, as they stand there; views. `list` is what `decodeRlp` took
 * for a list with such an item. O(items).
 */
export function itemsAround(list: Uint8Array, index: number): Readonly<{ before: Uint8Array; behind: Uint8Array }> {
  const { from } = extent(list, 0);
  let at = from;
  for (let i = 0; i < index; i++) at = extent(list, at).to;
  return { before: list.subarray(from, at), behind: list.subarray(extent(list, at).to) };
}

/** The list of items that are encoded already: what came in canonical form is not encoded anew to be hashed. */
export function listOfEncoded(...items: readonly Uint8Array[]): Uint8Array {
  const length = items.reduce((sum, item) => sum + item.length, 0);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  const opening = length <= 55 ? [0xc0 + length] : [0xf7 + bytes.length, ...bytes];
  return concatBytes(Uint8Array.from(opening), ...items);
}

/** The one item that `input` is in canonical form; `undefined` for anything else, and for what exceeds the bounds. O(bytes). */
export function decodeRlp(input: Uint8Array, bounds: RlpBounds): RlpItem | undefined {
  if (input.length === 0 || input.length > bounds.bytes || !within(input, bounds)) return undefined;
  try {
    return RLP.decode(input);
  } catch {
    // The library throws for nothing but bytes that are not canonical RLP.
    return undefined;
  }
}
