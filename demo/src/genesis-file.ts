/** Writes the genesis file of a local system: everybody and everything that is registered before the first transaction. */

import type { TlsIdentity } from '@drawbridge/devnets/tls-identity';
import type { Hex } from '@drawbridge/protocol/bytes32';
import {
  type AssetSpec,
  AUDITOR,
  BANKS,
  BOREAL_AUDITOR,
  CORDA_NETWORK,
  DEPTH_BLOCKS,
  EXPOSURE_CAP_MINOR,
  HUB,
  OBSERVER_THRESHOLD,
  OPERATOR,
} from './cast.ts';
import type { Chain } from './chain.ts';
import type { CordaSide } from './corda-side.ts';

export type GenesisInput = Readonly<{
  serviceId: string;
  bootstrapKeys: readonly Hex[];
  assets: readonly AssetSpec[];
  chains: readonly Chain[];
  corda: CordaSide | undefined;
  identity: (name: string) => TlsIdentity;
  observers: readonly Readonly<{ id: string; publicKey: Hex }>[];
  /** Public sealing key (PEM) of each network's connectors. */
  sealingKeys: Readonly<Record<string, string>>;
  /** Authority address by `<network>/<asset>`. */
  authorities: Readonly<Record<string, string>>;
  /** Nodes that may join the first one of the core, by id. */
  nodes: readonly string[];
}>;

export const connectorId = (network: string): string => `connector-${network}`;

/** The file's content, to be written as JSON. */
export function genesisFile(input: GenesisInput): object {
  const certificates = (name: string) => [input.identity(name).fingerprint];
  const { chains, corda } = input;
  const networks = [...chains, ...(corda ? [corda] : [])];
  const authorityOf = (network: string, asset: string) => input.authorities[`${network}/${asset}`];
  return {
    version: 1,
    serviceId: input.serviceId,
    bootstrap: { keys: input.bootstrapKeys, threshold: 2 },
    ...(input.nodes.length > 0 && { nodes: input.nodes }),
    assets: input.assets.map(({ code, scale }) => ({ code, scale })),
    participants: [
      ...BANKS.map((bank) => ({
        id: bank.lei,
        role: 'bank',
        name: bank.name,
        lei: bank.lei,
        bic: bank.bic,
        certificates: certificates(bank.short),
      })),
      {
        id: AUDITOR,
        role: 'auditor',
        name: 'Supervisory authority',
        certificates: certificates(AUDITOR),
        supervises: BANKS.map((bank) => bank.lei),
      },
      {
        id: BOREAL_AUDITOR,
        role: 'auditor',
        name: "Boreal Bank's own supervisor",
        certificates: certificates(BOREAL_AUDITOR),
        supervises: BANKS.filter((bank) => bank.short === 'boreal').map((bank) => bank.lei),
      },
      { id: OPERATOR, role: 'operator', name: 'Operations', certificates: certificates(OPERATOR) },
      { id: HUB, role: 'relay', name: 'Hub', certificates: certificates(HUB) },
      ...networks.map(({ network }) => ({
        id: connectorId(network),
        role: 'connector',
        name: `Connector of ${network}`,
        certificates: certificates(connectorId(network)),
        sealingKey: input.sealingKeys[network],
      })),
      ...input.observers.map(({ id, publicKey }) => ({
        id,
        role: 'observer',
        name: `Witness ${id}`,
        certificates: [],
        attestationKey: publicKey,
      })),
    ],
    networks: [
      ...chains.map((chain) => ({
        id: chain.network,
        kind: 'evm',
        chainId: chain.chainId,
        genesisHash: chain.genesisHash,
        finality: chain.consensus?.finality ?? {
          rule: 'observers',
          observers: input.observers.map(({ id }) => id),
          threshold: OBSERVER_THRESHOLD,
          depthBlocks: DEPTH_BLOCKS,
        },
        connectors: [connectorId(chain.network)],
      })),
      ...(corda
        ? [{ id: CORDA_NETWORK, ...corda.registration.network, connectors: [connectorId(CORDA_NETWORK)] }]
        : []),
    ],
    vaults: [
      ...chains.flatMap((chain) =>
        chain.vaults.map((vault) => ({
          network: chain.network,
          asset: vault.asset,
          mode: vault.mode,
          address: vault.address.toLowerCase(),
          authority: authorityOf(chain.network, vault.asset),
          fromBlock: vault.fromBlock,
        })),
      ),
      ...(corda?.registration.vaults ?? []).map((vault) => ({
        network: CORDA_NETWORK,
        authority: authorityOf(CORDA_NETWORK, vault.asset),
        ...vault,
      })),
    ],
    exposureCaps: networks.flatMap(({ network, vaults }) =>
      vaults.map(({ asset }) => ({ network, asset, amountMinor: EXPOSURE_CAP_MINOR.toString() })),
    ),
  };
}
