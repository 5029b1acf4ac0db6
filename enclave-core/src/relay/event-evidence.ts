/** From the bytes of an item that proves a vault event to the command that books it, by the rule of its network. */
import { verifyConsensusEvidence } from '@drawbridge/evidence/consensus-evidence';
import { verifyObserverEvidence } from '@drawbridge/evidence/observers';
import { trustRootFrom } from '@drawbridge/evidence/trust-root';
import { type EvmVault, isConsensus, isCordaVault, type Network } from '@drawbridge/governance/registration';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { decodeConsensusEvidence } from '@drawbridge/protocol/consensus-evidence';
import type { AssetCode, NetworkId } from '@drawbridge/protocol/ids';
import { decodeObserverEvidence } from '@drawbridge/protocol/observer-evidence';
import type { VaultEvent } from '@drawbridge/protocol/vault-event';
import type { Command } from '../settlement/command.ts';
import type { SettlementView } from '../settlement/view.ts';
import { ed25519Verifier } from './ed25519.ts';
import { type Checked, refused } from './evidence-verdict.ts';

export type VaultEventCommand = Extract<Command, { type: 'vaultEvent' }>;

type Proven = Readonly<{ event: VaultEvent; blockNumber: number; blockHash: Bytes32; digest: Bytes32 }>;

const verifySignature = ed25519Verifier();

/** @throws ProtocolError for bytes that are no item of observers */
export function checkObserved(view: SettlementView, network: Network, bytes: Uint8Array): Checked<VaultEventCommand> {
  const evidence = decodeObserverEvidence(bytes);
  const { finality } = network;
  if (finality.rule !== 'observers') return refused('RULE_MISMATCH', `network is believed by rule ${finality.rule}`);
  const vault = vaultAt(view, network.id, evidence.log.address);
  if (!vault) return NO_VAULT;
  const registered = { ...network, finality };
  const participants = view.participants();
  const trust = trustRootFrom({ serviceId: view.serviceId, network: registered, vault, participants });
  if (!trust.ok) return refused('TRUST_ROOT_UNUSABLE', trust.detail);
  const proof = verifyObserverEvidence(evidence, trust.root, verifySignature);
  return proof.ok ? command(network, vault.asset, proof) : refused(proof.code, proof.detail);
}

/** @throws ProtocolError for bytes that are no item by consensus */
export function checkSealed(view: SettlementView, network: Network, bytes: Uint8Array): Checked<VaultEventCommand> {
  const evidence = decodeConsensusEvidence(bytes);
  const { finality } = network;
  const chain = view.trackedChain(network.id);
  if (!isConsensus(finality) || chain === undefined) {
    return refused('RULE_MISMATCH', `network is believed by rule ${finality.rule}`);
  }
  const vaults = vaultsOf(view, network.id).map(({ address }) => address);
  const proof = verifyConsensusEvidence(evidence, { network: network.id, vaults, chain, finality });
  if (!proof.ok) return refused(proof.code, proof.detail);
  const vault = vaultAt(view, network.id, proof.vault);
  return vault ? command(network, vault.asset, proof) : NO_VAULT;
}

const NO_VAULT = refused('VAULT_UNKNOWN', 'the log is of no vault of this network');

function command(network: Network, asset: AssetCode, proven: Proven): Checked<VaultEventCommand> {
  const { event, blockNumber, blockHash, digest } = proven;
  return {
    ok: true,
    value: {
      type: 'vaultEvent',
      network: network.id,
      asset,
      event,
      blockNumber,
      blockHash,
      evidenceDigest: digest,
      trustVersion: network.trustVersion,
    },
  };
}

const vaultsOf = (view: SettlementView, network: NetworkId): EvmVault[] =>
  Array.from(view.vaultLedgers(), ({ vault }) => vault).filter(
    (vault): vault is EvmVault => vault.network === network && !isCordaVault(vault),
  );

const vaultAt = (view: SettlementView, network: NetworkId, address: string) =>
  vaultsOf(view, network).find((vault) => vault.address === address);
