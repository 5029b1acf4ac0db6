/**
 * The registry in snapshots: the entries of genesis and actions in their JSON form, read back by the same readers that
 * read genesis, and what the core adds to them. Order is that of registration.
 */
import { toJson } from '@drawbridge/governance/json-value';
import { readNodeId } from '@drawbridge/governance/read-primitives';
import {
  readAsset,
  readBootstrap,
  readExposureCap,
  readNetwork,
  readParticipant,
  readVault,
} from '@drawbridge/governance/read-registration';
import { type Reading, readChecked } from '@drawbridge/governance/reading';
import type { NetworkState } from '@drawbridge/governance/registration';
import { MAX_NODES, type Registry } from '@drawbridge/governance/registry';
import { vaultKey } from '@drawbridge/protocol/ids';
import { readChoice, readFlag, readList, readTuple, readWhole, TupleError } from './tuples.ts';

const MAX_ENTRIES = 1_000_000;
const STATES: readonly NetworkState[] = ['active', 'paused', 'halted', 'fenced', 'retired'];

export function registryTuple(registry: Registry): readonly unknown[] {
  return [
    toJson(registry.bootstrap),
    [...registry.assets.values()].map((entry) => toJson(entry)),
    [...registry.participants.values()].map((entry) => toJson(entry)),
    [...registry.networks.values()].map(({ state, trustVersion, ...rest }) => [toJson(rest), state, trustVersion]),
    [...registry.vaults.values()].map(({ epoch, ...rest }) => [toJson(rest), epoch]),
    [...registry.exposureCaps.values()].map((entry) => toJson(entry)),
    [...registry.nodes],
    registry.protocolVersion,
    registry.rekeyDue,
    registry.nextAmendment,
    registry.amendmentsClosed,
  ];
}

export function readRegistry(value: unknown): Registry {
  const [bootstrap, assets, participants, networks, vaults, caps, nodes, protocolVersion, rekeyDue, ...rest] =
    readTuple(value, 11);
  const [nextAmendment, closed] = rest;
  const entries = readList(assets, MAX_ENTRIES).map((entry) => readEntry(entry, readAsset));
  const parties = readList(participants, MAX_ENTRIES).map((entry) => readEntry(entry, readParticipant));
  const chains = readList(networks, MAX_ENTRIES).map((entry) => {
    const [registration, state, trustVersion] = readTuple(entry, 3);
    const network = readEntry(registration, readNetwork);
    return { ...network, state: readChoice(state, STATES), trustVersion: readWhole(trustVersion) };
  });
  const boxes = readList(vaults, MAX_ENTRIES).map((entry) => {
    const [registration, epoch] = readTuple(entry, 2);
    return { ...readEntry(registration, readVault), epoch: readWhole(epoch) };
  });
  const bounds = readList(caps, MAX_ENTRIES).map((entry) => readEntry(entry, readExposureCap));
  return {
    bootstrap: readEntry(bootstrap, readBootstrap),
    assets: new Map(entries.map((asset) => [asset.code, asset])),
    participants: new Map(parties.map((participant) => [participant.id, participant])),
    networks: new Map(chains.map((network) => [network.id, network])),
    vaults: new Map(boxes.map((vault) => [vaultKey(vault.network, vault.asset), vault])),
    exposureCaps: new Map(bounds.map((cap) => [vaultKey(cap.network, cap.asset), cap])),
    nodes: new Set(readList(nodes, MAX_NODES).map((entry) => readEntry(entry, readNodeId))),
    protocolVersion: readWhole(protocolVersion),
    rekeyDue: readWhole(rekeyDue),
    nextAmendment: readWhole(nextAmendment),
    amendmentsClosed: readFlag(closed),
  };
}

function readEntry<T>(value: unknown, read: (reading: Reading) => T): T {
  const checked = readChecked(value, read);
  if (!checked.ok) throw new TupleError('a registration has another form');
  return checked.value;
}
