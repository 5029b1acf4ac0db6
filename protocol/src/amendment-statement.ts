/** What a bootstrap key signs (Ed25519) to amend what a service has registered, until there is voting. */
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { encode } from 'cborg';
import { type Bytes32, fromHex } from './bytes32.ts';

const PREFIX = utf8ToBytes('drawbridge/amendment/1\0');

/** `number`: from 1 without gaps. `actions`: in the JSON form of amendment files. */
export type AmendmentStatement = Readonly<{ serviceId: Bytes32; number: number; actions: readonly unknown[] }>;

/**
 * `drawbridge/amendment/1` and a zero byte, then CBOR (RFC 8949 §4.2, deterministic) of [service id, number, actions].
 * The service id binds an amendment to one core.
 */
export const amendmentStatement = ({ serviceId, number, actions }: AmendmentStatement): Uint8Array =>
  concatBytes(PREFIX, encode([fromHex(serviceId), number, actions]));
