/** What actions do to the registry: all of them, or none with everything that is wrong. Pure. */
import { type NetworkId, vaultKey } from '@drawbridge/protocol/ids';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { Action, ActionName, NetworkRegistration } from './action.ts';
import { FIRST_EPOCH, newNetwork } from './genesis.ts';
import type { Checked, Problem } from './problem.ts';
import { type Network, withFinality } from './registration.ts';
import { checkRegistry, type Registry } from './registry.ts';

type Note = (problem: string, expected: string) => void;
type ArgsOf<N extends ActionName> = Extract<Action, { name: N }>['args'];
type Effects = { [N in ActionName]: (registry: Registry, args: ArgsOf<N>, note: Note) => Registry };

const effects: Effects = {
  add_asset: (registry, asset, note) => {
    if (registry.assets.has(asset.code)) note('adds an asset that is registered', 'a new asset code');
    return { ...registry, assets: new Map(registry.assets).set(asset.code, asset) };
  },
  set_participant: (registry, participant) => ({
    ...registry,
    participants: new Map(registry.participants).set(participant.id, participant),
  }),
  remove_participant: (registry, { id }, note) => {
    if (!registry.participants.has(id)) note('removes somebody who is not registered', 'a registered participant');
    const participants = new Map(registry.participants);
    participants.delete(id);
    return { ...registry, participants };
  },
  set_network: (registry, registration, note) => {
    const previous = registry.networks.get(registration.id);
    return withNetwork(registry, previous ? changed(previous, registration, note) : newNetwork(registration));
  },
  set_network_state: (registry, { id, state }, note) => {
    const network = registry.networks.get(id);
    if (network?.state === 'retired' && state !== 'retired') note('revives a retired network', 'a new registration');
    return network ? withNetwork(registry, { ...network, state }) : unknownNetwork(registry, note);
  },
  set_finality: (registry, { id, finality }, note) => {
    const network = registry.networks.get(id);
    if (!network) return unknownNetwork(registry, note);
    const next = withFinality(network, finality);
    if (!next) note(`gives a network of kind ${network.kind} rule ${finality.rule}`, 'a rule of its kind');
    return withNetwork(registry, next ?? network);
  },
  add_vault: (registry, vault, note) => {
    const key = vaultKey(vault.network, vault.asset);
    if (registry.vaults.has(key)) note('adds a second vault for network and asset', 'one vault for each');
    return { ...registry, vaults: new Map(registry.vaults).set(key, { ...vault, epoch: FIRST_EPOCH }) };
  },
  set_exposure_cap: (registry, cap) => ({
    ...registry,
    exposureCaps: new Map(registry.exposureCaps).set(vaultKey(cap.network, cap.asset), cap),
  }),
  reopen_lane: (registry, { network, asset }, note) => {
    if (!registry.vaults.has(vaultKey(network, asset))) note('reopens a lane without vault', 'a registered vault');
    return registry;
  },
  restore_lock: (registry, { network, asset }, note) => {
    if (!registry.vaults.has(vaultKey(network, asset))) note('restores a lock without vault', 'a registered vault');
    return registry;
  },
  add_node: (registry, { nodeId }, note) => {
    if (registry.nodes.has(nodeId)) note('adds a node that is registered', 'a new node id');
    return { ...registry, nodes: new Set<NodeId>(registry.nodes).add(nodeId) };
  },
  remove_node: (registry, { nodeId }, note) => {
    const nodes = new Set(registry.nodes);
    if (!nodes.delete(nodeId)) note('removes a node that is not registered', 'a registered node id');
    else if (nodes.size === 0) note('removes the last node', 'a node that stays');
    return { ...registry, nodes, rekeyDue: registry.rekeyDue + 1 };
  },
  rekey_ledger: (registry) => ({ ...registry, rekeyDue: registry.rekeyDue + 1 }),
  set_protocol_version: (registry, { version }, note) => {
    const next = registry.protocolVersion + 1;
    if (version !== next) note(`switches from version ${registry.protocolVersion} to ${version}`, `version ${next}`);
    return { ...registry, protocolVersion: version };
  },
  close_amendments: (registry) => ({ ...registry, amendmentsClosed: true }),
};

/**
 * Applies `actions` in order; what must hold between the parts is checked once, at the end, so that one amendment can
 * bring a network and all it needs in any order. `reopen_lane` and `restore_lock` change no registration; whoever holds
 * the lanes acts on them. The amendment's number is not touched.
 */
export function applyActions(registry: Registry, actions: readonly Action[]): Checked<Registry> {
  const problems: Problem[] = [];
  let next = registry;
  actions.forEach((action, i) => {
    const note: Note = (problem, expected) => problems.push({ path: `actions[${i}]`, problem, expected });
    next = applyOne(next, action, note);
  });
  problems.push(...checkRegistry(next));
  return problems.length === 0 ? { ok: true, value: raiseTrust(registry, next) } : { ok: false, problems };
}

function applyOne<N extends ActionName>(
  registry: Registry,
  action: { name: N; args: ArgsOf<N> },
  note: Note,
): Registry {
  return effects[action.name](registry, action.args, note);
}

/** Kind, chain and genesis hash tell which ledger it is: another one is another network. */
function changed(previous: Network, registration: NetworkRegistration, note: Note): Network {
  const isSame = chainOf(previous) === chainOf(registration) && previous.genesisHash === registration.genesisHash;
  const next = withFinality(previous, registration.finality);
  if (!isSame || !next) {
    note('changes kind, chain id or genesis hash of a network', 'a network id of its own for another chain');
  }
  return { ...(next ?? previous), connectors: registration.connectors };
}

const chainOf = (network: NetworkRegistration): number | undefined =>
  network.kind === 'evm' ? network.chainId : undefined;

const withNetwork = (registry: Registry, network: Network): Registry => ({
  ...registry,
  networks: new Map(registry.networks).set(network.id, network),
});

function unknownNetwork(registry: Registry, note: Note): Registry {
  note('names a network that is not registered', 'a registered network');
  return registry;
}

/**
 * Raises the trust version of every network whose trust roots differ from before: its rule, its checkpoint, its observers,
 * or a key of one of them. Evidence checked against the former ones is stale.
 */
function raiseTrust(before: Registry, after: Registry): Registry {
  const networks = new Map<NetworkId, Network>();
  for (const [id, network] of after.networks) {
    const previous = before.networks.get(id);
    const moved = previous !== undefined && trustRoots(before, previous) !== trustRoots(after, network);
    networks.set(id, moved ? { ...network, trustVersion: previous.trustVersion + 1 } : network);
  }
  return { ...after, networks };
}

function trustRoots(registry: Registry, { finality }: Network): string {
  if (finality.rule !== 'observers') return JSON.stringify(finality);
  const { rule, observers, threshold, depthBlocks } = finality;
  const keys = observers.map((id) => [id, registry.participants.get(id)?.attestationKey]);
  return JSON.stringify([rule, threshold, depthBlocks, keys]);
}
