/**
 * What a connector hands in for rule `corda-notary`: one transaction by the hashes of its component groups, the components
 * that it shows with their nonces and partial Merkle trees, and the signatures of notary and vault. Canonical CBOR (RFC 8949,
 * deterministic). Components travel as the bytes that Corda hashed; the transaction's id is computed, never told.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { encode } from 'cborg';
import { type Bytes32, fromHex, toBytes32 } from './bytes32.ts';
import { type Bounds, CanonicalReader } from './canonical-reader.ts';
import { type CordaPartialTree, decodeCordaTree, encodeCordaTree, MAX_CORDA_TREE_BYTES } from './corda-partial-tree.ts';
import { type NetworkId, parseNetworkId } from './ids.ts';

/** How many group hashes lead to a transaction id: Corda 4 has 9, 4.12 has 10, and any of these makes a tree of depth 4. */
export const MIN_CORDA_GROUPS = 9;
export const MAX_CORDA_GROUPS = 16;
/** Most components shown of one group. */
export const MAX_CORDA_COMPONENTS = 512;
/** Largest component, in bytes: an output with its schema has 4 to 6 kB. */
export const MAX_CORDA_COMPONENT_BYTES = 131_072;
/** Most signatures: only those that the rule asks for are let through. */
export const MAX_CORDA_SIGNATURES = 4;
/** A key (SubjectPublicKeyInfo) and a signature, in bytes: room for every scheme that is verified. */
export const MAX_CORDA_KEY_BYTES = 128;
export const MAX_CORDA_SIGNATURE_BYTES = 80;
/** Largest item, in bytes of its encoding: it fits a sealed body. */
export const MAX_CORDA_EVIDENCE_BYTES = 983_040;
/** A platform version is a positive Java `int`; schemes are numbered from 1. */
const MAX_PLATFORM_VERSION = 2 ** 31 - 1;
const MAX_SCHEME = 127;

/** `nonce`: 32 bytes, as a tear-off discloses it. */
export type CordaComponent = Readonly<{ bytes: Uint8Array; nonce: Uint8Array }>;

export type CordaGroup = Readonly<{
  /** Ordinal of the group: 0 inputs, 1 outputs, 2 commands and so on. */
  groupIndex: number;
  /** 1 or more, in the order of the tree. */
  components: readonly CordaComponent[];
  tree: CordaPartialTree;
}>;

export type CordaSignature = Readonly<{
  /** SubjectPublicKeyInfo, DER. */
  key: Uint8Array;
  platformVersion: number;
  /** Corda's number of the scheme. */
  scheme: number;
  signature: Uint8Array;
  /** What was signed is the root of this tree over a batch of transactions; without it, the transaction id. */
  batchTree?: CordaPartialTree;
}>;

export type CordaEvidence = Readonly<{
  version: 1;
  rule: 'corda-notary';
  kind: 'transaction';
  network: NetworkId;
  /** By ordinal, 32 bytes each. */
  groupHashes: readonly Uint8Array[];
  /** By ascending ordinal. */
  groups: readonly CordaGroup[];
  signatures: readonly CordaSignature[];
}>;

/** Which transaction was proven. */
export type CordaSubject = Readonly<{ network: NetworkId; transactionId: Bytes32 }>;

const RULE = 'corda-notary';
/** Up to the network: a list of three follows the prefix, the rule first. */
const SUBJECT_OPENING = concatBytes(utf8ToBytes('drawbridge/corda-subject/1\0'), Uint8Array.of(0x83), encode(RULE));
/** Of the transaction's id. */
const WORD_HEAD = Uint8Array.of(0x58, 32);
const KIND = 'transaction';
const PARTS = 7;
/** Characters of rule, kind and network. */
const MAX_TEXT = 64;

export function encodeCordaEvidence(evidence: CordaEvidence): Uint8Array {
  const { version, rule, kind, network, groupHashes, groups, signatures } = evidence;
  const shownGroups = groups.map(({ groupIndex, components, tree }) => [
    groupIndex,
    components.map(({ bytes, nonce }) => [bytes, nonce]),
    encodeCordaTree(tree),
  ]);
  const signed = signatures.map(({ key, platformVersion, scheme, signature, batchTree }) => [
    key,
    platformVersion,
    scheme,
    signature,
    batchTree === undefined ? null : encodeCordaTree(batchTree),
  ]);
  return encode([version, rule, kind, network, groupHashes, shownGroups, signed]);
}

const HASH = { min: 32, max: 32 } as const;
const COMPONENT = { min: 1, max: MAX_CORDA_COMPONENT_BYTES } as const;
const KEY = { min: 1, max: MAX_CORDA_KEY_BYTES } as const;
const SIGNATURE = { min: 1, max: MAX_CORDA_SIGNATURE_BYTES } as const;
const TREE = { min: 1, max: MAX_CORDA_TREE_BYTES } as const;
const exactly = (count: number): Bounds => ({ min: count, max: count });

/** `count` times what `read` reads, in their order. */
function times<Item>(count: number, read: () => Item): Item[] {
  const items: Item[] = [];
  for (let i = 0; i < count; i++) items.push(read());
  return items;
}

const treeOf = (r: CanonicalReader, what: string): CordaPartialTree => decodeCordaTree(r.bytes(TREE, what));

function componentOf(r: CanonicalReader): CordaComponent {
  r.listOf(exactly(2), 'component');
  return { bytes: r.bytes(COMPONENT, 'component'), nonce: r.bytes(HASH, 'nonce') };
}
function groupOf(r: CanonicalReader): CordaGroup {
  r.listOf(exactly(3), 'group');
  return {
    groupIndex: r.whole({ min: 0, max: MAX_CORDA_GROUPS - 1 }, 'group index'),
    components: times(r.listOf({ min: 1, max: MAX_CORDA_COMPONENTS }, 'components'), () => componentOf(r)),
    tree: treeOf(r, 'tree'),
  };
}
function signatureOf(r: CanonicalReader): CordaSignature {
  r.listOf(exactly(5), 'signature');
  const signed = {
    key: r.bytes(KEY, 'key'),
    platformVersion: r.whole({ min: 1, max: MAX_PLATFORM_VERSION }, 'platform version'),
    scheme: r.whole({ min: 1, max: MAX_SCHEME }, 'scheme'),
    signature: r.bytes(SIGNATURE, 'signature'),
  };
  return r.isNull() ? signed : { ...signed, batchTree: treeOf(r, 'batch tree') };
}

/**
 * Bytes of the item are not copied: who changes the input changes what was read.
 * @throws ProtocolError `EVIDENCE_INVALID` (or `ID_INVALID`) for anything but the canonical bytes of one item.
 */
export function decodeCordaEvidence(input: Uint8Array): CordaEvidence {
  const r = new CanonicalReader(input, 'EVIDENCE_INVALID');
  if (input.length > MAX_CORDA_EVIDENCE_BYTES) {
    return r.refuse(`Corda evidence must have at most ${MAX_CORDA_EVIDENCE_BYTES} bytes`);
  }
  r.listOf(exactly(PARTS), 'evidence');
  r.whole(exactly(1), 'evidence version');
  if (r.ascii(MAX_TEXT, 'rule') !== RULE) return r.refuse(`evidence is not of rule ${RULE}`);
  if (r.ascii(MAX_TEXT, 'kind') !== KIND) return r.refuse(`evidence is not of kind ${KIND}`);
  const evidence: CordaEvidence = {
    version: 1,
    rule: RULE,
    kind: KIND,
    network: parseNetworkId(r.ascii(MAX_TEXT, 'network')),
    groupHashes: times(r.listOf({ min: MIN_CORDA_GROUPS, max: MAX_CORDA_GROUPS }, 'group hashes'), () =>
      r.bytes(HASH, 'group hash'),
    ),
    groups: times(r.listOf({ min: 1, max: MAX_CORDA_GROUPS }, 'groups'), () => groupOf(r)),
    signatures: times(r.listOf({ min: 1, max: MAX_CORDA_SIGNATURES }, 'signatures'), () => signatureOf(r)),
  };
  r.end('the evidence');
  return evidence;
}

/** How the canonical bytes of every item begin. */
const OPENING = concatBytes(Uint8Array.of(0x80 + PARTS, 1), encode(RULE), encode(KIND));

/** Whether the bytes are for this decoder, from how they begin. Proves nothing else. */
export function isCordaEvidence(input: Uint8Array): boolean {
  return OPENING.every((byte, i) => input[i] === byte);
}

/** SHA-256 over which transaction on which network: the same whatever of it was shown, and whoever signed it. */
export function cordaSubjectDigest({ network, transactionId }: CordaSubject): Bytes32 {
  return toBytes32(sha256(concatBytes(SUBJECT_OPENING, encode(network), WORD_HEAD, fromHex(transactionId))));
}
