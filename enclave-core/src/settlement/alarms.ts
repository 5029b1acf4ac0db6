/** Halting a lane and telling operators why. */
import type { VaultKey } from '@drawbridge/protocol/ids';
import type { Overlay } from './overlay.ts';
import type { AlarmCode } from './record.ts';

/** Why an event cannot be booked: the lane halts, nothing else changes. */
export type Contradiction = Readonly<{ halt: AlarmCode }>;

/** Once for each halt: evidence that comes again raises no second alarm. */
export function halt(overlay: Overlay, key: VaultKey, code: AlarmCode): void {
  const { vault, row } = overlay.vault(key);
  if (row.halted) return;
  overlay.changeVault(key, { halted: true });
  overlay.journal.alarms.push({ type: 'LANE_HALTED', network: vault.network, asset: vault.asset, code });
}

export function notice(overlay: Overlay, key: VaultKey, code: AlarmCode): void {
  const { network, asset } = overlay.vault(key).vault;
  overlay.journal.alarms.push({ type: 'LANE_NOTICE', network, asset, code });
}
