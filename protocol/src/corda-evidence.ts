/**
 * What a connector hands in for rule `corda-notary`: one transaction by the hashes of its component groups, the components
 * that it shows with their nonces and partial Merkle trees, and the signatures of notary and vault. Canonical CBOR (RFC 8949,
 * deterministic). Components travel as the bytes that Corda hashed; the transaction's id is computed, never told.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { encode } from 'cborg';
import { type Bytes32, fromHex, toBytes32 } from './bytes32.ts';
import { type CborFormat, decodeCbor, demandCanonical } from './canonical-cbor.ts';
import { type CordaPartialTree, decodeCordaTree, encodeCordaTree } from './corda-partial-tree.ts';
import { type NetworkId, parseNetworkId } from './ids.ts';
import { ProtocolError } from './protocol-error.ts';

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

const SUBJECT_PREFIX = utf8ToBytes('drawbridge/corda-subject/1\0');
const RULE = 'corda-notary';
const KIND = 'transaction';
const PARTS = 7;

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

const refuse = (message: string): never => {
  throw new ProtocolError('EVIDENCE_INVALID', message);
};
function parts(value: unknown, length: number, what: string): readonly unknown[] {
  return Array.isArray(value) && value.length === length ? value : refuse(`${what} must be a list of ${length}`);
}
function list(value: unknown, { min, max }: Readonly<{ min: number; max: number }>, what: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length < min || value.length > max) {
    return refuse(`${what} must be a list of ${min} to ${max}`);
  }
  return value;
}
function bytes(value: unknown, { min, max }: Readonly<{ min: number; max: number }>, what: string): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length < min || value.length > max) {
    return refuse(`${what} must have ${min} to ${max} bytes`);
  }
  return value;
}
function whole(value: unknown, { min, max }: Readonly<{ min: number; max: number }>, what: string): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
    ? value
    : refuse(`${what} must be a whole number from ${min} to ${max}`);
}
const hash = (value: unknown, what: string): Uint8Array => bytes(value, { min: 32, max: 32 }, what);
const treeOf = (value: unknown, what: string): CordaPartialTree =>
  value instanceof Uint8Array ? decodeCordaTree(value) : refuse(`${what} must be bytes`);

function componentOf(value: unknown): CordaComponent {
  const [component, nonce] = parts(value, 2, 'component');
  return {
    bytes: bytes(component, { min: 1, max: MAX_CORDA_COMPONENT_BYTES }, 'component'),
    nonce: hash(nonce, 'nonce'),
  };
}
function groupOf(value: unknown): CordaGroup {
  const [groupIndex, components, tree] = parts(value, 3, 'group');
  return {
    groupIndex: whole(groupIndex, { min: 0, max: MAX_CORDA_GROUPS - 1 }, 'group index'),
    components: list(components, { min: 1, max: MAX_CORDA_COMPONENTS }, 'components').map(componentOf),
    tree: treeOf(tree, 'tree'),
  };
}
function signatureOf(value: unknown): CordaSignature {
  const [key, platformVersion, scheme, signature, batchTree] = parts(value, 5, 'signature');
  const signed = {
    key: bytes(key, { min: 1, max: MAX_CORDA_KEY_BYTES }, 'key'),
    platformVersion: whole(platformVersion, { min: 1, max: MAX_PLATFORM_VERSION }, 'platform version'),
    scheme: whole(scheme, { min: 1, max: MAX_SCHEME }, 'scheme'),
    signature: bytes(signature, { min: 1, max: MAX_CORDA_SIGNATURE_BYTES }, 'signature'),
  };
  return batchTree === null ? signed : { ...signed, batchTree: treeOf(batchTree, 'batch tree') };
}

const FORMAT: CborFormat = { what: 'Corda evidence', code: 'EVIDENCE_INVALID', maxBytes: MAX_CORDA_EVIDENCE_BYTES };

/** @throws ProtocolError `EVIDENCE_INVALID` (or `ID_INVALID`) for anything but the canonical bytes of one item. */
export function decodeCordaEvidence(input: Uint8Array): CordaEvidence {
  const [version, rule, kind, network, groupHashes, groups, signatures] = parts(
    decodeCbor(input, FORMAT),
    PARTS,
    'evidence',
  );
  if (version !== 1) return refuse('evidence version is unknown');
  if (rule !== RULE) return refuse(`evidence is not of rule ${RULE}`);
  if (kind !== KIND) return refuse(`evidence is not of kind ${KIND}`);
  const evidence: CordaEvidence = {
    version,
    rule,
    kind,
    network: typeof network === 'string' ? parseNetworkId(network) : refuse('network must be text'),
    groupHashes: list(groupHashes, { min: MIN_CORDA_GROUPS, max: MAX_CORDA_GROUPS }, 'group hashes').map((item) =>
      hash(item, 'group hash'),
    ),
    groups: list(groups, { min: 1, max: MAX_CORDA_GROUPS }, 'groups').map(groupOf),
    signatures: list(signatures, { min: 1, max: MAX_CORDA_SIGNATURES }, 'signatures').map(signatureOf),
  };
  demandCanonical(input, encodeCordaEvidence(evidence), FORMAT);
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
  return toBytes32(sha256(concatBytes(SUBJECT_PREFIX, encode([RULE, network, fromHex(transactionId)]))));
}
