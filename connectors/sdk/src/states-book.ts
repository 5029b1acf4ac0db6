/** The core's book of a vault on a ledger of states (docs/adr/0018), as a follower reads it. */
import type { BookedState } from '@drawbridge/protocol/api/relay';
import type { AssetCode, NetworkId, VaultAddress } from '@drawbridge/protocol/ids';
import type { StateRef } from '@drawbridge/protocol/state-ref';

/** What the core believes to be unspent. */
export type StatesBook = Readonly<{
  vault: VaultAddress;
  /** Whether it has seen how the vault was made; before, it takes nothing else of it. */
  proven: boolean;
  vaultState: StateRef;
  permits: readonly StateRef[];
  states: readonly BookedState[];
}>;

/** The core as a follower of states sees it. Throws when the core cannot be asked. */
export interface BookSource {
  book(network: NetworkId, asset: AssetCode): Promise<StatesBook>;
  /** The RSA key that evidence is sealed to: SPKI, PEM. */
  sealingKey(): Promise<string>;
}
