/**
 * Corda's Merkle trees: SHA-256 over both halves, leaves padded with zero hashes to a power of two, a lone leaf its own root.
 * A partial tree proves where its included leaves stand: the index of a leaf is the path to it, never what somebody says.
 * Source: `MerkleTree.kt`, `PartialMerkleTree.kt` of corda/corda 4.10.
 */
import type { CordaPartialTree } from '@drawbridge/protocol/corda-partial-tree';
import { sha256 } from './sha256.ts';

export const HASH_BYTES = 32;
const ZERO_HASH = new Uint8Array(HASH_BYTES);

/** A loop: a call for each byte costs more than the comparison. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

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
  const rootOf = (part: CordaPartialTree, index: number, depth: number): Uint8Array => {
    if ('included' in part) {
      included.push({ hash: part.included, index, depth });
      return part.included;
    }
    if ('leaf' in part) return part.leaf;
    const left = rootOf(part.left, index * 2, depth + 1);
    return parentOf(left, rootOf(part.right, index * 2 + 1, depth + 1));
  };
  return { root: rootOf(tree, 0, 0), included };
}
