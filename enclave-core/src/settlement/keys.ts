/** Keys of the tables of the state. Participants, assets, networks and ids hold no slash, so each key is read one way. */
import type { AssetCode, LockId, ParticipantId, TransferId, VaultKey } from '@drawbridge/protocol/ids';

export type AccountKey = `${string}/${string}` & { readonly brand: 'AccountKey' };
export type TransferKey = `${string}/${string}` & { readonly brand: 'TransferKey' };
export type LockKey = `${string}/${string}/${string}` & { readonly brand: 'LockKey' };
/** The n-th ended transfer of a bank whose reference is still known. */
export type PastKey = `${string}/${number}` & { readonly brand: 'PastKey' };

export const accountKey = (participant: ParticipantId, asset: AssetCode): AccountKey =>
  `${participant}/${asset}` as AccountKey;
export const transferKey = (bank: ParticipantId, id: TransferId): TransferKey => `${bank}/${id}` as TransferKey;
export const lockKey = (vault: VaultKey, lockId: LockId): LockKey => `${vault}/${lockId}` as LockKey;
export const pastKey = (bank: ParticipantId, n: number): PastKey => `${bank}/${n}` as PastKey;
