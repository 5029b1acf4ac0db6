/** Canonical bytes of the whole state. */
import { InvariantError } from './invariant-error.ts';
import type { SettlementState } from './state.ts';

export function encodeSnapshot(state: SettlementState): Uint8Array {
  throw new InvariantError(`snapshot at ${state.stampMs}`);
}
export function decodeSnapshot(bytes: Uint8Array): SettlementState {
  throw new InvariantError(`snapshot of ${bytes.length} bytes`);
}
