/**
 * The whole replicated state as canonical bytes, equal on every node at one seqno: which genesis the ledger began with, the
 * nodes, the Merkle tree, and settlement. Its digest goes into the ledger, so that a snapshot can be checked before use.
 * It is made, hashed and sealed piece by piece, each bound to the snapshot's index and its place, the last to their number.
 */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Bytes32, fromHex, toBytes32 } from '@drawbridge/protocol/bytes32';
import { MerkleFrontier } from '@drawbridge/protocol/ledger/merkle-tree';
import type { SnapshotContent } from '../consensus/ports.ts';
import { SealBrokenError } from '../keys/key-ring.ts';
import { LEDGER_SEAL_OVERHEAD_BYTES, type LedgerKeys } from '../keys/ledger-keys.ts';
import { decodeMembership, encodeMembership } from '../membership/membership-codec.ts';
import type { MembershipState } from '../membership/membership-state.ts';
import { decodeSnapshot, snapshotSlices } from '../settlement/snapshot.ts';
import type { SettlementState } from '../settlement/state.ts';
import { sha256 } from '../sha256.ts';
import { ImagePieces, PIECE_BYTES, type TakePiece } from './image-pieces.ts';
import type { ViewStart } from './view-history.ts';

const DIGEST_BYTES = 32;
const SEALED_PIECE_BYTES: number = PIECE_BYTES + LEDGER_SEAL_OVERHEAD_BYTES;
/** Of a head: seqno of the entry that vouches for the digest, 0 for genesis, whose record does. */
const HEAD_BYTES = 8;
/** The genesis record itself vouches for the first state. */
const NO_EVIDENCE = 0;
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

/** How many there are is known with the last one; all others say 0 in its place. */
const placeOf = (index: number, piece: number, isLast: boolean): Uint8Array =>
  Buffer.from(`state/${index}/${piece}/${isLast ? piece + 1 : 0}`);

/**
 * The state is captured before the first pause; made in slices, so that a large state does not hold up the node.
 * @returns the digest of all pieces
 * @throws InvariantError when the state contradicts itself; what `take` throws
 */
export async function imageOf(
  { genesisDigest, settlement, membership, views, frontier }: ReplicatedState,
  take: TakePiece,
): Promise<Buffer> {
  const beforeSettlement = [
    fromHex(genesisDigest),
    sized(encodeMembership(membership)),
    sized(encodeViews(views)),
    sized(encodeFrontier(frontier)),
  ];
  const slices = snapshotSlices(settlement);
  const pieces = new ImagePieces(take);
  let begin = performance.now();
  const add = async (slice: readonly Uint8Array[]): Promise<void> => {
    for (const part of slice) {
      await pieces.add(part);
      if (performance.now() - begin < TURN_MS) continue;
      await nextTurn();
      begin = performance.now();
    }
  };
  try {
    await add(beforeSettlement);
    for (const slice of slices) await add(slice);
    return await pieces.end();
  } finally {
    slices.release();
  }
}

/** SHA-256 of the image. */
export const digestOf = (state: ReplicatedState): Promise<Buffer> => imageOf(state, () => undefined);

/** Seals each piece as it comes. @returns the digest of the image. @throws as `imageOf`; what `add` throws */
export function sealImage(
  keys: LedgerKeys,
  state: ReplicatedState,
  add: (sealed: Uint8Array) => Promise<void>,
): Promise<Buffer> {
  let place = 0;
  return imageOf(state, (piece, isLast) => {
    const sealed = keys.seal('snapshot', piece, placeOf(state.index, place, isLast));
    place += 1;
    return add(sealed);
  });
}

/** The first state as one buffer: its head, and the sealed pieces. */
export async function sealGenesis(
  keys: LedgerKeys,
  state: ReplicatedState,
): Promise<Readonly<{ content: Buffer; digest: Buffer }>> {
  const parts: Uint8Array[] = [headOfImage(NO_EVIDENCE)];
  const digest = await sealImage(keys, state, async (sealed) => void parts.push(sealed));
  return { content: Buffer.concat(parts), digest };
}

/** What `sealGenesis` put together. @throws SealBrokenError */
export function genesisImage(content: Uint8Array): SnapshotContent {
  if (content.length < HEAD_BYTES) throw new SealBrokenError('sealed snapshot is empty');
  const sealed = content.subarray(HEAD_BYTES);
  const pieces = function* (): Generator<Uint8Array> {
    for (let at = 0; at < sealed.length; at += SEALED_PIECE_BYTES) yield sealed.subarray(at, at + SEALED_PIECE_BYTES);
  };
  return { head: content.subarray(0, HEAD_BYTES), bytes: sealed.length, pieces };
}

export type OpenedImage = Readonly<{ state: ReplicatedState; digest: Buffer; evidenceSeqno: number }>;

/** @throws SealBrokenError for pieces that were not sealed as the snapshot of this index, all of them in order; CodecError */
export async function openImage(
  keys: LedgerKeys,
  index: number,
  { head, bytes, pieces }: SnapshotContent,
): Promise<OpenedImage> {
  const { plain, digest } = await openPieces(keys, index, { bytes, pieces });
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
  return { state, digest, evidenceSeqno: evidenceSeqnoOf(head) };
}

async function openPieces(
  keys: LedgerKeys,
  index: number,
  { bytes, pieces }: Omit<SnapshotContent, 'head'>,
): Promise<Readonly<{ plain: Buffer; digest: Buffer }>> {
  const plain = Buffer.allocUnsafeSlow(bytes);
  const hash = createHash('sha256');
  let [opened, length] = [0, 0];
  const open = (sealed: Uint8Array, isLast: boolean): void => {
    const piece = keys.open('snapshot', sealed, placeOf(index, opened, isLast));
    if (length + piece.length > bytes) throw new SealBrokenError('sealed snapshot is longer than it was');
    plain.set(piece, length);
    hash.update(piece);
    opened += 1;
    length += piece.length;
  };
  let waiting: Uint8Array | undefined;
  for await (const sealed of pieces()) {
    if (waiting) open(waiting, false);
    waiting = sealed;
  }
  if (waiting) open(waiting, true);
  if (length < DIGEST_BYTES) throw new SealBrokenError('sealed snapshot is empty');
  return { plain: plain.subarray(0, length), digest: hash.digest() };
}

/** What of an image a node is sent that is far behind: which entry of the ledger vouches for it; 0 for genesis. */
export function headOfImage(evidenceSeqno: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeBigUInt64BE(BigInt(evidenceSeqno));
  return head;
}

/** @throws SealBrokenError for what is no head */
export function evidenceSeqnoOf(head: Uint8Array): number {
  if (head.length !== HEAD_BYTES) throw new SealBrokenError('the head of a snapshot has another form');
  return Number(Buffer.from(head.buffer, head.byteOffset, head.length).readBigUInt64BE());
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
