/** Names of things, parsed once at the edge and branded, so that one kind cannot be passed for another. */
import { type Bytes32, type Hex, parseHex } from './bytes32.ts';
import { ProtocolError } from './protocol-error.ts';

/** 1–32 of `A–Z a–z 0–9 . -`; a bank's is its LEI (ISO 17442). */
export type ParticipantId = string & { readonly brand: 'ParticipantId' };
/** ISO 4217 code, ISIN or other: 1–16 of `A–Z 0–9 . -`. */
export type AssetCode = string & { readonly brand: 'AssetCode' };
/** 1–48 of `a–z 0–9 -`, beginning with a letter. */
export type NetworkId = string & { readonly brand: 'NetworkId' };
/** A UUID in lower case; also the UETR of the payment. Scoped to its bank. */
export type TransferId = string & { readonly brand: 'TransferId' };
/** `<network>/<asset>`: one vault per network and asset. */
export type VaultKey = `${string}/${string}` & { readonly brand: 'VaultKey' };
/** An EVM address: 20 bytes, lower case. */
export type EvmAddress = Hex & { readonly brand: 'EvmAddress' };
/** Where a vault is, in its network's form: an EVM address, or the 32 bytes of a Corda vault's id. */
export type VaultAddress = EvmAddress | Bytes32;
/** The id of a lock: a hash over vault, depositor, reference and the depositor's nonce. */
export type LockId = Bytes32;
/** The id of an instruction, spent at most once on its vault. */
export type InstructionId = Bytes32;

function parse<T extends string>(pattern: RegExp, what: string, form: string): (text: string) => T {
  return (text) => {
    if (!pattern.test(text)) throw new ProtocolError('ID_INVALID', `${what} must be ${form}`);
    return text as T;
  };
}

export const parseParticipantId: (text: string) => ParticipantId = parse(
  /^[A-Za-z0-9][A-Za-z0-9.-]{0,31}$/,
  'participant id',
  '1–32 letters, digits, dots or hyphens',
);
export const parseAssetCode: (text: string) => AssetCode = parse(
  /^[A-Z0-9][A-Z0-9.-]{0,15}$/,
  'asset code',
  '1–16 capital letters, digits, dots or hyphens',
);
export const parseNetworkId: (text: string) => NetworkId = parse(
  /^[a-z][a-z0-9-]{0,47}$/,
  'network id',
  '1–48 lower-case letters, digits or hyphens, beginning with a letter',
);
export const parseTransferId: (text: string) => TransferId = parse(
  /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  'transfer id',
  'a UUID in lower case',
);

export const vaultKey = (network: NetworkId, asset: AssetCode): VaultKey => `${network}/${asset}` as VaultKey;

/** @throws ProtocolError `ID_INVALID` unless `text` is an address of 20 bytes; checksummed and lower case are the same. */
export function parseEvmAddress(text: string): EvmAddress {
  const hex = parseHex(text, 'address');
  if (hex.length !== 42) throw new ProtocolError('ID_INVALID', 'address must have 20 bytes');
  return hex as EvmAddress;
}
