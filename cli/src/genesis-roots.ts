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
import { fieldsOf } from './input-file.ts';

type Registration = Parameters<typeof trustRootFrom>[0];
type RegisteredNetwork = Registration['network'] & Readonly<{ chainId: number }>;
type GenesisVault = Readonly<{ network: NetworkId; asset: AssetCode; address: EvmAddress }>;

export type GenesisRoots = Readonly<{
  serviceId: Bytes32;
  /** Decimal places by asset. */
  scales: ReadonlyMap<AssetCode, number>;
  networks: ReadonlyMap<NetworkId, RegisteredNetwork>;
  vaults: readonly GenesisVault[];
  participants: readonly (Registration['participants'] extends Iterable<infer P> ? P : never)[];
}>;

/** @throws CliError in words, for anything that is not as a genesis file has it. */
export function readGenesisRoots(value: unknown): GenesisRoots {
  try {
    return read(value);
  } catch (cause) {
    if (isProtocolError(cause)) throw new CliError('FILE', `the genesis file is wrong: ${cause.message}`, { cause });
    throw cause;
  }
}

const wrong = (what: string): never => {
  throw new CliError('FILE', `the genesis file is wrong: ${what}`);
};
const text = (value: unknown, what: string): string =>
  typeof value === 'string' ? value : wrong(`${what} must be text`);
const count = (value: unknown, what: string): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? value
    : wrong(`${what} must be a whole number`);
const list = (value: unknown, what: string): readonly unknown[] =>
  Array.isArray(value) ? value : wrong(`${what} must be a list`);
const objects = (value: unknown, what: string): ReadonlyMap<string, unknown>[] =>
  list(value, what).map((item, i) => fieldsOf(item, `${what}[${i}]`));

function read(value: unknown): GenesisRoots {
  const genesis = fieldsOf(value, 'the genesis file');
  if (genesis.get('version') !== 1) wrong('its version is unknown');
  return {
    serviceId: parseBytes32(text(genesis.get('serviceId'), 'serviceId'), 'serviceId'),
    scales: new Map(
      objects(genesis.get('assets'), 'assets').map((asset) => [
        parseAssetCode(text(asset.get('code'), 'asset code')),
        count(asset.get('scale'), 'scale'),
      ]),
    ),
    networks: new Map(objects(genesis.get('networks'), 'networks').map(readNetwork)),
    vaults: objects(genesis.get('vaults'), 'vaults').map((vault) => ({
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

function readNetwork(network: ReadonlyMap<string, unknown>) {
  const id = parseNetworkId(text(network.get('id'), 'network id'));
  const finality = fieldsOf(network.get('finality'), `finality of ${id}`);
  const rule = text(finality.get('rule'), `rule of ${id}`);
  if (rule !== 'observers') wrong(`network ${id} has the unknown rule ${rule}`);
  const observers = list(finality.get('observers'), `observers of ${id}`);
  return [
    id,
    {
      id,
      chainId: count(network.get('chainId'), `chainId of ${id}`),
      genesisHash: parseBytes32(text(network.get('genesisHash'), 'genesisHash'), 'genesisHash'),
      finality: {
        rule,
        observers: observers.map((observer) => parseParticipantId(text(observer, 'observer'))),
        threshold: count(finality.get('threshold'), `threshold of ${id}`),
        depthBlocks: count(finality.get('depthBlocks'), `depthBlocks of ${id}`),
      },
    },
  ] as const;
}

/** The root for evidence of `address`; without a vault there, of another vault, which then refuses it by its address. */
export function rootFor(
  genesis: GenesisRoots,
  network: RegisteredNetwork,
  address: EvmAddress,
): Readonly<{ ok: true; root: ObserverTrustRoot; asset?: AssetCode }> | Readonly<{ ok: false; detail: string }> {
  const vaults = genesis.vaults.filter((vault) => vault.network === network.id);
  const own = vaults.find((vault) => vault.address === address);
  const vault = own ?? vaults[0];
  if (vault === undefined) return { ok: false, detail: `genesis registers no vault on ${network.id}` };
  const { serviceId, participants } = genesis;
  const result = trustRootFrom({ serviceId, network, vault, participants });
  return result.ok ? { ...result, ...(own && { asset: own.asset }) } : result;
}
