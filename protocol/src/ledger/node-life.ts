/**
 * A life of a node: from the start of a process to its end. Where the platform protects memory each process draws its own, 16
 * random bytes, and what it promises as a node it promises for that life alone; elsewhere all lives of a node are one.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import { refuseLedger } from './ledger-fields.ts';

/** 32 lower-case hex digits. */
export type NodeLife = string & { readonly brand: 'NodeLife' };

export const LIFE_BYTES = 16;
/** Of a node that comes back in place: its platform does not tell one process from the next. */
export const NO_LIFE: NodeLife = '0'.repeat(2 * LIFE_BYTES) as NodeLife;

/** From its 16 bytes. @throws ProtocolError `LEDGER_INVALID` */
export function readLife(value: unknown): NodeLife {
  return value instanceof Uint8Array && value.length === LIFE_BYTES
    ? (bytesToHex(value) as NodeLife)
    : refuseLedger(`life must have ${LIFE_BYTES} bytes`);
}
