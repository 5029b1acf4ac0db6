/**
 * What a connector hands in for a network that is believed by proof (rules `qbft`, `ibft`, `ibft2`, `clique`): batches of
 * headers that move the tracked head, and one vault event under a tracked block. Canonical CBOR (RFC 8949, deterministic);
 * an encoding that differs from the canonical one is refused. Headers, receipts and proofs travel raw: whoever checks
 * decodes for himself.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { encode, encodeInto } from 'cborg';
import { type Bytes32, fromHex, toBytes32 } from './bytes32.ts';
import { type CborFormat, decodeCbor, demandCanonical } from './canonical-cbor.ts';
import { type NetworkId, parseNetworkId } from './ids.ts';
import { ProtocolError } from './protocol-error.ts';

/** Rules under which blocks prove themselves by the seals in their headers. */
export const CONSENSUS_RULES = ['qbft', 'ibft', 'ibft2', 'clique'] as const;
export type ConsensusRule = (typeof CONSENSUS_RULES)[number];

/** Largest header, in bytes of RLP: room for 300 validators, all of whom seal. */
export const MAX_HEADER_BYTES = 32_768;
/** Most headers in one batch. */
export const MAX_HEADERS = 256;
/** Largest batch of headers, in bytes of its encoding. */
export const MAX_HEADER_BATCH_BYTES = 262_144;
/** Most nodes on the path to one receipt: the key, RLP of a number below 2²⁴, has at most 8 nibbles. */
export const MAX_PROOF_NODES = 16;
/**
 * Largest proof, in bytes of its nodes together. The leaf holds the receipt with every log of its transaction, which a
 * stranger can make long; with header and seal it fits a sealed body.
 */
export const MAX_PROOF_BYTES = 983_040;
/** Largest item that proves one event, in bytes of its encoding. */
export const MAX_CONSENSUS_EVIDENCE_BYTES: number = MAX_HEADER_BYTES + MAX_PROOF_BYTES + 256;
/** Transactions of a block, and logs of a transaction, are counted below this. */
export const MAX_POSITION: number = 2 ** 24;

/** Consecutive headers, lowest first. */
export type HeaderBatch = Readonly<{
  version: 1;
  rule: ConsensusRule;
  kind: 'headers';
  network: NetworkId;
  /** RLP of each header with its seals. 1 to `MAX_HEADERS`. */
  headers: readonly Uint8Array[];
}>;

/** One log, in one receipt, in one block. */
export type ConsensusEvidence = Readonly<{
  version: 1;
  rule: ConsensusRule;
  kind: 'event';
  network: NetworkId;
  /** RLP of the block's header. Where the block hash leaves seals out, any sealed copy will do. */
  header: Uint8Array;
  /** Position of the transaction in the block. */
  transactionIndex: number;
  /** Nodes of the receipt trie from the root to the receipt's leaf, as their RLP is hashed. */
  proof: readonly Uint8Array[];
  /** Position of the log among the logs of its receipt, not of its block. */
  logIndexInReceipt: number;
}>;

/** Where a proven log stands; the same whichever copy of the header proved it. */
export type ConsensusSubject = Readonly<{
  rule: ConsensusRule;
  network: NetworkId;
  blockHash: Bytes32;
  transactionIndex: number;
  logIndexInReceipt: number;
}>;

/** What bytes of evidence say that they are. */
export type EvidenceKind = 'observers' | 'headers' | 'event';

const SUBJECT_PREFIX = utf8ToBytes('drawbridge/consensus-subject/1\0');

/** More than anything but byte strings takes, and more than stands before each byte string. */
const OTHER_BYTES = 256;
const BYTES_BEFORE_EACH = 9;
/** Encodings that are only looked at and never handed out are written here, where they fit: memory costs more than they do. */
const scratch = new Uint8Array(65_536);

type Encoding = Readonly<{ parts: readonly unknown[]; byteStrings: readonly Uint8Array[] }>;

const boundOf = ({ byteStrings }: Encoding): number =>
  byteStrings.reduce((sum, { length }) => sum + BYTES_BEFORE_EACH + length, OTHER_BYTES);

function encodeInMemory({ parts }: Encoding, memory: Uint8Array): Uint8Array {
  return memory.subarray(0, encodeInto(parts, memory).written);
}
const encodeAnew = (encoding: Encoding): Uint8Array => encodeInMemory(encoding, new Uint8Array(boundOf(encoding)));
/** Holds until the next call. */
function encodeForNow(encoding: Encoding): Uint8Array {
  return boundOf(encoding) > scratch.length ? encodeAnew(encoding) : encodeInMemory(encoding, scratch);
}

const partsOfBatch = ({ version, rule, kind, network, headers }: HeaderBatch): Encoding => ({
  parts: [version, rule, kind, network, headers],
  byteStrings: headers,
});
function partsOfEvidence(evidence: ConsensusEvidence): Encoding {
  const { version, rule, kind, network, header, transactionIndex, proof, logIndexInReceipt } = evidence;
  const parts = [version, rule, kind, network, header, transactionIndex, proof, logIndexInReceipt];
  return { parts, byteStrings: [header, ...proof] };
}

export function encodeHeaderBatch(batch: HeaderBatch): Uint8Array {
  return encodeAnew(partsOfBatch(batch));
}

export function encodeConsensusEvidence(evidence: ConsensusEvidence): Uint8Array {
  return encodeAnew(partsOfEvidence(evidence));
}

const refuse = (message: string): never => {
  throw new ProtocolError('EVIDENCE_INVALID', message);
};
function list(value: unknown, length: number, what: string): readonly unknown[] {
  return Array.isArray(value) && value.length === length ? value : refuse(`${what} must be a list of ${length}`);
}
function bytes(value: unknown, maxBytes: number, what: string): Uint8Array {
  if (!(value instanceof Uint8Array)) return refuse(`${what} must be bytes`);
  if (value.length === 0 || value.length > maxBytes) return refuse(`${what} must have 1 to ${maxBytes} bytes`);
  return value;
}
function byteStrings(value: unknown, max: Readonly<{ items: number; bytesEach: number }>, what: string): Uint8Array[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > max.items) {
    return refuse(`${what} must be a list of 1 to ${max.items}`);
  }
  return value.map((item: unknown) => bytes(item, max.bytesEach, `each of ${what}`));
}
function position(value: unknown, what: string): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value < MAX_POSITION
    ? value
    : refuse(`${what} must be a whole number below ${MAX_POSITION}`);
}
function networkOf(value: unknown): NetworkId {
  return typeof value === 'string' ? parseNetworkId(value) : refuse('network must be text');
}

/** The fields that both kinds begin with. */
function demandHead([version, , kind]: readonly unknown[], expected: EvidenceKind): void {
  if (version !== 1) refuse('evidence version is unknown');
  if (kind !== expected) refuse(`evidence is not of kind ${expected}`);
}
const ruleOf = (value: unknown): ConsensusRule =>
  CONSENSUS_RULES.find((rule) => rule === value) ?? refuse('evidence rule is not one of consensus');

const BATCH_FORMAT: CborFormat = {
  what: 'header batch',
  code: 'EVIDENCE_INVALID',
  maxBytes: MAX_HEADER_BATCH_BYTES,
};
const EVENT_FORMAT: CborFormat = {
  what: 'evidence',
  code: 'EVIDENCE_INVALID',
  maxBytes: MAX_CONSENSUS_EVIDENCE_BYTES,
};

/** @throws ProtocolError `EVIDENCE_INVALID` (or `ID_INVALID`) for anything but the canonical bytes of one batch. */
export function decodeHeaderBatch(input: Uint8Array): HeaderBatch {
  const parts = list(decodeCbor(input, BATCH_FORMAT), 5, 'header batch');
  demandHead(parts, 'headers');
  const [, rule, , network, headers] = parts;
  const batch: HeaderBatch = {
    version: 1,
    rule: ruleOf(rule),
    kind: 'headers',
    network: networkOf(network),
    headers: byteStrings(headers, { items: MAX_HEADERS, bytesEach: MAX_HEADER_BYTES }, 'headers'),
  };
  demandCanonical(input, encodeForNow(partsOfBatch(batch)), BATCH_FORMAT);
  return batch;
}

/** @throws ProtocolError `EVIDENCE_INVALID` (or `ID_INVALID`) for anything but the canonical bytes of one item. */
export function decodeConsensusEvidence(input: Uint8Array): ConsensusEvidence {
  const parts = list(decodeCbor(input, EVENT_FORMAT), 8, 'evidence');
  demandHead(parts, 'event');
  const [, rule, , network, header, transactionIndex, proof, logIndexInReceipt] = parts;
  const evidence: ConsensusEvidence = {
    version: 1,
    rule: ruleOf(rule),
    kind: 'event',
    network: networkOf(network),
    header: bytes(header, MAX_HEADER_BYTES, 'header'),
    transactionIndex: position(transactionIndex, 'transaction index'),
    proof: byteStrings(proof, { items: MAX_PROOF_NODES, bytesEach: MAX_PROOF_BYTES }, 'proof nodes'),
    logIndexInReceipt: position(logIndexInReceipt, 'log index'),
  };
  if (evidence.proof.reduce((sum, node) => sum + node.length, 0) > MAX_PROOF_BYTES) {
    return refuse(`proof must have at most ${MAX_PROOF_BYTES} bytes`);
  }
  demandCanonical(input, encodeForNow(partsOfEvidence(evidence)), EVENT_FORMAT);
  return evidence;
}

/** First byte of a canonical list of `length` parts, then version 1. */
const opening = (length: number): Uint8Array => Uint8Array.of(0x80 + length, 1);
/** How the canonical bytes of each kind begin. */
const OPENINGS: readonly Readonly<{ kind: EvidenceKind; bytes: Uint8Array }>[] = [
  { kind: 'observers', bytes: concatBytes(opening(6), encode('observers')) },
  ...CONSENSUS_RULES.flatMap((rule) => [
    { kind: 'headers' as const, bytes: concatBytes(opening(5), encode(rule), encode('headers')) },
    { kind: 'event' as const, bytes: concatBytes(opening(8), encode(rule), encode('event')) },
  ]),
];

/** Which decoder the bytes are for, from how they begin; `undefined`: for none of them. Proves nothing else. */
export function evidenceKindOf(input: Uint8Array): EvidenceKind | undefined {
  return OPENINGS.find(({ bytes: start }) => start.every((byte, i) => input[i] === byte))?.kind;
}

/** SHA-256 of the canonical bytes of a batch. */
export function headerBatchDigest(batch: HeaderBatch): Bytes32 {
  return toBytes32(sha256(encodeHeaderBatch(batch)));
}

/** SHA-256 over where a log stands: the block hash binds what it says. The same event has the same digest for ever. */
export function consensusSubjectDigest(subject: ConsensusSubject): Bytes32 {
  const { rule, network, blockHash, transactionIndex, logIndexInReceipt } = subject;
  const hash = fromHex(blockHash);
  const parts = [rule, network, hash, transactionIndex, logIndexInReceipt];
  const encoded = encodeForNow({ parts, byteStrings: [hash] });
  return toBytes32(sha256(concatBytes(SUBJECT_PREFIX, encoded)));
}
