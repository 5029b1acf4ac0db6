/**
 * Content of a stored snapshot: which genesis the ledger began with and the whole state, sealed in pieces, each bound to
 * the snapshot's index, its place and their number. Made in slices, so that a large state does not hold up the node.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Bytes32, fromHex, toBytes32 } from '@drawbridge/protocol/bytes32';
import { type KeyRing, SEAL_OVERHEAD_BYTES, SealBrokenError } from '../keys/key-ring.ts';
import { decodeSnapshot, snapshotSlices } from '../settlement/snapshot.ts';
import type { SettlementState } from '../settlement/state.ts';

const DIGEST_BYTES = 32;
/** Plaintext of a piece; about a millisecond of encryption. */
const PIECE_BYTES: number = 2 ** 20;
const SEALED_PIECE_BYTES: number = PIECE_BYTES + SEAL_OVERHEAD_BYTES;
/** Time that slices may take before other work gets its turn, in ms. */
const TURN_MS = 2;

/** `index`: log index of the last entry that the state holds. */
export type StateSnapshot = Readonly<{ genesisDigest: Bytes32; index: number; state: SettlementState }>;

const placeOf = (index: number, piece: number, pieces: number): Uint8Array =>
  Buffer.from(`state/${index}/${piece}/${pieces}`);

/**
 * The state is captured before the first pause.
 * @param beforeSealing runs between capture and encryption
 * @throws InvariantError when the state contradicts itself
 */
export async function sealSnapshot(
  keys: KeyRing,
  { genesisDigest, index, state }: StateSnapshot,
  beforeSealing: () => Promise<void> = async () => undefined,
): Promise<Uint8Array> {
  const slices = snapshotSlices(state);
  let slice = slices.next();
  await beforeSealing();
  while (!slice.done) {
    const begin = performance.now();
    while (!slice.done && performance.now() - begin < TURN_MS) slice = slices.next();
    await nextTurn();
  }
  const plain = Buffer.concat([fromHex(genesisDigest), slice.value]);
  const pieces = Math.ceil(plain.length / PIECE_BYTES);
  const content = Buffer.allocUnsafe(plain.length + pieces * SEAL_OVERHEAD_BYTES);
  for (let piece = 0; piece < pieces; piece++) {
    const part = plain.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES);
    content.set(keys.seal('snapshot', part, placeOf(index, piece, pieces)), piece * SEALED_PIECE_BYTES);
    await nextTurn();
  }
  return content;
}

/** @throws SealBrokenError for bytes that were not sealed as the snapshot of this index; CodecError */
export function openSnapshot(keys: KeyRing, index: number, content: Uint8Array): StateSnapshot {
  const pieces = Math.ceil(content.length / SEALED_PIECE_BYTES);
  const parts = Array.from({ length: pieces }, (_, piece) =>
    keys.open(
      'snapshot',
      content.subarray(piece * SEALED_PIECE_BYTES, (piece + 1) * SEALED_PIECE_BYTES),
      placeOf(index, piece, pieces),
    ),
  );
  const plain = Buffer.concat(parts);
  if (plain.length < DIGEST_BYTES) throw new SealBrokenError('sealed snapshot is empty');
  return {
    genesisDigest: toBytes32(plain.subarray(0, DIGEST_BYTES)),
    index,
    state: decodeSnapshot(plain.subarray(DIGEST_BYTES)),
  };
}
