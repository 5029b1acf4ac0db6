/** All that governance has registered, as one immutable value, and what must hold between its parts. */
import type { AssetCode, NetworkId, ParticipantId, VaultKey } from '@drawbridge/protocol/ids';
import type { Asset, BootstrapKeys, ExposureCap, Network, Participant, Vault } from './registration.ts';

export type Registry = Readonly<{
  bootstrap: BootstrapKeys;
  assets: ReadonlyMap<AssetCode, Asset>;
  participants: ReadonlyMap<ParticipantId, Participant>;
  networks: ReadonlyMap<NetworkId, Network>;
  vaults: ReadonlyMap<VaultKey, Vault>;
  exposureCaps: ReadonlyMap<VaultKey, ExposureCap>;
  /** Number of the next amendment, from 1. */
  nextAmendment: number;
  amendmentsClosed: boolean;
}>;
