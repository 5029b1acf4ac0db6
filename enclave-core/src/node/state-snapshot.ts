/** Content of a stored snapshot: which genesis the ledger began with and the whole state, sealed and bound to its index. */
import { type Bytes32, fromHex, toBytes32 } from '@drawbridge/protocol/bytes32';
import type { KeyRing } from '../keys/key-ring.ts';
import { decodeSnapshot, encodeSnapshot } from '../settlement/snapshot.ts';
import type { SettlementState } from '../settlement/state.ts';

const DIGEST_BYTES = 32;

/** `index`: log index of the last entry that the state holds. */
export type StateSnapshot = Readonly<{ genesisDigest: Bytes32; index: number; state: SettlementState }>;

const placeOf = (index: number): Uint8Array => Buffer.from(`state/${index}`);

/** The state in bytes, before anything else changes it. O(size of the state). */
export const captureState = (genesisDigest: Bytes32, state: SettlementState): Uint8Array =>
  Buffer.concat([fromHex(genesisDigest), encodeSnapshot(state)]);

export const sealState = (keys: KeyRing, index: number, captured: Uint8Array): Uint8Array =>
  keys.seal('snapshot', captured, placeOf(index));

/** @throws SealBrokenError for bytes that were not sealed as the snapshot of this index */
export function openState(keys: KeyRing, index: number, content: Uint8Array): StateSnapshot {
  const captured = keys.open('snapshot', content, placeOf(index));
  return {
    genesisDigest: toBytes32(captured.subarray(0, DIGEST_BYTES)),
    index,
    state: decodeSnapshot(captured.subarray(DIGEST_BYTES)),
  };
}
