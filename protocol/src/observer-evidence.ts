/**
 * Evidence of rule `observers`: one log of an EVM network with what m of n observers signed about it, and its canonical
 * bytes. The bytes are CBOR (RFC 8949, deterministic); an encoding that differs from the canonical one is refused.
 */

import { sha256 } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { encode } from 'cborg';
import { type Bytes32, fromHex, type Hex, toBytes32, toHex } from './bytes32.ts';
import { type CborFormat, decodeCbor, demandCanonical } from './canonical-cbor.ts';
import { type EvmAddress, type NetworkId, type ParticipantId, parseNetworkId, parseParticipantId } from './ids.ts';
import { ProtocolError } from './protocol-error.ts';

/** Largest evidence item accepted, in bytes. */
export const MAX_EVIDENCE_BYTES = 16_384;
/** Most attestations in one item. */
export const MAX_ATTESTATIONS = 32;

/** A log as an EVM node reports it: raw, so that whoever checks decodes for himself. */
export type EvmLog = Readonly<{
  blockNumber: number;
  blockHash: Bytes32;
  transactionHash: Bytes32;
  /** Position in the block. */
  logIndex: number;
  address: EvmAddress;
  topics: readonly Bytes32[];
  data: Hex;
}>;

/** One observer's word: Ed25519 over `observerStatement`. */
export type Attestation = Readonly<{
  observer: ParticipantId;
  /** Blocks that the observer saw from the log's block to the head, both counted. */
  depthBlocks: number;
  signature: Hex;
}>;

export type ObserverEvidence = Readonly<{
  version: 1;
  rule: 'observers';
  network: NetworkId;
  genesisHash: Bytes32;
  log: EvmLog;
  attestations: readonly Attestation[];
}>;

const STATEMENT_PREFIX = utf8ToBytes('drawbridge/observer-statement/1\0');

/** keccak256 over address, number of topics, topics, data: what the log says, wherever it stands. */
export function eventDigest(log: Pick<EvmLog, 'address' | 'topics' | 'data'>): Bytes32 {
  return toBytes32(
    keccak_256(
      concatBytes(
        fromHex(log.address),
        Uint8Array.of(log.topics.length),
        ...log.topics.map((topic) => fromHex(topic)),
        fromHex(log.data),
      ),
    ),
  );
}

/** The bytes that an observer signs. The service id binds them to one core. */
export function observerStatement(input: {
  serviceId: Bytes32;
  network: NetworkId;
  genesisHash: Bytes32;
  log: EvmLog;
  depthBlocks: number;
}): Uint8Array {
  const { log } = input;
  return concatBytes(
    STATEMENT_PREFIX,
    encode([
      fromHex(input.serviceId),
      input.network,
      fromHex(input.genesisHash),
      log.blockNumber,
      fromHex(log.blockHash),
      input.depthBlocks,
      fromHex(log.transactionHash),
      log.logIndex,
      fromHex(eventDigest(log)),
    ]),
  );
}

export function encodeObserverEvidence(evidence: ObserverEvidence): Uint8Array {
  const { log } = evidence;
  return encode([
    evidence.version,
    evidence.rule,
    evidence.network,
    fromHex(evidence.genesisHash),
    [
      log.blockNumber,
      fromHex(log.blockHash),
      fromHex(log.transactionHash),
      log.logIndex,
      fromHex(log.address),
      log.topics.map((topic) => fromHex(topic)),
      fromHex(log.data),
    ],
    evidence.attestations.map((a) => [a.observer, a.depthBlocks, fromHex(a.signature)]),
  ]);
}

const refuse = (message: string): never => {
  throw new ProtocolError('EVIDENCE_INVALID', message);
};
function list(value: unknown, length: number, what: string): readonly unknown[] {
  return Array.isArray(value) && value.length === length ? value : refuse(`${what} must be a list of ${length}`);
}
function bytes(value: unknown, length: number | undefined, what: string): Hex {
  if (!(value instanceof Uint8Array)) return refuse(`${what} must be bytes`);
  if (length !== undefined && value.length !== length) return refuse(`${what} must have ${length} bytes`);
  return toHex(value);
}
function count(value: unknown, what: string): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? value
    : refuse(`${what} must be a whole number below 2^53`);
}
const text = (value: unknown, what: string): string =>
  typeof value === 'string' ? value : refuse(`${what} must be text`);

const FORMAT: CborFormat = { what: 'evidence', code: 'EVIDENCE_INVALID', maxBytes: MAX_EVIDENCE_BYTES };

/** @throws ProtocolError `EVIDENCE_INVALID` (or `ID_INVALID`) for anything but the canonical bytes of one item. */
export function decodeObserverEvidence(input: Uint8Array): ObserverEvidence {
  const value = decodeCbor(input, FORMAT);
  const [version, rule, network, genesisHash, log, attestations] = list(value, 6, 'evidence');
  if (version !== 1) refuse('evidence version is unknown');
  if (rule !== 'observers') refuse('evidence rule is not observers');
  const [blockNumber, blockHash, transactionHash, logIndex, address, topics, data] = list(log, 7, 'log');
  if (!Array.isArray(topics) || topics.length > 4) return refuse('topics must be a list of at most 4');
  if (!Array.isArray(attestations) || attestations.length > MAX_ATTESTATIONS) {
    return refuse(`attestations must be a list of at most ${MAX_ATTESTATIONS}`);
  }
  const evidence: ObserverEvidence = {
    version: 1,
    rule: 'observers',
    network: parseNetworkId(text(network, 'network')),
    genesisHash: bytes(genesisHash, 32, 'genesis hash') as Bytes32,
    log: {
      blockNumber: count(blockNumber, 'block number'),
      blockHash: bytes(blockHash, 32, 'block hash') as Bytes32,
      transactionHash: bytes(transactionHash, 32, 'transaction hash') as Bytes32,
      logIndex: count(logIndex, 'log index'),
      address: bytes(address, 20, 'address') as EvmAddress,
      topics: topics.map((topic) => bytes(topic, 32, 'topic') as Bytes32),
      data: bytes(data, undefined, 'data'),
    },
    attestations: attestations.map((item: unknown) => {
      const [observer, depthBlocks, signature] = list(item, 3, 'attestation');
      return {
        observer: parseParticipantId(text(observer, 'observer')),
        depthBlocks: count(depthBlocks, 'depth'),
        signature: bytes(signature, 64, 'signature'),
      };
    }),
  };
  demandCanonical(input, encodeObserverEvidence(evidence), FORMAT);
  return evidence;
}

/** SHA-256 of the item without its attestations: the same event has the same digest whoever vouches for it. */
export function evidenceSubjectDigest(evidence: ObserverEvidence): Bytes32 {
  return toBytes32(sha256(encodeObserverEvidence({ ...evidence, attestations: [] })));
}
