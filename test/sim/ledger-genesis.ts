/** The service that every simulated ledger begins with: three banks that have money, and vaults on three networks. */

import { decodeSnapshot, encodeSnapshot } from '@drawbridge/enclave-core/settlement/snapshot';
import type { SettlementState } from '@drawbridge/enclave-core/settlement/state';
import { BANK_A, BANK_B, BANK_C, GENESIS, START_MS, World } from '@drawbridge/enclave-core/settlement/testing/world';
import type { ParticipantId } from '@drawbridge/protocol/ids';
import { IDENTITIES } from './identities.ts';

/** Unix ms at which a world begins. */
export const WORLD_START_MS: number = START_MS;
/** The bank whose account the networks move; the others' balances change by payments alone. */
export const NETWORK_BANK: ParticipantId = BANK_C;
export const BANKS: readonly ParticipantId[] = [BANK_A, BANK_B, BANK_C];
/** What each bank has at the start, in minor units; little, so that payments are rejected for want of funds too. */
export const INITIAL_MINOR = 1_000n;

/** A state of its own each time; making the first takes longer than all others together. */
let encoded: Uint8Array | undefined;

export function firstState(): SettlementState {
  encoded ??= encodeSnapshot(fundedState());
  return decodeSnapshot(encoded);
}

function fundedState(): SettlementState {
  const world = new World({}, { ...GENESIS, nodes: IDENTITIES.map(({ nodeId }) => nodeId) });
  for (const bank of BANKS) world.deposit(bank, INITIAL_MINOR);
  return world.state;
}
