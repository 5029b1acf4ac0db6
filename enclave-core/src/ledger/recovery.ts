/**
 * Opens the folder of a ledger after any kind of end. What it reads does not grow with the history: names, the newest chunk, and
 * the parts of tree and index that belong to it; more only where tree or index do not fit, which are then made again.
 */
import { dirname } from 'node:path';
import type { Bytes32 } from '@drawbridge/protocol/bytes32';
import { ZERO_DIGEST } from '@drawbridge/protocol/ledger/hash';
import type { MerkleFrontier } from '@drawbridge/protocol/ledger/merkle-tree';
import type { Disk, DiskFile } from '../consensus/log/disk.ts';
import { derive, writeDerived } from './chunk-contents.ts';
import { type Chunk, ChunkList } from './chunk-list.ts';
import { type BadHeader, PIECE_BYTES, type ReadHeader, readHeader } from './chunk-reader.ts';
import { recoverClosedPart, samePeaks, withFile } from './closed-chunks.ts';
import { DerivedFiles } from './derived-files.ts';
import { isMissing, LedgerDamagedError } from './ledger-errors.ts';
import { closesChunk } from './ledger-tape.ts';
import { closeChunk } from './ledger-writer.ts';
import { type OpenChunkContents, type OutlinedRecord, readOpenChunk } from './open-chunk.ts';

export type RecoveryOptions = Readonly<{ directory: string; serviceId: Bytes32; chunkBytes: number }>;

/** Bytes of writes that a crash cut short; they come again from the log. */
export type TornTail = Readonly<{ file: string; offset: number; bytes: number }>;

export type RecoveredLedger = Readonly<{
  chunks: ChunkList;
  derived: DerivedFiles;
  /** Over all that is on disk. */
  frontier: MerkleFrontier;
  /** The open chunk; null where the next record begins one. */
  open: RecoveredChunk | null;
  /** Seqno up to which everything had been synced before it was opened; null where that is not known. */
  mark: number | null;
  tornTail: TornTail | null;
}>;

export type RecoveredChunk = Readonly<{
  /** Open for writing. */
  file: DiskFile;
  header: ReadHeader;
  records: readonly OutlinedRecord[];
  end: number;
}>;

/** @throws LedgerDamagedError before anything that is damaged is changed; errors of the disk as they are */
export async function recoverLedger(options: RecoveryOptions, disk: Disk): Promise<RecoveredLedger> {
  const { directory } = options;
  await disk.makeDirectory(directory);
  await disk.syncDirectory(dirname(directory));
  const names = await disk.list(directory);
  for (const name of names) if (name.endsWith('.tmp')) await removeIfPresent(disk, `${directory}/${name}`);
  const chunks = ChunkList.of(directory, names);
  const derived = await DerivedFiles.open(disk, directory);
  try {
    return await recover({ options, disk, chunks, derived, mark: await derived.readMark() });
  } catch (error) {
    await derived.close();
    throw error;
  }
}

type Uses = Readonly<{
  options: RecoveryOptions;
  disk: Disk;
  chunks: ChunkList;
  derived: DerivedFiles;
  mark: number | null;
}>;

async function recover(uses: Uses): Promise<RecoveredLedger> {
  const { options, disk, chunks, derived, mark } = uses;
  const { serviceId } = options;
  let header = await openHeader(uses);
  let frontier = await recoverClosedPart({ disk, serviceId, chunks, derived }, header);
  if (header && !samePeaks(header.header.peaks, frontier.peaks())) {
    await discardOpen(uses, 'the tree in the header of the chunk is not that of the records before it', false);
    header = null;
    frontier = await recoverClosedPart({ disk, serviceId, chunks, derived }, null);
  }
  const chunk = chunks.open;
  if (!header || !chunk) {
    demandMark(uses, frontier.size - 1);
    await derived.cut(frontier.size);
    if (frontier.size === 1) await begin(uses);
    else await derived.writeMark(frontier.size - 1);
    return { chunks, derived, frontier, open: null, mark, tornTail: null };
  }
  const { path } = chunk;
  const read = header;
  const contents = await withFile(disk, path, (file) => readOpenChunk({ file, path, header: read, derived, mark }));
  return openForWriting(uses, chunk, header, contents, frontier);
}

/** Null where there is no open chunk, or where it was never begun properly and is gone now. */
async function openHeader(uses: Uses): Promise<ReadHeader | null> {
  const { disk, chunks, options } = uses;
  const chunk = chunks.open;
  if (!chunk) return null;
  const { first, path } = chunk;
  const read = await withFile(disk, path, (file) => readHeader(file, { serviceId: options.serviceId, first }));
  if (!('reason' in read)) return read;
  await discardOpen(uses, read.reason, read.foreign, read);
  return null;
}

/** Takes away an open chunk of which nothing was ever promised. @throws LedgerDamagedError for any other */
async function discardOpen(uses: Uses, reason: string, foreign: boolean, bad?: BadHeader): Promise<void> {
  const { disk, chunks, mark } = uses;
  const chunk = chunks.open;
  if (!chunk) return;
  // Without a mark nothing is known, but a header that was never written is followed by nothing that was promised.
  const neverPromised = mark === null ? bad?.blank === true : mark < chunk.first;
  if (foreign || !neverPromised) throw new LedgerDamagedError({ file: chunk.path, offset: 0, reason });
  await disk.remove(chunk.path);
  await disk.syncDirectory(chunks.directory);
  chunks.dropOpen();
}

/** Of a new ledger the mark is there before its first record: where it is missing later, it was lost. */
async function begin({ disk, chunks, derived }: Uses): Promise<void> {
  await derived.writeNodes(0, ZERO_DIGEST);
  await derived.sync();
  await derived.writeMark(0);
  await disk.syncDirectory(chunks.directory);
}

function demandMark({ chunks, mark }: Uses, stored: number): void {
  if (mark === null || stored >= mark) return;
  const reason = `records up to seqno ${mark} were synced, but the chunk with ${stored + 1} is missing`;
  throw new LedgerDamagedError({ file: chunks.pathFor(stored + 1), offset: 0, reason });
}

/** Cuts what is torn, makes durable what stays, and closes the chunk where a crash came before that. */
async function openForWriting(
  uses: Uses,
  chunk: Chunk,
  header: ReadHeader,
  contents: OpenChunkContents,
  before: MerkleFrontier,
): Promise<RecoveredLedger> {
  const { records, end } = contents;
  const { options, disk, chunks, derived, mark } = uses;
  const file = await disk.open(chunk.path, 'update');
  try {
    const tornTail = file.size > end ? { file: chunk.path, offset: end, bytes: file.size - end } : null;
    if (tornTail) await file.truncate(end);
    await rewrite(file, unsyncedFrom(contents, chunk, mark), end);
    await file.sync();
    await disk.syncDirectory(chunks.directory);
    const frontier = before.clone();
    const made = derive(frontier, records);
    await derived.cut(frontier.size);
    await writeDerived(derived, made);
    await derived.sync();
    const last = records.at(-1);
    if (last && closesChunk(last.record.kind, end, options.chunkBytes)) {
      await file.close();
      await closeChunk(disk, chunks, chunk, last.record.seqno);
      await derived.writeMark(last.record.seqno);
      return { chunks, derived, frontier, open: null, mark, tornTail };
    }
    await derived.writeMark(frontier.size - 1);
    return { chunks, derived, frontier, open: { file, header, records, end }, mark, tornTail };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Offset from which on nobody knows that it is durable: the chunk's header too, where nothing of the chunk was synced. */
function unsyncedFrom({ records, end }: OpenChunkContents, { first }: Chunk, mark: number | null): number {
  const synced = mark ?? 0;
  if (synced < first) return 0;
  return records.find(({ record }) => record.seqno > synced)?.offset ?? end;
}

/**
 * Writes what was read once more. A process that was killed, or whose sync failed, can leave bytes in the page cache that the
 * kernel will not write again by itself.
 */
async function rewrite(file: DiskFile, from: number, end: number): Promise<void> {
  for (let at = from; at < end; at += PIECE_BYTES) {
    await file.write(await file.read(at, Math.min(PIECE_BYTES, end - at)), at);
  }
}

async function removeIfPresent(disk: Disk, path: string): Promise<void> {
  try {
    await disk.remove(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
