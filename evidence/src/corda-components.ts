/**
 * From components to a transaction's id. A component hashes with its nonce to a leaf; leaves to its group; groups, by their
 * ordinals, to the id. Source: `WireTransaction.kt`, `MerkleTransaction.kt` of corda/corda 4.10.
 *
 * Nothing in these trees tells a leaf from a node, so depth does: an id has 9 to 16 groups, which makes the tree above the
 * groups 4 deep whatever is claimed, and what is shown of one group stands at one depth.
 */
import type { CordaGroup } from '@drawbridge/protocol/corda-evidence';
import { HASH_BYTES, merkleRoot, readTree, sameBytes } from './corda-merkle.ts';
import { type Sha256, sha256 } from './sha256.ts';

/** Ordinals of the component groups of a transaction (`ComponentGroupEnum`). */
export const GROUP = {
  inputs: 0,
  outputs: 1,
  commands: 2,
  attachments: 3,
  notary: 4,
  timeWindow: 5,
  signers: 6,
  references: 7,
  parameters: 8,
  attachmentsOf412: 9,
} as const;
/** Groups from here on have no meaning that is known. */
export const FIRST_UNKNOWN_GROUP = 10;

/** Stands for a group without components. */
const ABSENT = new Uint8Array(HASH_BYTES).fill(0xff);

export const isAbsent = (groupHash: Uint8Array | undefined): boolean =>
  groupHash === undefined || sameBytes(groupHash, ABSENT);

/** The leaf of a component: SHA-256 twice over the disclosed nonce and the component's bytes. @param digest of what is long */
export function componentLeaf(nonce: Uint8Array, component: Uint8Array, digest: Sha256 = sha256): Uint8Array {
  const both = new Uint8Array(nonce.length + component.length);
  both.set(nonce);
  both.set(component, nonce.length);
  return sha256(digest(both));
}

export const transactionId = (groupHashes: readonly Uint8Array[]): Uint8Array => merkleRoot(groupHashes);

/**
 * Why a list of group hashes is not the one list that Corda would make, in words. Padding and absent groups above the highest
 * that is present give the same id, so they would make a second list for it.
 */
export function groupHashesFault(groupHashes: readonly Uint8Array[]): string | undefined {
  if (groupHashes.some((hash) => hash.every((byte) => byte === 0))) return 'a group hash is the hash that pads';
  if (isAbsent(groupHashes.at(-1))) return 'the last group is absent';
  return undefined;
}

/** `index`: the component's place in its group. */
export type ShownComponent = Readonly<{ index: number; bytes: Uint8Array }>;

/** `complete`: these are all components of the group. */
export type ShownGroup = Readonly<{ components: readonly ShownComponent[]; complete: boolean }>;

/** The components of a group at the places that its tree gives them, or why they are not of the group, in words. */
export function shownGroup(group: CordaGroup, groupHash: Uint8Array, digest: Sha256 = sha256): ShownGroup | string {
  const { root, included } = readTree(group.tree);
  if (!sameBytes(root, groupHash)) return 'the tree does not lead to the hash of the group';
  if (included.length !== group.components.length) return 'the tree includes another number of leaves';
  const depth = included[0]?.depth ?? 0;
  const components: ShownComponent[] = [];
  for (const [at, leaf] of included.entries()) {
    const component = group.components[at];
    if (component === undefined || !sameBytes(componentLeaf(component.nonce, component.bytes, digest), leaf.hash)) {
      return 'a component does not hash to its leaf';
    }
    if (leaf.depth !== depth) return 'leaves of one group stand at two depths';
    components.push({ index: leaf.index, bytes: component.bytes });
  }
  return {
    components,
    complete: isWhole(
      included.map(({ hash }) => hash),
      groupHash,
    ),
  };
}

/** Whether the leaves, as they follow one another from the first place on, are the whole tree. */
const isWhole = (leaves: readonly Uint8Array[], groupHash: Uint8Array): boolean =>
  sameBytes(merkleRoot(leaves), groupHash);
