/** Readers of fields of decoded CBOR: each takes exactly one type within its bound. All throw ProtocolError `LEDGER_INVALID`. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { type Bytes32, toBytes32 } from '../bytes32.ts';
import { ProtocolError } from '../protocol-error.ts';
import { DIGEST_BYTES } from './hash.ts';
import { type NodeId, parseNodeId } from './node-id.ts';

export function refuseLedger(message: string, options?: ErrorOptions): never {
  throw new ProtocolError('LEDGER_INVALID', message, options);
}

/** A list of exactly `length` items. */
export function readTuple(value: unknown, length: number, what: string): readonly unknown[] {
  return Array.isArray(value) && value.length === length ? value : refuseLedger(`${what} must be a list of ${length}`);
}

export function readList(value: unknown, most: number, what: string): readonly unknown[] {
  return Array.isArray(value) && value.length <= most
    ? value
    : refuseLedger(`${what} must be a list of at most ${most}`);
}

export function readBytes(value: unknown, most: number, what: string): Uint8Array {
  return value instanceof Uint8Array && value.length <= most
    ? value
    : refuseLedger(`${what} must be at most ${most} bytes`);
}

export function readDigest(value: unknown, what: string): Uint8Array {
  return value instanceof Uint8Array && value.length === DIGEST_BYTES
    ? value
    : refuseLedger(`${what} must have ${DIGEST_BYTES} bytes`);
}

export const readWord = (value: unknown, what: string): Bytes32 => toBytes32(readDigest(value, what));

/** From its 32 bytes. */
export const readNodeId = (value: unknown): NodeId => parseNodeId(bytesToHex(readDigest(value, 'node id')));

/** `most` counts UTF-16 units. */
export function readText(value: unknown, most: number, what: string): string {
  return typeof value === 'string' && value.length <= most
    ? value
    : refuseLedger(`${what} must be text of at most ${most} characters`);
}

export function readWhole(value: unknown, least: number, most: number, what: string): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most
    ? value
    : refuseLedger(`${what} must be a whole number from ${least} to ${most}`);
}
