/**
 * What governance registers: assets, participants, networks with their finality rule and trust roots, vaults, exposure
 * caps. Genesis carries the first of it; every later change is an action. Shapes only; `genesis.ts` parses and checks.
 */
import type { Bytes32, Hex } from '@drawbridge/protocol/bytes32';
import type { AssetCode, EvmAddress, NetworkId, ParticipantId, VaultAddress } from '@drawbridge/protocol/ids';
import type { CordaNotaryFinality, CordaVaultPart } from './corda-registration.ts';

export type Asset = Readonly<{
  code: AssetCode;
  /** Decimal places: 2 means that 100 minor units are 1.00. */
  scale: number;
}>;

export type ParticipantRole = 'bank' | 'auditor' | 'connector' | 'observer' | 'relay' | 'operator';

export type Participant = Readonly<{
  id: ParticipantId;
  role: ParticipantRole;
  name: string;
  /** Banks: ISO 17442, 20 characters with check digits. */
  lei?: string;
  /** Banks: ISO 9362, 8 or 11 characters. */
  bic?: string;
  /** SHA-256 over the DER of each client certificate that speaks for it. Observers may have none. */
  certificates: readonly Bytes32[];
  /** Auditors: the banks that they supervise. */
  supervises?: readonly ParticipantId[];
  /** Connectors: RSA public key (SPKI, PEM) that instructions are sealed to. */
  sealingKey?: string;
  /** Observers: Ed25519 public key, 32 bytes. */
  attestationKey?: Hex;
}>;

export type NetworkState = 'active' | 'paused' | 'halted' | 'fenced' | 'retired';

/** Rule `observers`: m of n witnesses at a set depth. Not final by proof, and shown as such. */
export type ObserversFinality = Readonly<{
  rule: 'observers';
  observers: readonly ParticipantId[];
  threshold: number;
  /** Blocks from the event's block to the head, both counted, before anybody vouches. */
  depthBlocks: number;
}>;

/** Rules by which EVM networks seal blocks, named as their clients name them. */
export const CONSENSUS_RULES = ['qbft', 'ibft', 'ibft2', 'clique'] as const;
export type ConsensusRule = (typeof CONSENSUS_RULES)[number];

/** A block that is believed because governance says so: where tracking begins, or begins anew. */
export type Checkpoint = Readonly<{
  blockNumber: number;
  blockHash: Bytes32;
  /** Of the block's header, seconds. */
  timestampS: number;
  /** The set that seals the next block, ascending. No vote on it may be pending. */
  validators: readonly EvmAddress[];
}>;

/** Sealed headers are verified from a checkpoint on, and logs by proofs of their receipts. */
export type ConsensusFinality = Readonly<{
  rule: ConsensusRule;
  checkpoint: Checkpoint;
  /** Blocks after which the network forgets pending votes. */
  epochLength: number;
  /** How many fields a header has from a block on, ascending, the first from 0: 15 before London, 16 with a base fee. */
  headerFields: readonly Readonly<{ fromBlock: number; count: number }>[];
  /** Seconds after which a tracked head proves nothing, and takes no further headers. */
  trustingPeriodS: number;
  /** Blocks below the tracked head that evidence may still be of. */
  maxGapBlocks: number;
  /** Rule `clique`: least seconds between two blocks. */
  periodS?: number;
}>;
/** More rules join this union as their verifiers join `evidence/`. */
export type EvmFinality = ObserversFinality | ConsensusFinality;
export type Finality = EvmFinality | CordaNotaryFinality;

/** Whether a network proves its blocks by consensus. Rule `clique` does so in the way of a development network. */
export const isConsensus = (finality: Finality): finality is ConsensusFinality =>
  finality.rule !== 'observers' && finality.rule !== 'corda-notary';
/** Whether what the rule shows is final by proof. Clique has no finality; its margin is a derived one. */
export const isFinalByProof = ({ rule }: Finality): boolean => rule !== 'observers' && rule !== 'clique';

type NetworkBase = Readonly<{
  id: NetworkId;
  /** EVM: of the first block. Corda: SHA-256 of the DER of the root certificate. */
  genesisHash: Bytes32;
  /** Connectors that serve it; instructions are sealed to the first. All of one network share a sealing key. */
  connectors: readonly ParticipantId[];
  state: NetworkState;
  /** Rises with every change of trust roots; evidence names the version that it was checked against. */
  trustVersion: number;
}>;
export type EvmNetwork = NetworkBase & Readonly<{ kind: 'evm'; chainId: number; finality: EvmFinality }>;
export type CordaNetwork = NetworkBase & Readonly<{ kind: 'corda'; finality: CordaNotaryFinality }>;
export type Network = EvmNetwork | CordaNetwork;

/** The finality that a network of this kind can have, or `undefined` for one of another kind. */
export function withFinality(network: Network, finality: Finality): Network | undefined {
  if (network.kind === 'corda') return finality.rule === 'corda-notary' ? { ...network, finality } : undefined;
  return finality.rule === 'corda-notary' ? undefined : { ...network, finality };
}

export type VaultMode = 'escrow' | 'issue';
type VaultBase = Readonly<{
  network: NetworkId;
  asset: AssetCode;
  mode: VaultMode;
  /** Address of the key that signs for it in `epoch`. */
  authority: EvmAddress;
  epoch: number;
}>;
export type EvmVault = VaultBase &
  Readonly<{
    address: EvmAddress;
    /** First block that can hold an event of it. */
    fromBlock: number;
  }>;
/** A vault on a ledger of unspent states. */
export type CordaVault = VaultBase & CordaVaultPart;
export type Vault = EvmVault | CordaVault;

export const isCordaVault = <V extends object>(vault: V): vault is Extract<V, CordaVaultPart> => 'vaultId' in vault;
/** In the network's canonical bytes: 20 of an EVM vault, 32 of a Corda vault. */
export const addressOf = (vault: Pick<EvmVault, 'address'> | Pick<CordaVault, 'vaultId'>): VaultAddress =>
  'vaultId' in vault ? vault.vaultId : vault.address;

/** The most that a network can cost in one asset. No cap, no lane. */
export type ExposureCap = Readonly<{ network: NetworkId; asset: AssetCode; amountMinor: bigint }>;

/** Ed25519 keys (32 bytes) that sign amendments until there is voting, and how many must. */
export type BootstrapKeys = Readonly<{ keys: readonly Hex[]; threshold: number }>;
