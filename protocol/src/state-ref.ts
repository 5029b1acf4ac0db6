/**
 * Names on ledgers of unspent states (Corda): references to states, and what the vault derives from them. Golden vectors:
 * `test/vectors/corda-vault-names.json`, passed by Java and by this module. What the names are for: docs/adr/0016.
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { type Bytes32, fromHex, type Hex, parseHex, toBytes32, toHex } from './bytes32.ts';
import type { LockId } from './ids.ts';
import { ProtocolError } from './protocol-error.ts';

/**
 * An output of an earlier transaction: the transaction's id (32 bytes), then the output's index (4 bytes, big-endian), as
 * lower-case hex. Texts ascend as the bytes do.
 */
export type StateRef = Hex & { readonly brand: 'StateRef' };

export const STATE_REF_BYTES = 36;
/** An index is a Java `int`. */
const MAX_INDEX = 2 ** 31 - 1;
const VAULT_PREFIX = utf8ToBytes('drawbridge/corda/vault/1');

/** @throws ProtocolError `ID_INVALID` for an index that no output has */
export function stateRef(transactionId: Bytes32, index: number): StateRef {
  if (!Number.isInteger(index) || index < 0 || index > MAX_INDEX) {
    throw new ProtocolError('ID_INVALID', 'index of a state must be 0 to 2^31 - 1');
  }
  return `${transactionId}${index.toString(16).padStart(8, '0')}` as StateRef;
}

/** @throws ProtocolError `HEX_INVALID`, `ID_INVALID` for another number of bytes and for an index that no output has */
export function parseStateRef(text: string): StateRef {
  const hex = parseHex(text, 'state reference');
  if (hex.length !== 2 + 2 * STATE_REF_BYTES) {
    throw new ProtocolError('ID_INVALID', `state reference must have ${STATE_REF_BYTES} bytes`);
  }
  return stateRef(hex.slice(0, 66) as Bytes32, Number.parseInt(hex.slice(66), 16));
}

/** @throws ProtocolError as `parseStateRef` */
export const toStateRef = (bytes: Uint8Array): StateRef => parseStateRef(toHex(bytes));

/** The state `distance` outputs further on in the same transaction. */
export const stateAfter = (ref: StateRef, distance: number): StateRef =>
  stateRef(ref.slice(0, 66) as Bytes32, Number.parseInt(ref.slice(66), 16) + distance);

/** Ascending as bytes. */
export const sortedRefs = (refs: readonly StateRef[]): StateRef[] => refs.toSorted(compareText);
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** `inputs` of an instruction: keccak256 over the refs of all states that it consumes, ascending. */
export const inputsHash = (refs: readonly StateRef[]): Bytes32 =>
  toBytes32(keccak_256(concatBytes(...sortedRefs(refs).map(fromHex))));

/** Address of the vault that is made out of a seed. */
export const cordaVaultId = (seed: StateRef): Bytes32 =>
  toBytes32(keccak_256(concatBytes(VAULT_PREFIX, fromHex(seed))));

/** Depositor or beneficiary. @param key SubjectPublicKeyInfo, DER */
export const accountWord = (key: Hex): Bytes32 => toBytes32(keccak_256(fromHex(key)));

/** `inputs`: the hash over all that the lock's transaction consumes. */
export const cordaLockId = (
  lock: Readonly<{ vaultId: Bytes32; depositor: Bytes32; reference: Bytes32; inputs: Bytes32 }>,
): LockId =>
  toBytes32(
    keccak_256(
      concatBytes(fromHex(lock.vaultId), fromHex(lock.depositor), fromHex(lock.reference), fromHex(lock.inputs)),
    ),
  );
