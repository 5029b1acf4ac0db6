/** Keys of the tables of the state. Participants, assets, networks and ids hold no slash, so each key is read one way. */

import type { AssetCode, LockId, ParticipantId, TransferId, VaultKey } from '@drawbridge/protocol/ids';
import type { StateRef } from '@drawbridge/protocol/state-ref';

export type AccountKey = `${string}/${string}` & { readonly brand: 'AccountKey' };
export type TransferKey = `${string}/${string}` & { readonly brand: 'TransferKey' };
export type LockKey = `${string}/${string}/${string}` & { readonly brand: 'LockKey' };
/** A coin of a Corda vault. */
export type CoinKey = `${string}/${string}/${string}` & { readonly brand: 'CoinKey' };
/** The n-th ended transfer of a bank whose reference is still known. */
export type PastKey = `${string}/${number}` & { readonly brand: 'PastKey' };

export const accountKey = (participant: ParticipantId, asset: AssetCode): AccountKey =>
  `${participant}/${asset}` as AccountKey;
export const transferKey = (bank: ParticipantId, id: TransferId): TransferKey => `${bank}/${id}` as TransferKey;
export const lockKey = (vault: VaultKey, lockId: LockId): LockKey => `${vault}/${lockId}` as LockKey;
export const coinKey = (vault: VaultKey, ref: StateRef): CoinKey => `${vault}/${ref}` as CoinKey;
export const pastKey = (bank: ParticipantId, n: number): PastKey => `${bank}/${n}` as PastKey;

/** Account keys, made once each: joining and hashing text is what a payment would else spend most of its time on. */
export class AccountKeys {
  readonly #keys: Map<ParticipantId, Map<AssetCode, AccountKey>> = new Map();

  /** Only for registered participants and assets, which bounds what is kept. */
  of(participant: ParticipantId, asset: AssetCode): AccountKey {
    const found = this.#keys.get(participant)?.get(asset);
    if (found !== undefined) return found;
    const key = accountKey(participant, asset);
    const ofParticipant = this.#keys.get(participant) ?? new Map<AssetCode, AccountKey>();
    this.#keys.set(participant, ofParticipant.set(asset, key));
    return key;
  }
}
