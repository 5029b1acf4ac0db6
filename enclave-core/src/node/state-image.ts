/**
 * The whole replicated state as canonical bytes, equal on every node at one seqno: which genesis the ledger began with, the
 * nodes, the Merkle tree, and settlement. Its digest goes into the ledger, so that a snapshot can be checked before use.
 * On the disk it is sealed in pieces, each bound to the snapshot's index, its place and their number.
 */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Bytes32, fromHex, toBytes32 } from '@drawbridge/protocol/bytes32';
import { MerkleFrontier } from '@drawbridge/protocol/ledger/merkle-tree';
import { SealBrokenError } from '../keys/key-ring.ts';
import { LEDGER_SEAL_OVERHEAD_BYTES, type LedgerKeys } from '../keys/ledger-keys.ts';
import { decodeMembership, encodeMembership } from '../membership/membership-codec.ts';
import type { MembershipState } from '../membership/membership-state.ts';
import { decodeSnapshot, snapshotSlices } from '../settlement/snapshot.ts';
import type { SettlementState } from '../settlement/state.ts';
import { sha256 } from '../sha256.ts';
import { ImagePieces, PIECE_BYTES, type StateImage } from './image-pieces.ts';
import type { ViewStart } from './view-history.ts';

const DIGEST_BYTES = 32;
const SEALED_PIECE_BYTES: number = PIECE_BYTES + LEDGER_SEAL_OVERHEAD_BYTES;
/** Seqno of the entry that vouches for the digest, 0 for genesis, before the sealed pieces. */
const HEAD_BYTES = 8;
/** Time that slices may take before other work gets its turn, in ms. */
const TURN_MS = 2;

/** `index`: log index of the last entry that the state holds; the tree has one leaf more. */
export type ReplicatedState = Readonly<{
  genesisDigest: Bytes32;
  index: number;
  settlement: SettlementState;
  membership: MembershipState;
  /** Up to and including `index`. */
  views: readonly ViewStart[];
  frontier: MerkleFrontier;
}>;

const placeOf = (index: number, piece: number, pieces: number): Uint8Array =>
  Buffer.from(`state/${index}/${piece}/${pieces}`);

/**
 * The state is captured before the first pause; made in slices, so that a large state does not hold up the node.
 * @throws InvariantError when the state contradicts itself
 */
export async function imageOf({
  genesisDigest,
  index,
  settlement,
  membership,
  views,
  frontier,
}: ReplicatedState): Promise<StateImage> {
  const beforeSettlement = [
    fromHex(genesisDigest),
    sized(encodeMembership(membership)),
    sized(encodeViews(views)),
    sized(encodeFrontier(frontier)),
  ];
  const slices = snapshotSlices(settlement);
  const pieces = new ImagePieces();
  let begin = performance.now();
  const add = async (slice: readonly Uint8Array[]): Promise<void> => {
    for (const part of slice) {
      for (let at = 0; at < part.length; at += PIECE_BYTES) {
        pieces.add(part.subarray(at, at + PIECE_BYTES));
        if (performance.now() - begin < TURN_MS) continue;
        await nextTurn();
        begin = performance.now();
      }
    }
  };
  await add(beforeSettlement);
  for (const slice of slices) await add(slice);
  return pieces.image(index);
}

/** @param evidenceSeqno entry of the ledger that vouches for the image's digest; 0 for genesis, whose record does */
export async function sealImage(
  keys: LedgerKeys,
  { index, pieces }: StateImage,
  evidenceSeqno: number,
): Promise<Uint8Array> {
  const plainBytes = pieces.reduce((sum, { length }) => sum + length, 0);
  const content = Buffer.allocUnsafe(HEAD_BYTES + plainBytes + pieces.length * LEDGER_SEAL_OVERHEAD_BYTES);
  content.writeBigUInt64BE(BigInt(evidenceSeqno));
  for (const [at, piece] of pieces.entries()) {
    const sealed = keys.seal('snapshot', piece, placeOf(index, at, pieces.length));
    content.set(sealed, HEAD_BYTES + at * SEALED_PIECE_BYTES);
    await nextTurn();
  }
  return content;
}

export type OpenedImage = Readonly<{ state: ReplicatedState; digest: Buffer; evidenceSeqno: number }>;

/** @throws SealBrokenError for bytes that were not sealed as the snapshot of this index; CodecError */
export function openImage(keys: LedgerKeys, index: number, content: Uint8Array): OpenedImage {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  if (bytes.length < HEAD_BYTES) throw new SealBrokenError('sealed snapshot is empty');
  const body = bytes.subarray(HEAD_BYTES);
  const pieces = Math.ceil(body.length / SEALED_PIECE_BYTES);
  const plain = Buffer.allocUnsafe(Math.max(0, body.length - pieces * LEDGER_SEAL_OVERHEAD_BYTES));
  const hash = createHash('sha256');
  for (let piece = 0; piece < pieces; piece++) {
    const sealed = body.subarray(piece * SEALED_PIECE_BYTES, (piece + 1) * SEALED_PIECE_BYTES);
    const opened = keys.open('snapshot', sealed, placeOf(index, piece, pieces));
    plain.set(opened, piece * PIECE_BYTES);
    hash.update(opened);
  }
  if (plain.length < DIGEST_BYTES) throw new SealBrokenError('sealed snapshot is empty');
  const nodes = partAt(plain, DIGEST_BYTES);
  const views = partAt(plain, nodes.end);
  const tree = partAt(plain, views.end);
  const state: ReplicatedState = {
    genesisDigest: toBytes32(plain.subarray(0, DIGEST_BYTES)),
    index,
    settlement: decodeSnapshot(plain.subarray(tree.end)),
    membership: decodeMembership(nodes.bytes),
    views: decodeViews(views.bytes),
    frontier: decodeFrontier(tree.bytes),
  };
  return { state, digest: hash.digest(), evidenceSeqno: evidenceSeqnoOf(content) };
}

/** What of a sealed image a node is sent that is far behind: which entry of the ledger vouches for it. */
export const headOfImage = (content: Uint8Array): Uint8Array => content.subarray(0, HEAD_BYTES);

/** Entry of the ledger that vouches for a sealed image, or for the one that this is the head of; 0 for genesis. */
export function evidenceSeqnoOf(content: Uint8Array): number {
  if (content.length < HEAD_BYTES) throw new SealBrokenError('sealed snapshot is empty');
  return Number(Buffer.from(content.buffer, content.byteOffset, content.length).readBigUInt64BE());
}

function sized(bytes: Uint8Array): Buffer {
  const out = Buffer.alloc(4 + bytes.length);
  out.writeUInt32BE(bytes.length);
  out.set(bytes, 4);
  return out;
}

function partAt(plain: Buffer, at: number): { bytes: Buffer; end: number } {
  const begin = at + 4;
  const end = begin + plain.readUInt32BE(at);
  return { bytes: plain.subarray(begin, end), end };
}

/** View u64 and first seqno u64 of each. */
function encodeViews(views: readonly ViewStart[]): Buffer {
  const bytes = Buffer.alloc(views.length * 16);
  for (const [i, { view, seqno }] of views.entries()) {
    bytes.writeBigUInt64BE(BigInt(view), i * 16);
    bytes.writeBigUInt64BE(BigInt(seqno), i * 16 + 8);
  }
  return bytes;
}

const decodeViews = (bytes: Buffer): ViewStart[] =>
  Array.from({ length: bytes.length / 16 }, (_, i) => ({
    view: Number(bytes.readBigUInt64BE(i * 16)),
    seqno: Number(bytes.readBigUInt64BE(i * 16 + 8)),
  }));

/** Size u64, then the peaks, highest first. */
function encodeFrontier(frontier: MerkleFrontier): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(frontier.size));
  return Buffer.concat([size, ...frontier.peaks()]);
}

function decodeFrontier(bytes: Buffer): MerkleFrontier {
  const peaks = Array.from({ length: (bytes.length - 8) / DIGEST_BYTES }, (_, i) =>
    bytes.subarray(8 + i * DIGEST_BYTES, 8 + (i + 1) * DIGEST_BYTES),
  );
  return MerkleFrontier.of(Number(bytes.readBigUInt64BE()), peaks, sha256);
}
