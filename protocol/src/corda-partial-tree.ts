/**
 * Partial Merkle trees of Corda on the wire. Preorder, one byte a tag: 0, then both halves; 1 or 2, then 32 bytes. A tree has
 * one encoding.
 */
import { ProtocolError } from './protocol-error.ts';

/**
 * `included`: the hash of a leaf that is shown. `leaf`: the hash of all that was cut off here, be it one leaf or many.
 * A node hashes to SHA-256 of its halves' hashes.
 */
export type CordaPartialTree =
  | Readonly<{ included: Uint8Array }>
  | Readonly<{ leaf: Uint8Array }>
  | Readonly<{ left: CordaPartialTree; right: CordaPartialTree }>;

/** Deepest path: a group or a batch has fewer than 2^16 leaves. */
export const MAX_CORDA_TREE_DEPTH = 16;
/** Largest tree, in bytes of its encoding. */
export const MAX_CORDA_TREE_BYTES = 65_536;

const NODE = 0;
const INCLUDED = 1;
const LEAF = 2;
const HASH_BYTES = 32;

const refuse = (message: string): never => {
  throw new ProtocolError('EVIDENCE_INVALID', message);
};

const encodedBytes = (tree: CordaPartialTree): number =>
  'left' in tree ? 1 + encodedBytes(tree.left) + encodedBytes(tree.right) : 1 + HASH_BYTES;

/** Hashes must have 32 bytes. */
export function encodeCordaTree(tree: CordaPartialTree): Uint8Array {
  const encoded = new Uint8Array(encodedBytes(tree));
  let at = 0;
  const write = (part: CordaPartialTree): void => {
    if ('left' in part) {
      encoded[at++] = NODE;
      write(part.left);
      write(part.right);
      return;
    }
    const included = 'included' in part;
    encoded[at++] = included ? INCLUDED : LEAF;
    encoded.set(included ? part.included : part.leaf, at);
    at += HASH_BYTES;
  };
  write(tree);
  return encoded;
}

/** @throws ProtocolError `EVIDENCE_INVALID` for anything but the bytes of one tree within the bounds. */
export function decodeCordaTree(input: Uint8Array): CordaPartialTree {
  if (input.length > MAX_CORDA_TREE_BYTES) return refuse(`tree must have at most ${MAX_CORDA_TREE_BYTES} bytes`);
  let at = 0;
  const hash = (): Uint8Array => {
    const bytes = input.subarray(at, at + HASH_BYTES);
    // Past the end, where a tree ends within a hash: what follows finds nothing there.
    at += HASH_BYTES;
    return bytes;
  };
  const read = (depth: number): CordaPartialTree => {
    const tag = input[at++];
    if (tag === INCLUDED) return { included: hash() };
    if (tag === LEAF) return { leaf: hash() };
    if (tag !== NODE) return refuse('tree has a part that is unknown');
    if (depth === MAX_CORDA_TREE_DEPTH) return refuse(`tree is deeper than ${MAX_CORDA_TREE_DEPTH}`);
    const left = read(depth + 1);
    return { left, right: read(depth + 1) };
  };
  const tree = read(0);
  if (at !== input.length) return refuse('bytes follow the tree');
  return tree;
}
