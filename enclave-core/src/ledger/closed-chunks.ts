/**
 * The closed part of a ledger at start. Only the newest chunk is looked at, and its tree and index, while these fit; they are
 * made again from the first chunk on that they do not fit.
 */
import { Buffer } from 'node:buffer';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { encodeChunkHeader } from '@drawbridge/protocol/ledger/chunk';
import { ZERO_DIGEST } from '@drawbridge/protocol/ledger/hash';
import { ledgerKind } from '@drawbridge/protocol/ledger/ledger-kind';
import { MerkleFrontier, peakPositions } from '@drawbridge/protocol/ledger/merkle-tree';
import type { Disk, DiskFile } from '../consensus/log/disk.ts';
import { sha256 } from '../sha256.ts';
import { readRecords, writeDerived } from './chunk-contents.ts';
import type { Chunk, ChunkList } from './chunk-list.ts';
import { type ReadHeader, readHeader } from './chunk-reader.ts';
import { type DerivedFiles, decodeSlot } from './derived-files.ts';
import { LedgerDamagedError } from './ledger-errors.ts';

export type ClosedPartUses = Readonly<{
  disk: Disk;
  serviceId: Bytes32;
  chunks: ChunkList;
  derived: DerivedFiles;
}>;

/**
 * The tree over all closed chunks.
 * @param openHeader of the chunk that follows them; without one the newest closed chunk is read to be sure
 * @throws LedgerDamagedError
 */
export async function recoverClosedPart(uses: ClosedPartUses, openHeader: ReadHeader | null): Promise<MerkleFrontier> {
  const { derived } = uses;
  if (openHeader) {
    const { first, peaks } = openHeader.header;
    if ((await treeFits(derived, first, peaks)) && (await indexFits(uses, uses.chunks.lastClosed))) {
      return MerkleFrontier.of(first, peaks, sha256);
    }
  }
  return rebuild(uses);
}

/** Whether `tree.mmr` has these peaks for a tree of this size. */
export async function treeFits(derived: DerivedFiles, size: number, peaks: readonly Uint8Array[]): Promise<boolean> {
  for (const [at, position] of peakPositions(size).entries()) {
    if (!(await derived.readNodes(position, 1)).equals(peaks[at] ?? ZERO_DIGEST)) return false;
  }
  return true;
}

/** Whether `index.dat` has what it should for the first and the last record of a closed chunk; the chunk is not looked at. */
async function indexFits({ derived, serviceId }: ClosedPartUses, chunk: Chunk | undefined): Promise<boolean> {
  if (!chunk || chunk.last === null) return true;
  const first = decodeSlot(await derived.readSlots(chunk.first, 1), 0);
  const last = decodeSlot(await derived.readSlots(chunk.last, 1), 0);
  const peaks = peakPositions(chunk.first).map(() => ZERO_DIGEST);
  const headerBytes = encodeChunkHeader({ serviceId, first: chunk.first, peaks }).length;
  return first?.offset === headerBytes && last?.kindNumber === ledgerKind.signature;
}

/** @throws LedgerDamagedError */
export async function demandHeader(file: DiskFile, serviceId: Bytes32, chunk: Chunk): Promise<ReadHeader> {
  const read = await readHeader(file, { serviceId, first: chunk.first });
  if ('reason' in read) throw new LedgerDamagedError({ file: chunk.path, offset: 0, reason: read.reason });
  return read;
}

async function rebuild(uses: ClosedPartUses): Promise<MerkleFrontier> {
  const { disk, serviceId, chunks, derived } = uses;
  const closed = chunks.all.filter(({ last }) => last !== null);
  const from = await firstUnfit(uses, closed);
  let frontier = MerkleFrontier.start(sha256);
  if (from === 0) await derived.writeNodes(0, ZERO_DIGEST);
  for (const [at, chunk] of closed.entries()) {
    if (at < from) continue;
    frontier = await withFile(disk, chunk.path, async (file) => {
      const { header, bytes } = await demandHeader(file, serviceId, chunk);
      if (at > from || at === 0) demandSamePeaks(chunk, header.peaks, frontier);
      const grown = MerkleFrontier.of(chunk.first, header.peaks, sha256);
      const range = { headerBytes: bytes, end: file.size, last: chunk.last ?? 0 };
      await readRecords(file, chunk, range, grown, (part) => writeDerived(derived, part));
      return grown;
    });
  }
  await derived.sync();
  return frontier;
}

/** Index of the newest chunk up to which tree and index fit, so that it is read at least. */
async function firstUnfit(uses: ClosedPartUses, closed: readonly Chunk[]): Promise<number> {
  for (let at = closed.length - 1; at > 0; at--) {
    const chunk = closed[at];
    if (!chunk) break;
    const { header } = await withFile(uses.disk, chunk.path, (file) => demandHeader(file, uses.serviceId, chunk));
    if ((await treeFits(uses.derived, chunk.first, header.peaks)) && (await indexFits(uses, closed[at - 1]))) return at;
  }
  return 0;
}

function demandSamePeaks(chunk: Chunk, peaks: readonly Uint8Array[], frontier: MerkleFrontier): void {
  if (samePeaks(peaks, frontier.peaks())) return;
  const reason = 'the records before this chunk do not lead to the tree in its header: one of the two is damaged';
  throw new LedgerDamagedError({ file: chunk.path, offset: 0, reason });
}

export function samePeaks(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((peak, at) => sameBytes(peak, b[at]));
}

export function sameBytes(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && Buffer.compare(a, b) === 0;
}

export async function withFile<T>(disk: Disk, path: string, work: (file: DiskFile) => Promise<T>): Promise<T> {
  const file = await disk.open(path, 'read');
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}
