/**
 * The genesis file: everything registered before the first transaction, and who may amend it. JSON; unknown fields are
 * refused. Networks start `active` at trust version 1, vaults at epoch 1, where the contract starts too.
 */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { ZERO_BYTES32 } from '@drawbridge/protocol/bytes32';
import { vaultKey } from '@drawbridge/protocol/ids';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { NetworkRegistration } from './action.ts';
import type { Checked } from './problem.ts';
import { readBytes32, readNodeId } from './read-primitives.ts';
import {
  readAsset,
  readBootstrap,
  readExposureCap,
  readNetwork,
  readParticipant,
  readVault,
} from './read-registration.ts';
import { type Reading, readJson } from './reading.ts';
import type { Asset, BootstrapKeys, ExposureCap, Network, Participant, Vault } from './registration.ts';
import { checkRegistry, FIRST_PROTOCOL_VERSION, MAX_NODES, type Registry } from './registry.ts';

export type Genesis = Readonly<{
  version: 1;
  serviceId: Bytes32;
  bootstrap: BootstrapKeys;
  assets: readonly Asset[];
  participants: readonly Participant[];
  networks: readonly Network[];
  vaults: readonly Vault[];
  exposureCaps: readonly ExposureCap[];
  /** Keys that may join as nodes, besides that of the node that begins. Absent where the file has none. */
  nodes?: readonly NodeId[];
}>;

/** Epoch of a vault's first authority, as `initialize` of the contract sets it. */
export const FIRST_EPOCH = 1;
export const FIRST_TRUST_VERSION = 1;

/** Parses and checks a genesis file. @returns it, or everything that is wrong with it. */
export function parseGenesis(text: string): Checked<Genesis> {
  const read = readJson(text, readGenesis);
  if (!read.ok) return read;
  const problems = checkRegistry(genesisRegistry(read.value));
  return problems.length === 0 ? read : { ok: false, problems };
}

const FIELDS = [
  'version',
  'serviceId',
  'bootstrap',
  'assets',
  'participants',
  'networks',
  'vaults',
  'exposureCaps',
] as const;

function readGenesis(r: Reading): Genesis {
  r.object(FIELDS, ['nodes']);
  const genesis: Genesis = {
    version: r.field('version', readVersion, 1),
    serviceId: r.field('serviceId', readBytes32, ZERO_BYTES32),
    bootstrap: r.field('bootstrap', readBootstrap, { keys: [], threshold: 1 }),
    assets: r.field('assets', (list) => list.list(readAsset), []),
    participants: r.field('participants', (list) => list.list(readParticipant), []),
    networks: r.field('networks', (list) => list.list(readNetwork), []).map((network) => newNetwork(network)),
    vaults: r.field('vaults', (list) => list.list(readVault), []).map((vault) => ({ ...vault, epoch: FIRST_EPOCH })),
    exposureCaps: r.field('exposureCaps', (list) => list.list(readExposureCap), []),
    ...(r.has('nodes') && { nodes: r.at('nodes').list(readNodeId, { min: 0, max: MAX_NODES - 1 }) }),
  };
  noRepeats(r.at('assets'), genesis.assets, (asset) => asset.code, 'code');
  noRepeats(r.at('participants'), genesis.participants, (participant) => participant.id, 'id');
  noRepeats(r.at('networks'), genesis.networks, (network) => network.id, 'id');
  noRepeats(r.at('vaults'), genesis.vaults, (vault) => vaultKey(vault.network, vault.asset), 'network and asset');
  noRepeats(r.at('exposureCaps'), genesis.exposureCaps, (c) => vaultKey(c.network, c.asset), 'network and asset');
  noRepeats(r.at('nodes'), genesis.nodes ?? [], (nodeId) => nodeId, 'keys');
  return genesis;
}

export const newNetwork = (registration: NetworkRegistration): Network => ({
  ...registration,
  state: 'active',
  trustVersion: FIRST_TRUST_VERSION,
});

export function readVersion(r: Reading): 1 {
  if (r.value !== 1) r.fail('is unknown', '1');
  return 1;
}

function noRepeats<T>(r: Reading, items: readonly T[], keyOf: (item: T) => string, what: string): void {
  const seen = new Set<string>();
  for (const item of items) {
    const key = keyOf(item);
    if (seen.has(key) && key !== '' && key !== '/') r.fail(`repeats ${key}`, `entries of distinct ${what}`);
    seen.add(key);
  }
}

/**
 * The registry that a service starts with.
 * @param firstNode that of the genesis record: the node that begins needs no place in the file, and may have one
 */
export function genesisRegistry(genesis: Genesis, firstNode?: NodeId): Registry {
  return {
    bootstrap: genesis.bootstrap,
    assets: new Map(genesis.assets.map((asset) => [asset.code, asset])),
    participants: new Map(genesis.participants.map((participant) => [participant.id, participant])),
    networks: new Map(genesis.networks.map((network) => [network.id, network])),
    vaults: new Map(genesis.vaults.map((vault) => [vaultKey(vault.network, vault.asset), vault])),
    exposureCaps: new Map(genesis.exposureCaps.map((cap) => [vaultKey(cap.network, cap.asset), cap])),
    nodes: new Set<NodeId>([...(firstNode === undefined ? [] : [firstNode]), ...(genesis.nodes ?? [])]),
    protocolVersion: FIRST_PROTOCOL_VERSION,
    rekeyDue: 0,
    nextAmendment: 1,
    amendmentsClosed: false,
  };
}
