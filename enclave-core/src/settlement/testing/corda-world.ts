/** The small service where alpha (escrow) and beta (issue) are Corda networks. Not loaded by the node. */
import type { Genesis } from '@drawbridge/governance/genesis';
import type { CordaNetwork, CordaVault, Network, Vault } from '@drawbridge/governance/registration';
import type { Hex } from '@drawbridge/protocol/bytes32';
import { CORDA_VAULT_CLASSES, type CordaVaultClass } from '@drawbridge/protocol/corda-vault-classes';
import type { EvmAddress } from '@drawbridge/protocol/ids';
import { stateRef } from '@drawbridge/protocol/state-ref';
import { GAMMA, word } from './world.ts';

const partyKey = (name: string): Hex => `0x302a300506032b6570032100${word(name).slice(2)}`;
const guardian = (name: string): EvmAddress => `0x${word(`guardian ${name}`).slice(26)}` as EvmAddress;
const fingerprint = (name: string): string => Buffer.from(word(name).slice(2, 34), 'hex').toString('base64');

const networkOf = ({ id, connectors, state, trustVersion }: Network): CordaNetwork => ({
  id,
  kind: 'corda',
  genesisHash: word(`root of ${id}`),
  finality: {
    rule: 'corda-notary',
    notary: {
      name: { organisation: 'Notary', locality: 'London', country: 'GB' },
      key: partyKey(`notary of ${id}`),
      validating: true,
    },
    fingerprints: Object.fromEntries(CORDA_VAULT_CLASSES.map((name) => [name, fingerprint(name)])) as Record<
      CordaVaultClass,
      string
    >,
  },
  connectors,
  state,
  trustVersion,
});

const vaultOf = ({ network, asset, mode, authority, epoch }: Vault, permits: number): CordaVault => ({
  network,
  asset,
  mode,
  authority,
  vaultId: word(`vault ${network}`),
  party: partyKey(`vault party of ${network}`),
  constraint: { kind: 'hash', attachment: word('contracts.jar') },
  currency: asset,
  ...(mode === 'escrow' && {
    cash: {
      constraint: { kind: 'hash' as const, attachment: word('finance.jar') },
      issuerKey: partyKey('issuer'),
      issuerReference: '0x01' as const,
    },
  }),
  permitCapMinor: 100_000n,
  capWindowSeconds: 7_200,
  guardians: { addresses: ['one', 'two'].map(guardian), threshold: 2, delaySeconds: 3_600 },
  state: stateRef(word(`creation ${network}`), 0),
  permits: Array.from({ length: permits }, (_, i) => stateRef(word(`creation ${network}`), 1 + i)),
  epoch,
});

/** @param permits of each vault: few, so that payments wait for them */
export const onCorda = (genesis: Genesis, permits = 3): Genesis => ({
  ...genesis,
  networks: genesis.networks.map((network) => (network.id === GAMMA ? network : networkOf(network))),
  vaults: genesis.vaults.map((vault) => (vault.network === GAMMA ? vault : vaultOf(vault, permits))),
});
