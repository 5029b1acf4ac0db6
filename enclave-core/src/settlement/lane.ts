/** What a vault can still be asked for, and whether it is asked at all. */
import type { NetworkId, VaultKey } from '@drawbridge/protocol/ids';
import type { Overlay } from './overlay.ts';

/**
 * Minor units that may yet be instructed. Escrow: what is locked and neither on its way out nor in suspense, so that no
 * instruction can find the vault short. Issue: what the cap leaves above all that is outstanding or may come to be; 0
 * without a cap. Below zero after a cap was lowered.
 */
export function headroomMinor(overlay: Overlay, key: VaultKey): bigint {
  const { vault, row } = overlay.vault(key);
  if (vault.mode === 'escrow') return -row.vaultMinor - row.transitMinor - row.suspenseMinor;
  return (overlay.capMinor(key) ?? 0n) - row.vaultMinor - row.transitMinor - row.suspenseMinor;
}

/** Minor units that deposits at an escrow vault may yet add to what its network can cost. */
export function depositRoomMinor(overlay: Overlay, key: VaultKey): bigint {
  const { row } = overlay.vault(key);
  return (overlay.capMinor(key) ?? 0n) + row.vaultMinor + row.suspenseMinor;
}

/** New obligations: network active, lane not halted, vault not paused, cap registered. */
export function isOpen(overlay: Overlay, key: VaultKey): boolean {
  const { vault, row } = overlay.vault(key);
  const state = overlay.network(vault.network)?.state;
  return state === 'active' && !row.halted && !row.paused && overlay.capMinor(key) !== undefined;
}

/** Evidence counts while the network's word is worth something, paused or fenced as it may be. */
export function takesEvidence(overlay: Overlay, network: NetworkId): boolean {
  const state = overlay.network(network)?.state;
  return state === 'active' || state === 'paused' || state === 'fenced';
}

/** Refunds go on in a pause; they need only a vault that the core's key still rules. */
export function canRefund(overlay: Overlay, key: VaultKey): boolean {
  const { vault, row } = overlay.vault(key);
  return takesEvidence(overlay, vault.network) && !row.halted;
}
