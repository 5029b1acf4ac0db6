/**
 * Transactions of Corda for tests: trees, ids and signatures over any components, whether Corda would make them or not; and
 * recordings as evidence.
 */
import { fromHex } from '@drawbridge/protocol/bytes32';
import type { CordaEvidence, CordaGroup, CordaSignature } from '@drawbridge/protocol/corda-evidence';
import type { CordaPartialTree } from '@drawbridge/protocol/corda-partial-tree';
import { type NetworkId, parseNetworkId } from '@drawbridge/protocol/ids';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { componentLeaf, transactionId } from '../corda-components.ts';
import { merkleRoot } from '../corda-merkle.ts';
import { signableBytes } from '../corda-signable.ts';
import type { CordaSigner } from './corda-keys.ts';

/** The recorded vaults were made for a network of this name. */
export const NETWORK: NetworkId = parseNetworkId('network');

const ABSENT = new Uint8Array(32).fill(0xff);
const ZERO = new Uint8Array(32);

/** A partial tree over all leaves in which those at `shown` are included. */
export function partialTree(leaves: readonly Uint8Array[], shown: ReadonlySet<number>): CordaPartialTree {
  let size = 1;
  while (size < leaves.length) size *= 2;
  const build = (from: number, count: number): CordaPartialTree => {
    const within = Array.from({ length: count }, (_, i) => from + i);
    if (!within.some((at) => shown.has(at))) {
      return { leaf: merkleRoot(within.map((at) => leaves[at] ?? ZERO)) };
    }
    if (count === 1) return { included: leaves[from] ?? ZERO };
    return { left: build(from, count / 2), right: build(from + count / 2, count / 2) };
  };
  return build(0, size);
}

/** Components by group; `shown`: which of a group, all of them if not said. */
export type Draft = Readonly<{
  components: ReadonlyMap<number, readonly Uint8Array[]>;
  shown?: ReadonlyMap<number, ReadonlySet<number>>;
  salt?: Uint8Array;
  groupCount?: number;
}>;

const be32 = (value: number): Uint8Array => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
const twice = (bytes: Uint8Array): Uint8Array => sha256(sha256(bytes));

/** The nonce that a tear-off discloses: Corda 4.10 hashes the component into it. */
function storedNonce(salt: Uint8Array, group: number, index: number, component: Uint8Array): Uint8Array {
  return twice(concatBytes(twice(concatBytes(salt, be32(group), be32(index))), component));
}

/** Group hashes and what is shown of the groups. */
export function disclose({ components, shown, salt = sha256(utf8ToBytes('salt')), groupCount = 9 }: Draft): Readonly<{
  groupHashes: readonly Uint8Array[];
  groups: readonly CordaGroup[];
  id: Uint8Array;
}> {
  const groupHashes: Uint8Array[] = [];
  const groups: CordaGroup[] = [];
  for (let group = 0; group < groupCount; group++) {
    const items = components.get(group) ?? [];
    const all = items.map((bytes, i) => ({ bytes, nonce: storedNonce(salt, group, i, bytes) }));
    const leaves = all.map(({ bytes, nonce }) => componentLeaf(nonce, bytes));
    groupHashes.push(leaves.length === 0 ? ABSENT : merkleRoot(leaves));
    const wanted = shown === undefined ? new Set(items.keys()) : (shown.get(group) ?? new Set<number>());
    if (wanted.size === 0) continue;
    groups.push({
      groupIndex: group,
      components: all.filter((_, i) => wanted.has(i)),
      tree: partialTree(leaves, wanted),
    });
  }
  return { groupHashes, groups, id: transactionId(groupHashes) };
}

export type SigningOptions = Readonly<{ platformVersion?: number; scheme?: number }>;

const signatureBy = (signer: CordaSigner, hash: Uint8Array, options: SigningOptions): CordaSignature => {
  const { platformVersion = 12, scheme = signer.scheme } = options;
  const signature = signer.sign(signableBytes(hash, { platformVersion, scheme }));
  return { key: signer.spki, platformVersion, scheme, signature };
};

export const partySignature = (signer: CordaSigner, id: Uint8Array, options: SigningOptions = {}): CordaSignature =>
  signatureBy(signer, id, options);

/** `others`: ids of the rest of the batch, after this transaction. */
export function notarySignature(
  signer: CordaSigner,
  id: Uint8Array,
  options: SigningOptions & Readonly<{ others?: readonly Uint8Array[] }> = {},
): CordaSignature {
  const leaves = [id, ...(options.others ?? [])].map((each) => sha256(each));
  const signed = signatureBy(signer, merkleRoot(leaves), options);
  return { ...signed, batchTree: partialTree(leaves, new Set([0])) };
}

/** What recordings hold of a transaction, as hex; see test/vectors/README.md. */
export type RecordedTransaction = Readonly<{
  txId: string;
  privacySalt: string;
  componentGroups: readonly Readonly<{ groupIndex: number; components: readonly string[] }>[];
  sigs: readonly RecordedSignature[];
  filtered: Readonly<{ id: string; groupHashes: readonly string[]; filteredComponentGroups: readonly RecordedGroup[] }>;
}>;
export type RecordedSignature = Readonly<{
  by_spki: string;
  schemeNumberID: number;
  platformVersion: number;
  isNotary: boolean;
  partialMerkleTree: RecordedTree | null;
  signedHash: string;
  signature: string;
  signedBytes: string;
}>;
export type RecordedGroup = Readonly<{
  groupIndex: number;
  components: readonly string[];
  nonces: readonly string[];
  partialMerkleTree: RecordedTree;
}>;
export type RecordedTree =
  | Readonly<{ included: string }>
  | Readonly<{ leaf: string }>
  | Readonly<{ left: RecordedTree; right: RecordedTree }>;

export function treeOf(tree: RecordedTree): CordaPartialTree {
  if ('included' in tree) return { included: fromHex(tree.included) };
  if ('leaf' in tree) return { leaf: fromHex(tree.leaf) };
  return { left: treeOf(tree.left), right: treeOf(tree.right) };
}

export const signatureOf = (recorded: RecordedSignature): CordaSignature => ({
  key: fromHex(recorded.by_spki),
  platformVersion: recorded.platformVersion,
  scheme: recorded.schemeNumberID,
  signature: fromHex(recorded.signature),
  ...(recorded.partialMerkleTree === null ? {} : { batchTree: treeOf(recorded.partialMerkleTree) }),
});

export const componentsOf = (recorded: RecordedTransaction): Map<number, readonly Uint8Array[]> =>
  new Map(
    recorded.componentGroups.map(({ groupIndex, components }) => [groupIndex, components.map((item) => fromHex(item))]),
  );

/** A recorded transaction with all of its components shown. */
export function recordedEvidence(recorded: RecordedTransaction): CordaEvidence {
  const { groupHashes, groups } = disclose({ components: componentsOf(recorded), salt: fromHex(recorded.privacySalt) });
  return {
    version: 1,
    rule: 'corda-notary',
    kind: 'transaction',
    network: NETWORK,
    groupHashes,
    groups,
    signatures: recorded.sigs.map(signatureOf),
  };
}

/** The tear-off as it was recorded. */
export const recordedGroups = ({ filtered }: RecordedTransaction): readonly CordaGroup[] =>
  filtered.filteredComponentGroups.map(({ groupIndex, components, nonces, partialMerkleTree }) => ({
    groupIndex,
    components: components.map((bytes, i) => ({ bytes: fromHex(bytes), nonce: fromHex(nonces[i] ?? '') })),
    tree: treeOf(partialMerkleTree),
  }));
