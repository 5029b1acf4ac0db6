/**
 * What is registered of a Corda network and of a vault on it: everything that the verifier of rule `corda-notary` needs to
 * believe, and where the book of the vault's states begins. docs/adr/0016 says what the parts are for.
 */
import type { Bytes32, Hex } from '@drawbridge/protocol/bytes32';
import type { CordaVaultClass } from '@drawbridge/protocol/corda-vault-classes';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import type { StateRef } from '@drawbridge/protocol/state-ref';

/** Field by field, as Corda compares names. */
export type CordaPartyName = Readonly<{
  commonName?: string;
  organisationUnit?: string;
  organisation: string;
  locality: string;
  state?: string;
  country: string;
}>;

/** Rule `corda-notary`: what this notary signed happened. Keys are SubjectPublicKeyInfo, DER. */
export type CordaNotaryFinality = Readonly<{
  rule: 'corda-notary';
  notary: Readonly<{
    name: CordaPartyName;
    key: Hex;
    /** It runs the contracts before it signs. Without that, the vault party must have signed too. */
    validating: boolean;
  }>;
  /** By class of the vault's CorDapp, the fingerprint by which Corda's serialiser names it: base64 of 16 bytes. */
  fingerprints: Readonly<Record<CordaVaultClass, string>>;
}>;

/** Which code governs a state: one jar by its SHA-256, or any jar that a key signed. */
export type CordaConstraintRegistration =
  | Readonly<{ kind: 'hash'; attachment: Bytes32 }>
  | Readonly<{ kind: 'signature'; key: Hex }>;

/** The one cash that an escrow vault takes. */
export type CordaCashRegistration = Readonly<{
  constraint: CordaConstraintRegistration;
  issuerKey: Hex;
  /** What the issuer calls the deposit, in its own bytes. */
  issuerReference: Hex;
}>;

/** Who may pause the vault at once and, after the delay, replace its authority: `threshold` of them, together. */
export type CordaGuardiansRegistration = Readonly<{
  /** In the order in which the vault has them. */
  addresses: readonly EvmAddress[];
  threshold: number;
  delaySeconds: number;
}>;

/**
 * Of a vault, beside what vaults of every kind have. All of it is compared with the transaction that made the vault before anything
 * else of the vault is believed.
 */
export type CordaVaultPart = Readonly<{
  /** The vault's address: it follows from the seed, and no other vault can have it. */
  vaultId: Bytes32;
  /** Key of the legal identity that keeps the vault. */
  party: Hex;
  /** Of all states of the CorDapp. */
  constraint: CordaConstraintRegistration;
  /** ISO 4217 of the cash, or the name of the token. Its minor units are the asset's. */
  currency: string;
  /** Escrow only. */
  cash?: CordaCashRegistration;
  /** Largest payment, and largest lock, in minor units. */
  permitCapMinor: bigint;
  /** In which a permit may pass at most `permitCapMinor`. */
  capWindowSeconds: number;
  guardians: CordaGuardiansRegistration;
  /** The vault's state and its permits by their index: outputs 0, 1 and so on of the creation, none spent since. */
  state: StateRef;
  permits: readonly StateRef[];
}>;
