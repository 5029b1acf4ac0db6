/**
 * What a genesis file says about evidence: trust roots, assets and their scales. Only the parts that evidence needs are
 * read, and those strictly; the core checks the whole file. Amendments made later are not in it.
 */
import { type ObserverTrustRoot, trustRootFrom } from '@drawbridge/evidence/trust-root';
import { type Bytes32, parseBytes32, parseHex } from '@drawbridge/protocol/bytes32';
import {
  type AssetCode,
  type EvmAddress,
  type NetworkId,
  parseAssetCode,
  parseEvmAddress,
  parseNetworkId,
  parseParticipantId,
} from '@drawbridge/protocol/ids';
import { isProtocolError } from '@drawbridge/protocol/protocol-error';
import { CliError } from './cli-error.ts';
import { type CordaRoots, isCordaNetwork, isCordaVault, readCordaRoots } from './genesis-corda.ts';
import { count, type Fields, object, objects, text, wrong } from './genesis-fields.ts';
import { type GenesisFinality, readFinality } from './genesis-finality.ts';

type Registration = Parameters<typeof trustRootFrom>[0];
export type RegisteredNetwork = Omit<Registration['network'], 'finality'> &
  Readonly<{ chainId: number; finality: GenesisFinality }>;
type GenesisVault = Readonly<{ network: NetworkId; asset: AssetCode; address: EvmAddress }>;

export type GenesisRoots = Readonly<{
  serviceId: Bytes32;
  /** Decimal places by asset. */
  scales: ReadonlyMap<AssetCode, number>;
  networks: ReadonlyMap<NetworkId, RegisteredNetwork>;
  vaults: readonly GenesisVault[];
  /** Networks of Corda, with their vaults: read when they are asked for. @throws CliError */
  corda: () => ReadonlyMap<NetworkId, CordaRoots>;
  participants: readonly (Registration['participants'] extends Iterable<infer P> ? P : never)[];
}>;

/** @throws CliError in words, for anything that is not as a genesis file has it. */
export const readGenesisRoots = (value: unknown): GenesisRoots => inWords(() => read(value));

function inWords<T>(reading: () => T): T {
  try {
    return reading();
  } catch (cause) {
    if (isProtocolError(cause)) throw new CliError('FILE', `the genesis file is wrong: ${cause.message}`, { cause });
    throw cause;
  }
}

function read(value: unknown): GenesisRoots {
  const genesis = object(value, 'the genesis file');
  if (genesis.get('version') !== 1) wrong('its version is unknown');
  const networks = objects(genesis.get('networks'), 'networks');
  const vaults = objects(genesis.get('vaults'), 'vaults');
  return {
    serviceId: parseBytes32(text(genesis.get('serviceId'), 'serviceId'), 'serviceId'),
    scales: new Map(
      objects(genesis.get('assets'), 'assets').map((asset) => [
        parseAssetCode(text(asset.get('code'), 'asset code')),
        count(asset.get('scale'), 'scale'),
      ]),
    ),
    networks: new Map(networks.filter((network) => !isCordaNetwork(network)).map(readNetwork)),
    corda: () => inWords(() => readCordaRoots(networks, vaults)),
    vaults: vaults
      .filter((vault) => !isCordaVault(vault))
      .map((vault) => ({
        network: parseNetworkId(text(vault.get('network'), 'network of a vault')),
        asset: parseAssetCode(text(vault.get('asset'), 'asset of a vault')),
        address: parseEvmAddress(text(vault.get('address'), 'address of a vault')),
      })),
    participants: objects(genesis.get('participants'), 'participants').map((participant) => {
      const key = participant.get('attestationKey');
      return {
        id: parseParticipantId(text(participant.get('id'), 'participant id')),
        role: text(participant.get('role'), 'role'),
        ...(key !== undefined && { attestationKey: parseHex(text(key, 'attestationKey'), 'attestationKey') }),
      };
    }),
  };
}

function readNetwork(network: Fields): readonly [NetworkId, RegisteredNetwork] {
  const id = parseNetworkId(text(network.get('id'), 'network id'));
  return [
    id,
    {
      id,
      chainId: count(network.get('chainId'), `chainId of ${id}`),
      genesisHash: parseBytes32(text(network.get('genesisHash'), 'genesisHash'), 'genesisHash'),
      finality: readFinality(object(network.get('finality'), `finality of ${id}`), id),
    },
  ];
}

export const vaultsOf = (genesis: GenesisRoots, network: NetworkId): readonly GenesisVault[] =>
  genesis.vaults.filter((vault) => vault.network === network);

/** The root for evidence of `address`; without a vault there, of another vault, which then refuses it by its address. */
export function rootFor(
  genesis: GenesisRoots,
  { finality, ...network }: RegisteredNetwork,
  address: EvmAddress,
): Readonly<{ ok: true; root: ObserverTrustRoot; asset?: AssetCode }> | Readonly<{ ok: false; detail: string }> {
  if (finality.rule !== 'observers') {
    return { ok: false, detail: `network ${network.id} is believed by its seals (${finality.rule}), not by observers` };
  }
  const vaults = vaultsOf(genesis, network.id);
  const own = vaults.find((vault) => vault.address === address);
  const vault = own ?? vaults[0];
  if (vault === undefined) return { ok: false, detail: noVault(network.id) };
  const { serviceId, participants } = genesis;
  const result = trustRootFrom({ serviceId, network: { ...network, finality }, vault, participants });
  return result.ok ? { ...result, ...(own && { asset: own.asset }) } : result;
}

export const noVault = (network: NetworkId): string => `genesis registers no vault on ${network}`;
