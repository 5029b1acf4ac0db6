/** The genesis file: everything registered before the first transaction, and who may amend it. */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { Asset, BootstrapKeys, ExposureCap, Network, Participant, Vault } from './registration.ts';

export type Genesis = Readonly<{
  version: 1;
  serviceId: Bytes32;
  bootstrap: BootstrapKeys;
  assets: readonly Asset[];
  participants: readonly Participant[];
  networks: readonly Network[];
  vaults: readonly Vault[];
  exposureCaps: readonly ExposureCap[];
}>;
