/**
 * Corda's Merkle trees: SHA-256 over both halves, leaves padded with zero hashes to a power of two, a lone leaf its own root.
 * A partial tree proves where its included leaves stand: the index of a leaf is the path to it, never what somebody says.
 * Source: `MerkleTree.kt`, `PartialMerkleTree.kt` of corda/corda 4.10.
 */
import type { CordaPartialTree } from '@drawbridge/protocol/corda-partial-tree';
import { sha256 } from './sha256.ts';

export const HASH_BYTES = 32;
const ZERO_HASH = new Uint8Array(HASH_BYTES);

/** Four bytes at a time where there are many: schemas, which are most of a component, are compared whole. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  const { length } = a;
  if (length !== b.length) return false;
  let i = 0;
  if (length > HASH_BYTES) {
    const [left, right] = [viewOf(a), viewOf(b)];
    for (; i + WORD_BYTES <= length; i += WORD_BYTES) if (left.getInt32(i) !== right.getInt32(i)) return false;
  }
  for (; i < length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const WORD_BYTES = 4;
const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

function parentOf(left: Uint8Array, right: Uint8Array): Uint8Array {
  const both = new Uint8Array(2 * HASH_BYTES);
  both.set(left);
  both.set(right, HASH_BYTES);
  return sha256(both);
}

/** `leaves`: 1 or more, 32 bytes each. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  let level = [...leaves];
  while ((level.length & (level.length - 1)) !== 0) level.push(ZERO_HASH);
  while (level.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) above.push(parentOf(level[i] ?? ZERO_HASH, level[i + 1] ?? ZERO_HASH));
    level = above;
  }
  return level[0] ?? ZERO_HASH;
}

/** `index`: the path, left 0 and right 1, from the root down. `depth`: the length of the path. */
export type IncludedLeaf = Readonly<{ hash: Uint8Array; index: number; depth: number }>;

/** `included`: from left to right. */
export type ReadTree = Readonly<{ root: Uint8Array; included: readonly IncludedLeaf[] }>;

/** The root that a partial tree leads to, and the leaves that it includes. Its depth was bounded when it was decoded. */
export function readTree(tree: CordaPartialTree): ReadTree {
  const included: IncludedLeaf[] = [];
  return { root: rootOf(tree, { index: 0, depth: 0 }, included), included };
}

function rootOf(
  part: CordaPartialTree,
  { index, depth }: Omit<IncludedLeaf, 'hash'>,
  included: IncludedLeaf[],
): Uint8Array {
  if ('included' in part) {
    included.push({ hash: part.included, index, depth });
    return part.included;
  }
  if ('leaf' in part) return part.leaf;
  const left = rootOf(part.left, { index: index * 2, depth: depth + 1 }, included);
  return parentOf(left, rootOf(part.right, { index: index * 2 + 1, depth: depth + 1 }, included));
}
