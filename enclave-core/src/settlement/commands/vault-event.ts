/**
 * What a network proved about a vault. Order of checks: network, vault, counter seen before, network's word taken, trust
 * version, block tracked where the network is believed by consensus, counter too high; then what the event says against
 * the ledger. Answers name no transfer: they go to whoever
 * carried the evidence.
 */
import { isCordaVault } from '@drawbridge/governance/registration';
import { type VaultKey, vaultKey } from '@drawbridge/protocol/ids';
import type { VaultEvent } from '@drawbridge/protocol/vault-event';
import { type Contradiction, halt, notice } from '../alarms.ts';
import type { Command, Outcome } from '../command.ts';
import { retryWaiting, wakeWaiting } from '../instructing.ts';
import { takesEvidence } from '../lane.ts';
import type { Overlay } from '../overlay.ts';
import { refuse } from '../terms.ts';
import { refuseBlock } from './headers.ts';
import { applyExecuted, applyVoided } from './instruction-outcome.ts';
import { applyLocked } from './locked.ts';

export function vaultEvent(overlay: Overlay, command: Extract<Command, { type: 'vaultEvent' }>): Outcome {
  const { network: networkId, asset, event, blockNumber } = command;
  const network = overlay.network(networkId);
  if (!network) return refuse('NETWORK_UNKNOWN', 'network is not registered');
  const key = vaultKey(networkId, asset);
  const registered = overlay.registry.vaults.get(key);
  if (!registered) return refuse('VAULT_UNKNOWN', 'the network has no vault of this asset');
  if (isCordaVault(registered)) return refuse('RULE_MISMATCH', 'the vault counts no events');
  const expectedSeq = overlay.vault(key).row.nextEventSeq;
  if (event.seq < expectedSeq) return { ...refuse('EVENT_SEEN', 'the event was applied'), expectedSeq };
  if (!takesEvidence(overlay, networkId)) return refuse('LANE_CLOSED', `network is ${network.state}`);
  if (command.trustVersion !== network.trustVersion) {
    return refuse('TRUST_VERSION_STALE', `trust version is ${network.trustVersion}`);
  }
  const unknown = refuseBlock(overlay, command);
  if (unknown) return unknown;
  if (event.seq > expectedSeq) return { ...refuse('EVENT_EARLY', 'an earlier event comes first'), expectedSeq };
  const contradiction = book(overlay, key, event);
  if (contradiction) {
    halt(overlay, key, contradiction.halt);
    return refuse('LANE_HALTED', 'the event contradicts the ledger');
  }
  const { cursorBlock } = overlay.vault(key).row;
  overlay.changeVault(key, { nextEventSeq: event.seq + 1, cursorBlock: Math.max(cursorBlock, blockNumber) });
  retryWaiting(overlay, key, overlay.base.limits.retriesPerStep);
  return { ok: true };
}

function book(overlay: Overlay, key: VaultKey, event: VaultEvent): Contradiction | undefined {
  switch (event.type) {
    case 'locked':
      return applyLocked(overlay, key, event);
    case 'executed':
      return applyExecuted(overlay, key, event);
    case 'voided':
      return applyVoided(overlay, key, event);
    case 'pauseChanged':
      overlay.changeVault(key, { paused: event.paused });
      if (!event.paused) wakeWaiting(overlay, key);
      return undefined;
    case 'rotated':
      // The core writes no rotation yet, so this is the guardians' or a thief's: what it signs now has no effect.
      halt(overlay, key, 'AUTHORITY_ROTATED');
      return undefined;
    case 'migrated':
      halt(overlay, key, 'VAULT_MIGRATED');
      return undefined;
    case 'guardianProposed':
      notice(overlay, key, 'GUARDIAN_PROPOSED');
      return undefined;
    case 'guardianCancelled':
      return undefined;
  }
}
