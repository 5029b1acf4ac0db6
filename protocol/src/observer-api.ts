/**
 * What an observer is asked and what it answers: `POST /v1/attest`, JSON. A connector asks observers of its network for
 * each log and makes evidence of the answers that agree with what it saw itself.
 */
import { type Bytes32, type Hex, parseBytes32, parseHex } from './bytes32.ts';
import { type NetworkId, type ParticipantId, parseEvmAddress, parseNetworkId, parseParticipantId } from './ids.ts';
import { type Attestation, type EvmLog, MAX_EVIDENCE_BYTES } from './observer-evidence.ts';
import { ProtocolError } from './protocol-error.ts';

export const ATTEST_PATH = '/v1/attest';

/** Names one log; the observer looks it up on a node of its own. */
export type AttestRequest = Readonly<{
  network: NetworkId;
  blockNumber: number;
  blockHash: Bytes32;
  transactionHash: Bytes32;
  /** Position in the block. */
  logIndex: number;
}>;

/** The attestation, and the log as the observer's node has it: an asker that saw another one shall not use it. */
export type AttestAnswer = Readonly<{
  observer: ParticipantId;
  depthBlocks: number;
  /** Ed25519, 64 bytes, over `observerStatement`. */
  signature: Hex;
  log: EvmLog;
}>;

/** Stable codes of the problem documents (RFC 9457) that an observer answers with. */
export type AttestProblemCode =
  | 'REQUEST_INVALID'
  | 'CLIENT_UNKNOWN'
  | 'VAULT_UNKNOWN'
  | 'ROUTE_NOT_FOUND'
  | 'NETWORK_UNKNOWN'
  | 'BLOCK_NOT_FOUND'
  | 'LOG_NOT_FOUND'
  | 'BLOCK_NOT_CANONICAL'
  | 'EQUIVOCATION'
  | 'BODY_TOO_LARGE'
  | 'EVENT_INVALID'
  | 'TOO_SHALLOW'
  | 'TOO_MANY_REQUESTS'
  | 'INTERNAL'
  | 'NODE_UNAVAILABLE'
  | 'NODE_WRONG_NETWORK'
  | 'OVERLOADED'
  | 'GUARD_FAILED'
  | 'STOPPING';

/** What each code says: its HTTP status, and whether asking again can help. */
export const ATTEST_PROBLEMS: Readonly<
  Record<AttestProblemCode, Readonly<{ status: number; title: string; again: boolean }>>
> = {
  REQUEST_INVALID: { status: 400, title: 'The request does not have the form of this route', again: false },
  CLIENT_UNKNOWN: { status: 401, title: 'The client certificate is not one of those admitted', again: false },
  VAULT_UNKNOWN: { status: 403, title: 'The log is of a contract that is not a registered vault', again: false },
  ROUTE_NOT_FOUND: { status: 404, title: 'There is no such route', again: false },
  NETWORK_UNKNOWN: { status: 404, title: 'This observer does not watch that network', again: false },
  BLOCK_NOT_FOUND: { status: 404, title: 'The node has no block of that number', again: true },
  LOG_NOT_FOUND: { status: 404, title: 'The node has no such log in that transaction', again: true },
  BLOCK_NOT_CANONICAL: { status: 409, title: 'The node has another block at that number', again: true },
  EQUIVOCATION: { status: 409, title: 'This observer has vouched for another block at that number', again: false },
  BODY_TOO_LARGE: { status: 413, title: 'The body is larger than this route takes', again: false },
  EVENT_INVALID: { status: 422, title: 'The log is not an event that a vault writes', again: false },
  TOO_SHALLOW: { status: 425, title: 'The block is not deep enough yet', again: true },
  TOO_MANY_REQUESTS: { status: 429, title: 'Too many requests in this second', again: true },
  INTERNAL: { status: 500, title: 'The observer failed to answer', again: true },
  NODE_UNAVAILABLE: { status: 503, title: "The observer's node gives no usable answer", again: true },
  NODE_WRONG_NETWORK: { status: 503, title: "The observer's node is on another chain", again: true },
  OVERLOADED: { status: 503, title: 'Too many requests are under way', again: true },
  GUARD_FAILED: { status: 503, title: 'The record of signed blocks cannot be written', again: true },
  STOPPING: { status: 503, title: 'The observer is stopping', again: true },
};

const refuse = (message: string): never => {
  throw new ProtocolError('ATTEST_INVALID', message);
};

/** The named fields of an object that has these and no others. */
function fields<const Name extends string>(
  value: unknown,
  names: readonly Name[],
  what: string,
): Record<Name, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(`${what} must be an object`);
  const given = new Map<string, unknown>(Object.entries(value));
  if (given.size !== names.length) refuse(`${what} must have the fields ${names.join(', ')}`);
  const entries = names.map((name) => {
    if (!given.has(name)) refuse(`${what} must have the field ${name}`);
    return [name, given.get(name)] as const;
  });
  return Object.fromEntries(entries) as Record<Name, unknown>;
}
const text = (value: unknown, what: string): string =>
  typeof value === 'string' ? value : refuse(`${what} must be text`);
const count = (value: unknown, what: string): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? value
    : refuse(`${what} must be a whole number below 2^53`);
const word = (value: unknown, what: string): Bytes32 => parseBytes32(text(value, what), what);

/** @throws ProtocolError `ATTEST_INVALID`, `HEX_INVALID` or `ID_INVALID` */
export function parseAttestRequest(value: unknown): AttestRequest {
  const body = fields(value, ['network', 'blockNumber', 'blockHash', 'transactionHash', 'logIndex'], 'request');
  return {
    network: parseNetworkId(text(body.network, 'network')),
    blockNumber: count(body.blockNumber, 'blockNumber'),
    blockHash: word(body.blockHash, 'blockHash'),
    transactionHash: word(body.transactionHash, 'transactionHash'),
    logIndex: count(body.logIndex, 'logIndex'),
  };
}

/** Form only: whoever uses the answer checks the signature. @throws ProtocolError as `parseAttestRequest` */
export function parseAttestAnswer(value: unknown): AttestAnswer {
  const body = fields(value, ['observer', 'depthBlocks', 'signature', 'log'], 'answer');
  const signature = parseHex(text(body.signature, 'signature'), 'signature');
  if (signature.length !== 2 + 2 * 64) refuse('signature must have 64 bytes');
  return {
    observer: parseParticipantId(text(body.observer, 'observer')),
    depthBlocks: count(body.depthBlocks, 'depthBlocks'),
    signature,
    log: parseLog(body.log),
  };
}

function parseLog(value: unknown): EvmLog {
  const log = fields(
    value,
    ['blockNumber', 'blockHash', 'transactionHash', 'logIndex', 'address', 'topics', 'data'],
    'log',
  );
  const { topics } = log;
  if (!Array.isArray(topics) || topics.length > 4) return refuse('topics must be a list of at most 4');
  const data = parseHex(text(log.data, 'data'), 'data');
  if (data.length > 2 * MAX_EVIDENCE_BYTES) refuse('data is longer than evidence can be');
  return {
    blockNumber: count(log.blockNumber, 'blockNumber'),
    blockHash: word(log.blockHash, 'blockHash'),
    transactionHash: word(log.transactionHash, 'transactionHash'),
    logIndex: count(log.logIndex, 'logIndex'),
    address: parseEvmAddress(text(log.address, 'address')),
    topics: topics.map((topic: unknown) => word(topic, 'topic')),
    data,
  };
}

/** The part of an answer that goes into evidence. */
export const attestationOf = ({ observer, depthBlocks, signature }: AttestAnswer): Attestation => ({
  observer,
  depthBlocks,
  signature,
});
