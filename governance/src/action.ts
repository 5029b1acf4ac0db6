/**
 * Actions: what can be decided about the registry. Amendment files carry them now and proposals will carry the same
 * ones, so a change of rules is a new action, never a new meaning of an old one. The set is closed.
 */
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import type { AssetCode, LockId, NetworkId, ParticipantId } from '@drawbridge/protocol/ids';
import type { NodeId } from '@drawbridge/protocol/ledger/node-id';
import type { Asset, ExposureCap, Finality, Network, NetworkState, Participant, Vault } from './registration.ts';

/** A network as it is registered; state and trust version are the core's own. */
export type NetworkRegistration = Without<Network, 'state' | 'trustVersion'>;
/** A vault as it is registered; its epoch starts at 1, as in the contract. */
export type VaultRegistration = Without<Vault, 'epoch'>;
/** Of each member of a union by itself. */
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export type Action =
  | Readonly<{ name: 'add_asset'; args: Asset }>
  /** Adds or replaces. A new attestation key of an observer raises the trust version of the networks that name it. */
  | Readonly<{ name: 'set_participant'; args: Participant }>
  /** Refused while it has value, live transfers or a place in another registration. */
  | Readonly<{ name: 'remove_participant'; args: Readonly<{ id: ParticipantId }> }>
  /** Adds, or changes connectors and finality; kind, chain and genesis hash of a known network never change. */
  | Readonly<{ name: 'set_network'; args: NetworkRegistration }>
  | Readonly<{ name: 'set_network_state'; args: Readonly<{ id: NetworkId; state: NetworkState }> }>
  | Readonly<{ name: 'set_finality'; args: Readonly<{ id: NetworkId; finality: Finality }> }>
  | Readonly<{ name: 'add_vault'; args: VaultRegistration }>
  /** Adds or replaces; 0 closes the lane. */
  | Readonly<{ name: 'set_exposure_cap'; args: ExposureCap }>
  /** Lifts the halt of one lane after its cause is gone. An event that contradicts the ledger halts it again. */
  | Readonly<{ name: 'reopen_lane'; args: Readonly<{ network: NetworkId; asset: AssetCode }> }>
  /**
   * Gives an unmatched lock its particulars back that was booked by amount alone, when a vault had too many of them.
   * Whoever signs has read them from the vault; the refund is limited to the depositor that the contract knows.
   */
  | Readonly<{
      name: 'restore_lock';
      args: Readonly<{
        network: NetworkId;
        asset: AssetCode;
        lockId: LockId;
        depositor: Bytes32;
        amountMinor: bigint;
      }>;
    }>
  /** Lets a key be a node of the core. It becomes one by joining. */
  | Readonly<{ name: 'add_node'; args: Readonly<{ nodeId: NodeId }> }>
  /** Takes a key's place away, and makes a new ledger secret that it does not get. The last one stays. */
  | Readonly<{ name: 'remove_node'; args: Readonly<{ nodeId: NodeId }> }>
  /** A new ledger secret for what comes after. */
  | Readonly<{ name: 'rekey_ledger'; args: Readonly<Record<string, never>> }>
  /** The switch to the next rules, from the next entry on. Every node must have them. */
  | Readonly<{ name: 'set_protocol_version'; args: Readonly<{ version: number }> }>
  /** The last amendment: from here on there is voting. */
  | Readonly<{ name: 'close_amendments'; args: Readonly<Record<string, never>> }>;

export type ActionName = Action['name'];
