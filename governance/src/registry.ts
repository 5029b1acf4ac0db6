/** All that governance has registered, as one immutable value, and what must hold between its parts. */
import { type AssetCode, type NetworkId, type ParticipantId, type VaultKey, vaultKey } from '@drawbridge/protocol/ids';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { Problem } from './problem.ts';
import {
  type Asset,
  addressOf,
  type BootstrapKeys,
  type ExposureCap,
  isCordaVault,
  type Network,
  type ObserversFinality,
  type Participant,
  type ParticipantRole,
  type Vault,
} from './registration.ts';

export type Registry = Readonly<{
  bootstrap: BootstrapKeys;
  assets: ReadonlyMap<AssetCode, Asset>;
  participants: ReadonlyMap<ParticipantId, Participant>;
  networks: ReadonlyMap<NetworkId, Network>;
  vaults: ReadonlyMap<VaultKey, Vault>;
  exposureCaps: ReadonlyMap<VaultKey, ExposureCap>;
  /** Keys that may be nodes of the core. A node whose key is taken away loses its place and the next ledger secret. */
  nodes: ReadonlySet<NodeId>;
  /** Which rules the core applies entries by; a switch of it counts from the next entry on. */
  protocolVersion: number;
  /** How many new ledger secrets were ever asked for; the core makes one when it is behind. */
  rekeyDue: number;
  /** Number of the next amendment, from 1. */
  nextAmendment: number;
  amendmentsClosed: boolean;
}>;

/** Keys that may be nodes at one time. */
export const MAX_NODES = 32;
export const FIRST_PROTOCOL_VERSION = 1;

type Note = (path: string, problem: string, expected: string) => void;

/** Everything that does not fit together. Paths name entries by their id: `networks[anvil-a].finality.threshold`. */
export function checkRegistry(registry: Registry): Problem[] {
  const problems: Problem[] = [];
  const note: Note = (path, problem, expected) => problems.push({ path, problem, expected });
  checkBootstrap(registry, note);
  checkParticipants(registry, note);
  checkNetworks(registry, note);
  checkVaults(registry, note);
  if (registry.nodes.size > MAX_NODES) note('nodes', `are ${registry.nodes.size}`, `at most ${MAX_NODES}`);
  for (const [key, { network, asset }] of registry.exposureCaps) {
    if (!registry.vaults.has(vaultKey(network, asset)))
      note(`exposureCaps[${key}]`, 'has no vault', 'a vault of its own');
  }
  return problems;
}

function checkBootstrap({ bootstrap }: Registry, note: Note): void {
  if (new Set(bootstrap.keys).size !== bootstrap.keys.length) note('bootstrap.keys', 'repeats a key', 'distinct keys');
  if (bootstrap.threshold > bootstrap.keys.length) {
    note('bootstrap.threshold', `is ${bootstrap.threshold}`, `1 to ${bootstrap.keys.length}, the number of keys`);
  }
}

function checkParticipants(registry: Registry, note: Note): void {
  const certificates = new Map<string, ParticipantId>();
  const attestationKeys = new Set<string>(registry.bootstrap.keys);
  for (const { id, certificates: own, attestationKey, supervises } of registry.participants.values()) {
    const path = `participants[${id}]`;
    for (const fingerprint of own) {
      const owner = certificates.get(fingerprint);
      if (owner !== undefined) note(`${path}.certificates`, `share one with ${owner}`, 'a certificate for one alone');
      certificates.set(fingerprint, id);
    }
    if (attestationKey !== undefined) {
      if (attestationKeys.has(attestationKey)) {
        note(`${path}.attestationKey`, 'is used elsewhere', 'a key of the observer alone');
      }
      attestationKeys.add(attestationKey);
    }
    for (const bank of supervises ?? []) expectRole(registry, bank, 'bank', `${path}.supervises`, note);
    if (hasRepeats(supervises ?? [])) note(`${path}.supervises`, 'repeats a bank', 'each bank once');
  }
}

function checkNetworks(registry: Registry, note: Note): void {
  const chains = new Map<string, NetworkId>();
  for (const network of registry.networks.values()) {
    const { id, genesisHash, finality, connectors } = network;
    const path = `networks[${id}]`;
    const chain = `${network.kind === 'corda' ? 'corda' : network.chainId}/${genesisHash}`;
    const twin = chains.get(chain);
    if (twin !== undefined) {
      const own = network.kind === 'corda' ? 'a root certificate of its own' : 'a chain id and genesis hash of its own';
      note(path, `is the same chain as ${twin}`, own);
    }
    chains.set(chain, id);
    if (finality.rule === 'observers') checkObservers(registry, finality, `${path}.finality`, note);
    for (const connector of connectors) expectRole(registry, connector, 'connector', `${path}.connectors`, note);
    if (hasRepeats(connectors)) note(`${path}.connectors`, 'repeat one', 'each connector once');
    const sealingKeys = new Set(connectors.map((connector) => registry.participants.get(connector)?.sealingKey));
    if (sealingKeys.size > 1) note(`${path}.connectors`, 'have different sealing keys', 'one sealing key for all');
  }
}

function checkObservers(registry: Registry, finality: ObserversFinality, path: string, note: Note): void {
  const { observers, threshold } = finality;
  for (const observer of observers) expectRole(registry, observer, 'observer', `${path}.observers`, note);
  if (hasRepeats(observers)) note(`${path}.observers`, 'repeat one', 'each observer once');
  if (threshold < 1 || threshold > observers.length) {
    note(`${path}.threshold`, `is ${threshold}`, `1 to ${observers.length}, the number of observers`);
  }
}

function checkVaults(registry: Registry, note: Note): void {
  const addresses = new Set<string>();
  const authorities = new Map<string, VaultKey>();
  const states = new Set<string>();
  for (const [key, vault] of registry.vaults) {
    const { network, asset, authority } = vault;
    const path = `vaults[${key}]`;
    const registered = registry.networks.get(network);
    if (!registered) note(`${path}.network`, 'is not registered', 'a network in networks');
    else checkKind(registered, vault, path, note);
    if (!registry.assets.has(asset)) note(`${path}.asset`, 'is not registered', 'an asset in assets');
    const place = `${network}/${addressOf(vault)}`;
    const field = isCordaVault(vault) ? 'vaultId' : 'address';
    if (addresses.has(place)) note(`${path}.${field}`, 'is used by another vault', 'an address of its own');
    for (const ref of isCordaVault(vault) ? [vault.state, ...vault.permits] : []) {
      const name = `${network}/${ref}`;
      if (states.has(name)) note(`${path}.permits`, 'name a state of another vault', 'states of its own');
      states.add(name);
    }
    addresses.add(place);
    const twin = authorities.get(authority);
    if (twin !== undefined) note(`${path}.authority`, `is the authority of ${twin} too`, 'one key per vault');
    authorities.set(authority, key);
  }
}

/** A Corda vault stands on a Corda network, and is kept by somebody else than the network's notary. */
function checkKind(network: Network, vault: Vault, path: string, note: Note): void {
  const isCorda = network.kind === 'corda';
  if (isCorda !== isCordaVault(vault)) {
    note(
      path,
      `has not the form of a vault on a network of kind ${network.kind}`,
      `the fields of kind ${network.kind}`,
    );
  } else if (isCorda && isCordaVault(vault) && vault.party === network.finality.notary.key) {
    note(`${path}.party`, "is the notary's key", 'a key of the vault party alone');
  }
}

function expectRole(registry: Registry, id: ParticipantId, role: ParticipantRole, path: string, note: Note): void {
  const participant = registry.participants.get(id);
  if (participant === undefined) note(path, `name ${id}, who is not registered`, `participants of role ${role}`);
  else if (participant.role !== role)
    note(path, `name ${id} of role ${participant.role}`, `participants of role ${role}`);
}

const hasRepeats = (list: readonly string[]): boolean => new Set(list).size !== list.length;
