/** All that governance has registered, as one immutable value, and what must hold between its parts. */
import { type AssetCode, type NetworkId, type ParticipantId, type VaultKey, vaultKey } from '@drawbridge/protocol/ids';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { Problem } from './problem.ts';
import type {
  Asset,
  BootstrapKeys,
  ExposureCap,
  Network,
  ObserversFinality,
  Participant,
  ParticipantRole,
  Vault,
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
  for (const { id, chainId, genesisHash, finality, connectors } of registry.networks.values()) {
    const path = `networks[${id}]`;
    const chain = `${chainId}/${genesisHash}`;
    const twin = chains.get(chain);
    if (twin !== undefined) note(path, `is the same chain as ${twin}`, 'a chain id and genesis hash of its own');
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
  for (const [key, { network, asset, address, authority }] of registry.vaults) {
    const path = `vaults[${key}]`;
    if (!registry.networks.has(network)) note(`${path}.network`, 'is not registered', 'a network in networks');
    if (!registry.assets.has(asset)) note(`${path}.asset`, 'is not registered', 'an asset in assets');
    const place = `${network}/${address}`;
    if (addresses.has(place)) note(`${path}.address`, 'is used by another vault', 'an address of its own');
    addresses.add(place);
    const twin = authorities.get(authority);
    if (twin !== undefined) note(`${path}.authority`, `is the authority of ${twin} too`, 'one key per vault');
    authorities.set(authority, key);
  }
}

function expectRole(registry: Registry, id: ParticipantId, role: ParticipantRole, path: string, note: Note): void {
  const participant = registry.participants.get(id);
  if (participant === undefined) note(path, `name ${id}, who is not registered`, `participants of role ${role}`);
  else if (participant.role !== role)
    note(path, `name ${id} of role ${participant.role}`, `participants of role ${role}`);
}

const hasRepeats = (list: readonly string[]): boolean => new Set(list).size !== list.length;
