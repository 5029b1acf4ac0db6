/** What is registered of a vault on Corda, and what its transactions are checked against by it. Nothing here comes out of evidence. */
import { type Bytes32, fromHex, type Hex, toHex } from '@drawbridge/protocol/bytes32';
import {
  CORDA_CASH_CONTRACT,
  CORDA_TOKEN_CONTRACT,
  CORDA_VAULT_CONTRACT,
  cordaClassName,
} from '@drawbridge/protocol/corda-vault-classes';
import type { AssetCode, EvmAddress, NetworkId } from '@drawbridge/protocol/ids';
import { assetHash, domainSalt, networkIdHash } from '@drawbridge/protocol/instruction';
import type { StateRef } from '@drawbridge/protocol/state-ref';
import { concatBytes } from '@noble/hashes/utils.js';
import type { CordaConstraint } from './corda-facts.ts';
import { type CordaRegistration, type CordaTrustRootResult, cordaTrustRoot } from './corda-trust-root.ts';
import { TYPE } from './corda-types.ts';
import type { CordaVaultTerms } from './corda-vault-states.ts';
import { type CordaVaultFingerprints, cordaVaultTypes } from './corda-vault-types.ts';
import { sha256 } from './sha256.ts';

/** As governance registers a network; keys are SubjectPublicKeyInfo. */
export type RegisteredCordaNetwork = Readonly<{
  id: NetworkId;
  genesisHash: Bytes32;
  finality: Readonly<{ notary: CordaRegistration['notary']; fingerprints: CordaVaultFingerprints }>;
}>;

/** As governance registers a vault. */
export type RegisteredCordaVault = Readonly<{
  vaultId: Bytes32;
  mode: 'escrow' | 'issue';
  asset: AssetCode;
  /** Of epoch 1. */
  authority: EvmAddress;
  party: Hex;
  /** Of every state of the CorDapp. */
  constraint: CordaConstraint;
  currency: string;
  /** Of escrow. */
  cash?: Readonly<{ constraint: CordaConstraint; issuerKey: Hex; issuerReference: Hex }>;
  permitCapMinor: bigint;
  capWindowSeconds: number;
  guardians: Readonly<{ addresses: readonly EvmAddress[]; threshold: number; delaySeconds: number }>;
  /** The vault's state and its permits, as the creation made them. */
  state: StateRef;
  permits: readonly StateRef[];
}>;

/** A vault in the words of its own states. */
export type CordaVaultRoot = Readonly<{
  vaultId: Bytes32;
  mode: 'escrow' | 'issue';
  party: Hex;
  constraint: CordaConstraint;
  /** keccak256 of the asset's code. */
  asset: Bytes32;
  currency: string;
  cash?: RegisteredCordaVault['cash'];
  permitCapMinor: bigint;
  /** How many. */
  permitCount: number;
  capWindowSeconds: bigint;
  guardians: Readonly<{ addresses: readonly EvmAddress[]; threshold: number; delaySeconds: bigint }>;
  /** The first one, of epoch 1. */
  authority: EvmAddress;
  /** That the creation made. */
  state: StateRef;
  network: NetworkId;
  genesisHash: Bytes32;
  serviceId: Bytes32;
}>;

const STATES = (['VaultState', 'PermitState', 'CoinState', 'LockState'] as const).map(cordaClassName);
const COMMANDS = (['Instruct', 'Guard', 'Lock', 'Create'] as const).map(cordaClassName);
const CASH_MOVE = 'net.corda.finance.contracts.asset.Cash$Commands$Move';

/** By what a transaction of this vault is read and believed: its notary, its party, its code and its classes. */
export function cordaVaultTrust(
  { id, finality: { notary, fingerprints } }: RegisteredCordaNetwork,
  { party, constraint, cash }: RegisteredCordaVault,
): CordaTrustRootResult {
  const constraints = [constraint];
  return cordaTrustRoot({
    network: id,
    notary,
    vaultParty: { key: party },
    contracts: [
      { contract: CORDA_VAULT_CONTRACT, states: STATES, constraints },
      { contract: CORDA_TOKEN_CONTRACT, states: [cordaClassName('TokenState')], constraints },
      ...(cash ? [{ contract: CORDA_CASH_CONTRACT, states: [TYPE.cash], constraints: [cash.constraint] }] : []),
    ],
    commands: [...COMMANDS, CASH_MOVE],
    types: cordaVaultTypes(fingerprints),
  });
}

/** By what it is judged to be one of this vault's. */
export function cordaVaultRoot(
  serviceId: Bytes32,
  { id, genesisHash }: RegisteredCordaNetwork,
  vault: RegisteredCordaVault,
): CordaVaultRoot {
  const { vaultId, mode, party, constraint, currency, cash, permitCapMinor, authority, state, guardians } = vault;
  return {
    vaultId,
    mode,
    party,
    constraint,
    asset: assetHash(vault.asset),
    currency,
    ...(cash && { cash }),
    permitCapMinor,
    permitCount: vault.permits.length,
    capWindowSeconds: BigInt(vault.capWindowSeconds),
    guardians: { ...guardians, delaySeconds: BigInt(guardians.delaySeconds) },
    authority,
    state,
    network: id,
    genesisHash,
    serviceId,
  };
}

const HASH_NAME = 1;
const SIGNATURE_NAME = 2;
const NO_BYTES: Hex = toHex(new Uint8Array());

/** A constraint as the terms name it (`Constraints.java`): a byte for its kind, then 32. */
function constraintName(constraint: CordaConstraint): Hex {
  const [kind, word] =
    constraint.kind === 'hash'
      ? [HASH_NAME, fromHex(constraint.attachment)]
      : [SIGNATURE_NAME, sha256(fromHex(constraint.key))];
  return toHex(concatBytes(Uint8Array.of(kind), word));
}

/** All that a state of the vault must say of the terms, for its whole life. */
export function termsOf(root: CordaVaultRoot): CordaVaultTerms {
  const { cash, guardians } = root;
  return {
    asset: root.asset,
    capWindowSeconds: root.capWindowSeconds,
    cashConstraint: cash ? constraintName(cash.constraint) : NO_BYTES,
    currency: root.currency,
    genesisHash: root.genesisHash,
    guardianDelaySeconds: guardians.delaySeconds,
    guardianThreshold: guardians.threshold,
    guardians: toHex(concatBytes(...guardians.addresses.map(fromHex))),
    issuerKey: cash?.issuerKey ?? NO_BYTES,
    issuerReference: cash?.issuerReference ?? NO_BYTES,
    mode: root.mode === 'escrow' ? 1 : 2,
    networkIdHash: networkIdHash(root.network),
    permitCap: root.permitCapMinor,
    permits: root.permitCount,
    serviceId: root.serviceId,
  };
}

/** Of the domain that authority and guardians sign in. */
export const saltOf = ({ serviceId, network, genesisHash, vaultId }: CordaVaultRoot): Bytes32 =>
  domainSalt({ serviceId, networkId: network, genesisHash, vaultAddress: fromHex(vaultId) });
